package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// `--secret` of a run, in the forms of Docker and Podman: `NAME`, `NAME,target=FILE,uid=…`, `source=NAME,…`.
final class SecretFileOptions {
    private static final String OPTION = "--secret";
    private static final String BELOW = SecretFile.DIRECTORY.absolute() + "/";

    private SecretFileOptions() {}

    static ContainerSpec apply(ContainerSpec spec, List<String> texts) {
        if (texts.isEmpty()) {
            return spec;
        }
        return spec.mount(
                new Mount.Secrets(texts.stream().map(SecretFileOptions::parse).toList()));
    }

    private static SecretFile parse(String text) {
        var words = new ArrayList<>(List.of(text.split(",", -1)));
        String first = words.getFirst();
        if (!first.contains("=")) {
            words.set(0, "source=" + first);
        }
        String source = words.stream()
                .filter(word -> word.startsWith("source=") || word.startsWith("src="))
                .map(word -> word.substring(word.indexOf('=') + 1))
                .findFirst()
                .orElseThrow(
                        () -> CommandException.usage(OPTION + " takes NAME[,target=FILE][,uid=ID][,gid=ID][,mode=0400],"
                                + " not '" + OneLine.of(text) + "'"));
        SecretFile file = SecretFile.of(source);
        for (String word : words) {
            int equals = word.indexOf('=');
            file = equals < 0 ? unknown(word) : with(file, word.substring(0, equals), word.substring(equals + 1));
        }
        return file;
    }

    private static SecretFile with(SecretFile file, String key, String value) {
        return switch (key) {
            case "source", "src" -> file;
            case "target", "dst", "destination" -> file.file(target(value));
            case "uid" -> new SecretFile(file.secret(), file.file(), id(key, value), file.gid(), file.mode());
            case "gid" -> new SecretFile(file.secret(), file.file(), file.uid(), id(key, value), file.mode());
            case "mode" -> file.mode(mode(value));
            case "type" -> {
                if (!value.equals("mount")) {
                    throw variable("type=" + value);
                }
                yield file;
            }
            case "env" -> throw variable("env=" + value);
            default -> unknown(key);
        };
    }

    private static SecretFile unknown(String word) {
        throw CommandException.usage(
                OPTION + " takes source, target, uid, gid and mode, not '" + OneLine.of(word) + "'");
    }

    /// A variable would stand in the plan, in the state directory and in /proc/PID/environ.
    private static CommandException variable(String word) {
        return CommandException.refused(
                OPTION + " with " + OneLine.of(word),
                "a value is not given as a variable, which other programs can read: have the program read the file that"
                        + " NAME_FILE names");
    }

    private static String target(String value) {
        String name = value.startsWith(BELOW) ? value.substring(BELOW.length()) : value;
        if (name.contains("/")) {
            throw CommandException.refused(
                    OPTION + " with target=" + OneLine.of(value),
                    "secrets are files directly below " + SecretFile.DIRECTORY.absolute()
                            + ": give a file name, and have the program read it there");
        }
        return name;
    }

    private static OptionalInt id(String key, String value) {
        if (!value.matches("[0-9]{1,5}")) {
            throw CommandException.usage(OPTION + " takes a number for " + key + ", not '" + OneLine.of(value) + "'");
        }
        return OptionalInt.of(Integer.parseInt(value));
    }

    private static int mode(String value) {
        if (!value.matches("0?[0-7]{3}")) {
            throw CommandException.usage(
                    OPTION + " takes a mode as 0400, in octal digits, not '" + OneLine.of(value) + "'");
        }
        return Integer.parseInt(value, 8);
    }
}
