package dev.caisson.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// Scripts that teach a shell the commands, their options, and the names of containers where one belongs.
final class CompletionScripts {
    /// Prints a name a line.
    private static final String NAMES =
            "caisson ps -a --format json 2>/dev/null | sed -n 's/^{\"id\":\"[^\"]*\",\"name\":\"\\([^\"]*\\)\".*/\\1/p'";

    private CompletionScripts() {}

    private static List<String> takeContainers(CommandLine all) {
        return all.getSubcommands().entrySet().stream()
                .filter(command -> command.getValue().getCommandSpec().positionalParameters().stream()
                        .anyMatch(operand -> operand.paramLabel().equals("CONTAINER")))
                .map(java.util.Map.Entry::getKey)
                .toList();
    }

    /// Returns the script for bash, and for zsh with its emulation of bash's completion.
    static String bash(CommandLine all) {
        return AutoComplete.bash("caisson", all)
                + String.format(Locale.ROOT, """

                # Names of containers, where a command takes one.
                _caisson_with_names() {
                  local word=${COMP_WORDS[COMP_CWORD]}
                  if [[ COMP_CWORD -gt 1 && $word != -* ]]; then
                    case ${COMP_WORDS[1]} in
                      workspace)
                        if [[ COMP_CWORD -gt 2 && ${COMP_WORDS[2]} == @(inspect|rm|cp) ]]; then
                          mapfile -t COMPREPLY < <(compgen -W "$(caisson workspace ls -q 2>/dev/null)" -- "$word")
                          return
                        fi
                        ;;
                      snapshot)
                        if [[ COMP_CWORD -gt 2 && ${COMP_WORDS[2]} == @(inspect|rm) ]]; then
                          mapfile -t COMPREPLY < <(compgen -W "$(caisson snapshot ls -q 2>/dev/null)" -- "$word")
                          return
                        fi
                        ;;
                      volume)
                        if [[ COMP_CWORD -gt 2 && ${COMP_WORDS[2]} == @(inspect|rm) ]]; then
                          mapfile -t COMPREPLY < <(compgen -W "$(caisson volume ls -q 2>/dev/null)" -- "$word")
                          return
                        fi
                        ;;
                      %s)
                        mapfile -t COMPREPLY < <(compgen -W "$(%s)" -- "$word")
                        return
                        ;;
                    esac
                  fi
                  _complete_caisson
                }
                complete -F _caisson_with_names -o default caisson
                """, String.join("|", takeContainers(all)), NAMES);
    }

    static String fish(CommandLine all) {
        var lines = new ArrayList<String>();
        lines.add("function __caisson_containers");
        lines.add("  " + NAMES);
        lines.add("end");
        lines.add("complete -c caisson -f -n __fish_use_subcommand");
        addCommands(lines, "__fish_use_subcommand", all);
        for (String command : takeContainers(all)) {
            lines.add("complete -c caisson -f -n " + quoted("__fish_seen_subcommand_from " + command)
                    + " -a '(__caisson_containers)'");
        }
        return String.join("\n", lines) + "\n";
    }

    private static void addCommands(List<String> lines, String condition, CommandLine parent) {
        parent.getSubcommands().forEach((name, command) -> {
            if (command.getCommandSpec().usageMessage().hidden()) {
                return;
            }
            lines.add("complete -c caisson -f -n " + quoted(condition) + " -a " + name + " -d "
                    + quoted(String.join(
                            " ", command.getCommandSpec().usageMessage().description())));
            String inside = (condition.equals("__fish_use_subcommand") ? "" : condition + "; and ")
                    + "__fish_seen_subcommand_from " + name;
            command.getCommandSpec().options().stream()
                    .filter(option -> !option.hidden())
                    .forEach(option -> lines.add(line(inside, option)));
            addCommands(lines, inside, command);
        });
    }

    private static String line(String condition, OptionSpec option) {
        String names = java.util.Arrays.stream(option.names())
                .map(name -> name.startsWith("--") ? "-l " + name.substring(2) : "-s " + name.substring(1))
                .collect(Collectors.joining(" "));
        return "complete -c caisson -n " + quoted(condition) + " " + names
                + (option.arity().max() > 0 ? " -r" : "") + " -d "
                + quoted(String.join(" ", option.description()));
    }

    private static String quoted(String text) {
        return "'" + text.replace("%n", " ").strip().replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
