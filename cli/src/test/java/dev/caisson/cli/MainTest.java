package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.caller.Terminal;
import dev.caisson.cli.run.PlanRunCommand;
import dev.caisson.cli.run.RunCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the command line answers: text, exit status, and one line for an error.
class MainTest {
    /// What one command line wrote and returned.
    private record Answer(int status, String out, String err) {}

    @Test
    void version_tells_build_jdk_and_kernel() {
        Answer answer = caisson("version");

        assertThat(answer.status()).isZero();
        assertThat(answer.out().lines())
                .satisfiesExactly(
                        line -> assertThat(line).matches("caisson \\d+\\.\\d+\\.\\d+"),
                        line -> assertThat(line).isEqualTo("java    " + Runtime.version()),
                        line -> assertThat(line).startsWith("kernel  Linux " + System.getProperty("os.version")));
        assertThat(answer.err()).isEmpty();
    }

    @Test
    void version_speaks_json() {
        assertThat(caisson("version", "--format", "json").out())
                .matches(
                        "\\{\"caisson\":\"[^\"]+\",\"java\":\"[^\"]+\",\"kernel\":\"[^\"]+\",\"architecture\":\"[^\"]+\",.*}\n");
        assertThat(caisson("version", "-f", "{{.Server.Version}} {{.Client.Os}} {{.Server.KernelVersion}}")
                        .out())
                .isEqualTo(caisson("version", "-f", "{{.caisson}} linux {{.kernel}}")
                        .out());
        assertThat(caisson("version", "-f", "{{.Servre}}").err()).contains("can't evaluate field Servre");
    }

