package dev.caisson.hostaudit.proposals;

import dev.caisson.hostaudit.engines.EngineConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/// The command line of the engine's process, read as its program reads it.
final class EngineFlags {
    private EngineFlags() {}

    /// The command line without the flags that are not to be kept.
    /// @param arguments of the process, its name first
    /// @param keep takes a flag's name as `daemon.json` has it, and its value
    static List<String> kept(List<String> arguments, BiPredicate<String, String> keep) {
        List<String> kept = new ArrayList<>(arguments.subList(0, Math.min(1, arguments.size())));
        for (int at = 1; at < arguments.size(); at++) {
            String argument = arguments.get(at);
            if (!argument.startsWith("-") || argument.equals("--")) {
                kept.add(argument);
                continue;
            }
            List<String> flag = new ArrayList<>(List.of(argument));
            boolean alone = argument.indexOf('=') >= 0 || (!argument.startsWith("--") && argument.length() > 2);
            String name = EngineConfiguration.flags(List.of("", argument))
                    .keySet()
                    .iterator()
                    .next();
            if (!alone && !EngineConfiguration.SWITCHES.contains(name) && at + 1 < arguments.size()) {
                flag.add(arguments.get(++at));
            }
            List<String> read = new ArrayList<>(List.of(""));
            read.addAll(flag);
            String value = EngineConfiguration.flags(read)
                    .getOrDefault(name, List.of(""))
                    .getLast();
            if (keep.test(name, value)) {
                kept.addAll(flag);
            }
        }
        return kept;
    }

    /// A line of `ExecStart`, systemd.service(5): nothing in it is a specifier, a variable or a quote but what
    /// stands there.
    static String execStart(List<String> command) {
        List<String> words = command.stream().map(EngineFlags::word).toList();
        return "ExecStart=" + String.join(" ", words);
    }

    private static String word(String word) {
        String text = word.replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("%", "%%")
                .replace("$", "$$");
        return text.matches("[A-Za-z0-9_./:=@%+,$-]+") ? text : "\"" + text + "\"";
    }
}
