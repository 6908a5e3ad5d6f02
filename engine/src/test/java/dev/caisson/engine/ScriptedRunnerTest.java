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
    void it_answers_in_order_and_remembers_what_was_asked() throws InterruptedException {
        var runner = new ScriptedRunner()
                .then(RunResult.of(Verdict.OK, 0).withOutput("a", ""))
                .answer(spec -> RunResult.of(Verdict.EXIT, spec.command().size()));
        assertThat(runner.run(SPEC).stdout()).isEqualTo("a");
        assertThat(runner.run(SPEC.command("a", "b")).exitStatus()).isEqualTo(2);
        assertThat(runner.specs()).containsExactly(SPEC, SPEC.command("a", "b"));
    }

    @Test
    void it_fails_as_an_engine_does() {
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
    void without_an_answer_it_says_so() {
        assertThatIllegalStateException()
                .isThrownBy(() -> new ScriptedRunner().run(SPEC))
                .withMessageContaining("then");
    }
}
