package dev.caisson.integration.kotlin

import dev.caisson.engine.Engine
import dev.caisson.engine.EngineException
import dev.caisson.engine.EngineOptions
import dev.caisson.engine.RunResult
import dev.caisson.engine.ScriptedRunner
import dev.caisson.engine.Verdict
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.nio.file.Files
import java.nio.file.Path
import org.assertj.core.api.Assertions.assertThat
import org.jetbrains.kotlin.cli.common.ExitCode
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class KotlinTest {
    @Test
    fun `a service is tested without root`() {
        val runner = ScriptedRunner()
            .then(RunResult.of(Verdict.OK, 0).withOutput("42\n", ""))
            .then(RunResult.of(Verdict.WALL_CLOCK, 137))
            .fail(EngineException("ENGINE_CLOSED", "the engine is closed: open another"))

        assertThat(answer(runner, "true")).isEqualTo("42\n")
        assertThat(answer(runner, "true")).isEqualTo("program is over its limit: WALL_CLOCK")
        assertThat(answer(runner, "true")).isEqualTo("ENGINE_CLOSED: the engine is closed: open another")
    }

    @Test
    @Tag("root")
    fun `a program runs in a container`(@TempDir directory: Path) {
        val options = EngineOptions(directory.resolve("state"), directory.resolve("data"))

        Engine.open(options).use { engine ->
            assertThat(answer(engine, "sh", "-c", "echo hello; id -u")).isEqualTo("hello\n0\n")
            assertThat(answer(engine, "sh", "-c", "echo no >&2; exit 3")).isEqualTo("program failed with 3: no\n")
        }
    }

    @Test
    fun `the program of the documentation is the one that is compiled here`() {
        val documents = Path.of(System.getProperty("caisson.root"), "docs/embedding.md")
        val source = Path.of("src/main/kotlin/dev/caisson/integration/kotlin/Untrusted.kt")

        assertThat(Files.readString(documents)).contains("```kotlin\n" + Files.readString(source) + "```\n")
    }

    /** The compiler takes nothing for a platform type: null is neither passed nor forgotten. */
    @Test
    fun `the compiler sees what may be null`(@TempDir directory: Path) {
        val head = "import dev.caisson.engine.*\nimport dev.caisson.spec.*\n"

        assertThat(errors(directory, head + "fun f(r: ContainerRunner, s: ContainerSpec): RunResult = r.run(s)")).isEmpty()
        assertThat(errors(directory, head + "fun f(r: ContainerRunner): RunResult = r.run(null)"))
            .containsIgnoringCase("null cannot be a value of a non-null type")
        assertThat(errors(directory, head + "fun f(r: RunResult): Int = r.stdout()?.length ?: 0"))
            .containsIgnoringCase("unnecessary safe call")
    }

    private fun errors(directory: Path, source: String): String {
        val file = Files.writeString(directory.resolve("Snippet.kt"), source)
        val said = ByteArrayOutputStream()
        val status = K2JVMCompiler().exec(
            PrintStream(said), "-Xjspecify-annotations=strict", "-Werror", "-no-stdlib", "-no-reflect", "-jvm-target", "25",
            "-classpath", System.getProperty("java.class.path"), "-d", "$directory/out", "$file",
        )
        assertThat(status == ExitCode.OK).describedAs(said.toString()).isEqualTo(said.toString().isEmpty())
        return said.toString()
    }
}
