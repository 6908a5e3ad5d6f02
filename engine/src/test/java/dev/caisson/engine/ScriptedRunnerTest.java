package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.launch.StepFailedException;
import dev.caisson.spec.ContainerSpec;
import org.junit.jupiter.api.Test;

/// A service's tests need neither root nor an engine.
class ScriptedRunnerTest {
    private static final ContainerSpec SPEC = ContainerSpec.of(Image.host(), "true");

    @Test
    void itAnswersInOrderAndRemembersWhatWasAsked() throws InterruptedException {
        var runner = new ScriptedRunner()
                .then(RunResult.of(Verdict.OK, 0).withOutput("a", ""))
                .answer(spec -> RunResult.of(Verdict.EXIT, spec.command().size()));
        assertThat(runner.run(SPEC).stdout()).isEqualTo("a");
        assertThat(runner.run(SPEC.command("a", "b")).exitStatus()).isEqualTo(2);
        assertThat(runner.specs()).containsExactly(SPEC, SPEC.command("a", "b"));
    }

    @Test
    void itFailsAsAnEngineDoes() {
        var runner = new ScriptedRunner().fail(StepFailedException.programNotFound("nosuch"));
        assertThatExceptionOfType(CaissonException.class)
                .isThrownBy(() -> runner.run(SPEC))
                .satisfies(e -> {
                    assertThat(e.code()).isEqualTo("PROGRAM_NOT_FOUND");
                    assertThat(e.exitStatus()).isEqualTo(127);
                    assertThat(e.httpStatus()).isEqualTo(400);
                });
    }

    @Test
    void withoutAnAnswerItSaysSo() {
        assertThatIllegalStateException()
                .isThrownBy(() -> new ScriptedRunner().run(SPEC))
                .withMessageContaining("then");
    }
}
