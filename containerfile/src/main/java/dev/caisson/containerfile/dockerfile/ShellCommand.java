package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Place;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// One simple command of a shell script.
/// @param words the program and its arguments, wrappers such as `sudo` still before it
/// @param assignments variables set before the program's name
/// @param redirections the files that its output is written to
/// @param pipedFrom the command whose output it reads
public record ShellCommand(
        List<Word> words,
        List<Word> assignments,
        List<Word> redirections,
        Optional<ShellCommand> pipedFrom,
        Place place) {
    private static final Set<String> WRAPPERS = Set.of(
            "sudo",
            "doas",
            "env",
            "exec",
            "command",
            "nohup",
            "time",
            "nice",
            "ionice",
            "eatmydata",
            "builtin",
            "gosu",
            "su-exec",
            "timeout",
            "stdbuf",
            "setarch",
            "tini",
            "dumb-init",
            "chronic");
    /// Wrappers whose first word is theirs: an account, or a time.
    private static final Set<String> WRAPPERS_WITH_WORD = Set.of("gosu", "su-exec", "timeout");

    private static final Map<String, Set<String>> WRAPPER_OPTIONS_WITH_VALUE = Map.of(
            "sudo", Set.of("-u", "-g", "--user", "--group"),
            "doas", Set.of("-u"),
            "env", Set.of("-u", "-C", "--unset", "--chdir"),
            "nice", Set.of("-n"),
            "timeout", Set.of("-k", "-s", "--kill-after", "--signal"),
            "exec", Set.of("-a"));

    /// The program's name without its directory and without wrappers; empty for a bare assignment.
    public String name() {
        int at = programIndex();
        return at < words.size() ? baseName(words.get(at).value()) : "";
    }

    /// The words after the program's name.
    public List<Word> argumentWords() {
        int at = programIndex();
        return at + 1 < words.size() ? words.subList(at + 1, words.size()) : List.of();
    }

    public List<String> arguments() {
        return argumentWords().stream().map(Word::value).toList();
    }

    /// True if the first word, or a wrapper, is `program`.
    public boolean wrappedIn(String program) {
        return words.subList(0, Math.min(programIndex(), words.size())).stream()
                .anyMatch(word -> baseName(word.value()).equals(program));
    }

    /// True if one of the names stands as an option: `--long`, or a letter in a group as `-fsSLk`.
    public boolean hasOption(String... names) {
        return option(names).isPresent();
    }

    /// The word that holds one of the options.
    public Optional<Word> option(String... names) {
        for (Word word : argumentWords()) {
            String value = word.value();
            if (value.equals("--")) {
                return Optional.empty();
            }
            for (String name : names) {
                if (isOption(value, name)) {
                    return Optional.of(word);
                }
            }
        }
        return Optional.empty();
    }

    /// The value of an option, attached (`-u0`, `--uid=0`) or as the next word.
    public Optional<String> optionValue(String... names) {
        List<String> arguments = arguments();
        for (int at = 0; at < arguments.size(); at++) {
            String word = arguments.get(at);
            for (String name : names) {
                if (word.equals(name)) {
                    return at + 1 < arguments.size() ? Optional.of(arguments.get(at + 1)) : Optional.empty();
                }
                if (name.startsWith("--") && word.startsWith(name + "=")) {
                    return Optional.of(word.substring(name.length() + 1));
                }
                if (!name.startsWith("--") && word.startsWith(name) && word.length() > name.length()) {
                    return Optional.of(word.substring(name.length()));
                }
            }
        }
        return Optional.empty();
    }

    private int programIndex() {
        int at = 0;
        while (at < words.size() && WRAPPERS.contains(baseName(words.get(at).value()))) {
            String wrapper = baseName(words.get(at).value());
            Set<String> valued = WRAPPER_OPTIONS_WITH_VALUE.getOrDefault(wrapper, Set.of());
            boolean word = WRAPPERS_WITH_WORD.contains(wrapper);
            at++;
            while (at < words.size()) {
                String value = words.get(at).value();
                boolean assignment = wrapper.equals("env") && value.indexOf('=') > 0;
                boolean option = value.startsWith("-");
                if (!option && !assignment && !word) {
                    break;
                }
                word &= option || assignment;
                at += valued.contains(value) ? 2 : 1;
            }
        }
        return at;
    }

    private static boolean isOption(String word, String name) {
        if (name.startsWith("--")) {
            return word.equals(name) || word.startsWith(name + "=");
        }
        if (name.length() == 2) {
            return word.length() > 1
                    && word.charAt(0) == '-'
                    && word.charAt(1) != '-'
                    && word.indexOf(name.charAt(1)) > 0
                    && word.chars().skip(1).allMatch(Character::isLetterOrDigit);
        }
        return word.equals(name);
    }

    private static String baseName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
