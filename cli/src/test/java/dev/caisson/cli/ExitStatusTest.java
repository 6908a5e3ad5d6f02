package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.error.CaissonException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which commands fail with docker's status 1, and which with 125, when a program was to run.
class ExitStatusTest {
    private static CaissonException failed() {
        return new CommandException("OF_THE_ENGINE", CaissonException.EXIT_ENGINE, "it failed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "caisson run",
                "caisson create",
                "caisson exec",
                "caisson container run",
                "caisson container create",
                "caisson container exec",
                "caisson audit",
                "caisson secret ls",
                "caisson"
            })
    void what_runs_a_program_and_what_docker_has_not_fails_with_125(String command) {
        assertThat(ExitStatus.of(command, failed())).isEqualTo(125);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "caisson container rm",
                "caisson container start",
                "caisson container inspect",
                "caisson rm",
                "caisson start",
                "caisson stop",
                "caisson logs",
                "caisson ps",
                "caisson pull",
                "caisson network create",
                "caisson volume create",
                "caisson image ls",
                "caisson cp"
            })
    void dockers_other_commands_fail_with_1(String command) {
        assertThat(ExitStatus.of(command, failed())).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"caisson rm", "caisson container exec", "caisson audit"})
    void a_status_of_its_own_stays(String command) {
        var own = new CommandException("OTHER", 77, "it failed in its own way");
        assertThat(ExitStatus.of(command, own)).isEqualTo(77);
    }
}
