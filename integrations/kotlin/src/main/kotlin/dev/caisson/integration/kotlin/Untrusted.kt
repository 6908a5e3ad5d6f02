package dev.caisson.integration.kotlin

import dev.caisson.engine.ContainerRunner
import dev.caisson.engine.Engine
import dev.caisson.engine.Verdict
import dev.caisson.error.CaissonException
import dev.caisson.spec.ContainerSpec
import java.time.Duration

fun answer(runner: ContainerRunner, vararg command: String): String {
    val spec = ContainerSpec.onHost(*command)
        .memory("256m")
        .pids(32)
        .wallClock(Duration.ofSeconds(20))
    val result = try {
        runner.run(spec)
    } catch (e: CaissonException) {
        return "${e.code()}: ${e.sentence()}"
    }
    val name: String? = spec.name().orElse(null)
    return when (result.verdict()) {
        Verdict.OK -> result.stdout()
        Verdict.OUT_OF_MEMORY, Verdict.PIDS, Verdict.WALL_CLOCK, Verdict.CPU_TIME, Verdict.OUTPUT ->
            "${name ?: "program"} is over its limit: ${result.verdict()}"
        Verdict.EXIT, Verdict.SIGNAL, Verdict.SECCOMP, Verdict.KILLED ->
            "${name ?: "program"} failed with ${result.exitStatus()}: ${result.stderr()}"
    }
}

fun main() {
    Engine.open().use { engine -> print(answer(engine, "echo", "hello")) }
}
