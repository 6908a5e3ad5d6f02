package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// Compares the words of Docker's command with ours, as its help lists them: what we lack is named with what to do.
@Tag("peers")
class DockerWordsTest {
    private static final Pattern COMMAND = Pattern.compile("(?m)^  ([a-z]+)\\*? {2,}\\S");
    private static final Pattern OPTION = Pattern.compile("(?m)^ +(?:(-[a-zA-Z]), )?(--[a-z0-9-]+)");

    private static String docker(String... words) throws IOException {
        var command = new java.util.ArrayList<>(List.of("docker"));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return String.join("\n", process.inputReader().lines().toList());
    }

    private static String errors(String... words) {
        var err = new StringWriter();
        Main.execute(new PrintWriter(new StringWriter()), new PrintWriter(err), Terminal.NONE, words);
        return err.toString();
    }

    @Test
    void every_command_that_is_not_here_is_named_with_what_to_use() throws Exception {
        Set<String> commands = new TreeSet<>();
        COMMAND.matcher(docker("--help")).results().map(found -> found.group(1)).forEach(commands::add);
        assertThat(commands).contains("run", "exec", "swarm", "wait").hasSizeGreaterThan(40);
        commands.removeAll(Main.commandLine().getSubcommands().keySet());

        assertThat(commands)
                .allSatisfy(command -> assertThat(errors(command))
                        .contains("unknown command: caisson " + command + "; it is Docker's"));
    }

    @Test
    void every_option_of_a_run_that_is_not_here_is_named_with_what_to_do() throws Exception {
        assertThat(options("run")).contains("--memory", "-m", "--publish", "-d").hasSizeGreaterThan(100);
        assertThat(lacking("run")).isEmpty();
    }

    @Test
    void every_command_for_containers_is_here_with_all_options_or_what_to_do_instead() throws Exception {
        Set<String> commands = new TreeSet<>();
        COMMAND.matcher(docker("container", "--help"))
                .results()
                .map(found -> found.group(1))
                .forEach(commands::add);
        assertThat(commands).contains("attach", "ls", "prune", "update").hasSizeGreaterThan(20);

        var lacking = new ArrayList<String>();
        for (String command : commands) {
            lacking.addAll(lacking("container", command));
        }
        for (String command : List.of("ps", "events", "inspect")) {
            lacking.addAll(lacking(command));
        }
        lacking.addAll(lacking("system", "df"));
        assertThat(lacking).isEmpty();
    }

    @Test
    void every_option_of_a_build_that_is_not_here_is_named_with_what_to_do() throws Exception {
        assertThat(options("build"))
                .contains("--cache-from", "--memory", "-m", "-t")
                .hasSizeGreaterThan(30);
        assertThat(lacking("build")).isEmpty();
    }

    private static Set<String> options(String... command) throws IOException {
        var words = new ArrayList<>(List.of(command));
        words.add("--help");
        Set<String> options = new LinkedHashSet<>();
        for (MatchResult found :
                OPTION.matcher(docker(words.toArray(String[]::new))).results().toList()) {
            options.add(found.group(2));
            if (found.group(1) != null) {
                options.add(found.group(1));
            }
        }
        return options;
    }

    /// Returns the options that are neither here nor refused by name.
    private static List<String> lacking(String... command) throws IOException {
        Set<String> options = options(command);
        CommandLine here = Main.commandLine();
        for (String word : command) {
            here = java.util.Objects.requireNonNull(here.getSubcommands().get(word), word);
        }
        here.getCommandSpec().options().stream()
                .map(OptionSpec::names)
                .flatMap(java.util.Arrays::stream)
                .forEach(options::remove);
        var lacking = new ArrayList<String>();
        for (String option : options) {
            var words = new ArrayList<>(List.of(command));
            words.addAll(List.of(option, "x", "host"));
            String errors = errors(words.toArray(String[]::new));
            if (!errors.startsWith("caisson: OPTION_REFUSED: " + option + ": ")) {
                lacking.add(String.join(" ", command) + " " + option + ": " + errors);
            }
        }
        return lacking;
    }
}