    @Test
    void alone_it_prints_its_help() {
        assertThat(caisson()).isEqualTo(caisson("--help"));
        assertThat(caisson().status()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "version --foo        | USAGE: Unknown option: '--foo'; try 'caisson version --help'",
                "completion           | USAGE: Missing required parameter: 'SHELL'; try 'caisson completion --help'",
            })
    void a_wrong_command_line_is_one_coded_line(String arguments, String sentence) {
        Answer answer = caisson(arguments.split(" "));

        assertThat(answer).isEqualTo(new Answer(125, "", "caisson: " + sentence + "\n"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nonsense                | unknown command: caisson nonsense; try 'caisson --help'",
                "nonsense --help         | unknown command: caisson nonsense; try 'caisson --help'",
                "--help nonsense         | unknown command: caisson nonsense; try 'caisson --help'",
                "nonsense run host true  | unknown command: caisson nonsense; try 'caisson --help'",
                "plan nonsense -h        | unknown command: caisson plan nonsense; try 'caisson plan --help'",
            })
    void an_unknown_command_is_told_even_where_help_is_asked_for(String arguments, String sentence) {
        assertThat(caisson(arguments.split(" "))).isEqualTo(new Answer(1, "", "caisson: USAGE: " + sentence + "\n"));
    }

    @ParameterizedTest
    @CsvSource({"--help, caisson", "run --help, caisson run", "plan run --help, caisson plan run", "-h, caisson"})
    void help_of_a_command_that_there_is_stands_on_standard_output(String arguments, String command) {
        Answer answer = caisson(arguments.split(" "));

        assertThat(answer.status()).isZero();
        assertThat(answer.out()).startsWith("Usage: " + command + " ");
        assertThat(answer.err()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "runn             | unknown command: caisson runn; did you mean 'caisson run'?",
                "lgos web         | unknown command: caisson lgos; did you mean 'caisson logs'?",
                "seccomp dif      | unknown command: caisson seccomp dif; did you mean 'caisson seccomp diff'?",
                "help runn        | unknown command: caisson runn; did you mean 'caisson run'?",
                "search web       | unknown command: caisson search; it is Docker's and not part of this version: images are fetched and sent by name, with 'caisson pull' and 'caisson push'; signatures are not looked at",
            })
    void what_was_meant_by_an_unknown_command_is_said(String arguments, String sentence) {
        assertThat(caisson(arguments.split(" "))).isEqualTo(new Answer(1, "", "caisson: USAGE: " + sentence + "\n"));
    }

    @Test
    void options_of_run_that_no_plan_has_are_refused_by_name() {
        var names = new HashSet<>(RunCommand.spec().optionsMap().keySet());
        names.removeAll(PlanRunCommand.spec().optionsMap().keySet());

        assertThat(names).contains("-d", "--restart", "--log-driver", "--pull");
        assertThat(names)
                .allSatisfy(name -> assertThat(
                                caisson("plan", "run", name, "host", "true").err())
                        .startsWith("caisson: OPTION_REFUSED: " + name + ": ")
                        .endsWith("leave this out\n"));
    }

    @Test
    void what_was_meant_by_an_unknown_option_is_said() {
        assertThat(caisson("run", "--memroy=1g", "host").err())
                .isEqualTo("caisson: USAGE: Unknown option: '--memroy=1g'; did you mean --memory?\n");
        assertThat(caisson("run", "-itq", "host").err()).startsWith("caisson: OPTION_REFUSED: -q: ");
        for (String command : List.of("run", "create", "plan run")) {
            assertThat(caisson((command + " -itP").split(" ")).err())
                    .startsWith("caisson: USAGE: Missing required parameter: 'IMAGE'; try 'caisson " + command
                            + " --help'");
        }
        assertThat(caisson("build", "-q"))
                .isEqualTo(new Answer(
                        1, "", "caisson: USAGE: Missing required parameter: 'CONTEXT'; try 'caisson build --help'\n"));
    }

    @Test
    void help_and_version_are_found_where_docker_has_them() {
        assertThat(caisson("help")).isEqualTo(caisson("--help"));
        assertThat(caisson("help", "run")).isEqualTo(caisson("run", "--help"));
        assertThat(caisson("help", "seccomp", "diff")).isEqualTo(caisson("seccomp", "diff", "--help"));
        assertThat(caisson("--version")).isEqualTo(caisson("version"));
        assertThat(caisson("-v")).isEqualTo(caisson("version"));
    }

    @Test
    void an_argument_cannot_send_escapes_to_the_terminal() {
        Answer answer = caisson("version", "--\u001b]0;owned\u0007\nsecond line\u202e");

        assertThat(answer.status()).isEqualTo(125);
        assertThat(answer.err().lines()).hasSize(1);
        assertThat(answer.err()).doesNotContain("\u001b", "\u0007", "\u202e");
    }

    @Test
    void completion_for_fish_knows_commands_options_and_containers() {
        assertThat(caisson("completion", "fish").out())
                .contains("-a run -d 'Run a program in a container.'")
                .contains("-n '__fish_seen_subcommand_from run' -s m -l memory -r -d ")
                .contains("-n '__fish_seen_subcommand_from seccomp; and __fish_seen_subcommand_from diff'")
                .contains("complete -c caisson -f -n '__fish_seen_subcommand_from stop' -a '(__caisson_containers)'")
                .doesNotContain("rehearse");
    }

    @ParameterizedTest
    @CsvSource({"bash", "zsh"})
    void completion_is_a_script_for_the_shell(String shell) {
        assertThat(caisson("completion", shell).out())
                .startsWith("#!/usr/bin/env bash")
                .contains("complete -F");
    }

    @Test
    void colours_need_a_terminal_and_no_objection() {
        assertThat(Terminal.of("12", "", "xterm")).isEqualTo(new Terminal(true, true));
        assertThat(Terminal.of("2", "", "xterm")).isEqualTo(new Terminal(false, true));
        assertThat(Terminal.of("12", "1", "xterm")).isEqualTo(Terminal.NONE);
        assertThat(Terminal.of("12", "", "dumb")).isEqualTo(Terminal.NONE);
        assertThat(caisson(new Terminal(true, true), "nonsense").err()).startsWith("\u001b[31mcaisson: USAGE");
        assertThat(caisson(new Terminal(true, true), "--help").out()).contains("\u001b[");
        assertThat(caisson("--help").out()).doesNotContain("\u001b[");
    }

    @Test
    void the_rehearsal_for_the_cache_is_silent() {
        assertThat(caisson("rehearse")).isEqualTo(new Answer(0, "", ""));
    }

    private static Answer caisson(String... arguments) {
        return caisson(Terminal.NONE, arguments);
    }

    private static Answer caisson(Terminal terminal, String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), terminal, arguments);
        return new Answer(status, out.toString(), err.toString());
    }
}
