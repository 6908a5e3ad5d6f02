package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Verifier;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The monitor of a container that outlives its command notes the set-user-ID and set-group-ID programs that it
/// executes without effect.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DetachedSetIdTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("set-id"), OwnDirectories.data("set-id"));
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final SetIdPrograms SU = new SetIdPrograms(List.of("/usr/bin/su"), "");
    private static final String RUN_SU = "su -c id </dev/null; ";

    @AfterEach
    void remove() throws InterruptedException {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.onHost("sh", "-c", script).user("1000");
    }

    private static DetachedContainer started(ContainerSpec spec) throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box = engine.create(spec, DetachedOptions.STANDARD);
            box.start();
            return box;
        }
    }

    private static SetIdPrograms noted(DetachedContainer box) {
        return KeptContainer.find(box.id().value(), OPTIONS).setIdPrograms();
    }

    private static void await(DetachedContainer box, SetIdPrograms expected) throws InterruptedException {
        for (int i = 0; i < 400 && !noted(box).equals(expected); i++) {
            Thread.sleep(50);
        }
        assertThat(noted(box)).isEqualTo(expected);
    }

    @Test
    void a_child_that_has_ended_is_noted_while_no_engine_is_there() throws InterruptedException {
        DetachedContainer box = started(shell(RUN_SU + "exit 0"));

        assertThat(box.await(PATIENCE).lastEnd()).isPresent();

        RunResult result =
                KeptContainer.find(box.id().value(), OPTIONS).result().orElseThrow();
        assertThat(result.setIdPrograms()).isEqualTo(SU);
        assertThat(result.obstacles()).containsExactly(Obstacle.SET_ID_WITHOUT_EFFECT);
        assertThat(noted(box)).isEqualTo(SU);
    }

    @Test
    void it_is_there_while_the_container_runs_and_verify_shows_it() throws InterruptedException {
        DetachedContainer box = started(shell(RUN_SU + "sleep 1000"));

        await(box, SU);

        List<Verifier.Check> checks = Verification.of(box.id().value(), OPTIONS).checks().stream()
                .filter(check -> check.subject().equals("set-id programs"))
                .toList();
        assertThat(checks).hasSize(2).allMatch(Verifier.Check::asPlanned);
        assertThat(checks.getLast().found()).startsWith("/usr/bin/su: ").contains("--user");
    }

    @Test
    void a_later_start_is_watched_too() throws InterruptedException {
        DetachedContainer box =
                started(shell("if [ -e /tmp/again ]; then " + RUN_SU + "fi; touch /tmp/again; sleep 1000"));
        try (Engine engine = Engine.open(OPTIONS)) {
            String wait = "until [ -e /tmp/again ]; do sleep 0.1; done";
            engine.exec(box.id().value(), Exec.of("sh", "-c", wait), Streams.capture());
        }
        assertThat(noted(box)).isEqualTo(SetIdPrograms.NONE);

        box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
        box.start();

        await(box, SU);
    }

    @Test
    void a_program_of_exec_is_noted() throws InterruptedException {
        DetachedContainer box = started(shell("sleep 1000"));

        try (Engine engine = Engine.open(OPTIONS)) {
            engine.exec(box.id().value(), Exec.of("sh", "-c", RUN_SU + "exit 0"), Streams.capture());
        }

        await(box, SU);
    }

    @Test
    void programs_that_have_effect_and_those_of_root_are_not_noted() throws InterruptedException {
        DetachedContainer effective =
                started(shell("su -c id </dev/null; exit 0").newPrivileges(true).allow(Allowance.NEW_PRIVILEGES));
        DetachedContainer root = started(shell("su -c id </dev/null; exit 0").user("0"));

        effective.await(PATIENCE);
        root.await(PATIENCE);

        assertThat(noted(effective)).isEqualTo(SetIdPrograms.NONE);
        assertThat(noted(root)).isEqualTo(SetIdPrograms.NONE);
    }

    @Test
    void a_container_that_executes_in_a_loop_ends_and_is_noted() throws InterruptedException {
        DetachedContainer box =
                started(shell("i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done; " + RUN_SU + "exit 0"));

        assertThat(box.await(PATIENCE).lastEnd()).isPresent();
        assertThat(noted(box)).isEqualTo(SU);
    }

    @Test
    void a_flood_of_files_does_not_hold_up_the_end() throws InterruptedException {
        DetachedContainer box =
                started(shell("cd /tmp; for i in $(seq 500); do printf '#!/bin/true\\n' >$i; chmod +x $i;"
                        + " done; for i in *; do ./$i; done; " + RUN_SU + "exit 0"));

        assertThat(box.await(PATIENCE).lastEnd()).isPresent();
        assertThat(noted(box)).isEqualTo(SU);
    }
}
