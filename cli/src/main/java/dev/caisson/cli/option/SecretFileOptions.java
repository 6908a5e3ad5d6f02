package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// `--secret` of a run, in the forms of Docker and Podman: `NAME`, `NAME,target=FILE,uid=…`, `source=NAME,…`.
final class SecretFileOptions {
    private static final String OPTION = "--secret";
    private static final String BELOW = SecretFile.DIRECTORY.absolute() + "/";

    private SecretFileOptions() {}

    static ContainerSpec apply(ContainerSpec spec, List<String> texts) {
        ContainerSpec gated = GateOptions.apply(spec, texts);
        List<SecretFile> files = texts.stream()
                .filter(text -> !GateOptions.isGate(text))
                .map(SecretFileOptions::parse)
                .toList();
        files.forEach(SecretFileOptions::warn);
        return files.isEmpty() ? gated : gated.mount(new Mount.Secrets(files));
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
                .orElseThrow(() -> CommandException.usage(OPTION
                        + " takes NAME[,target=FILE][,uid=ID][,gid=ID][,mode=0400][,env=VARIABLE][,on-change=signal:SIGNAL|exec:COMMAND|restart],"
                        + " not '"
                        + OneLine.of(text) + "'"));
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
            case "uid" -> file.owner(id(key, value), file.gid());
            case "gid" -> file.owner(file.uid(), id(key, value));
            case "mode" -> file.mode(mode(value));
            case "type" -> {
                if (!value.equals("mount")) {
                    throw CommandException.refused(
                            OPTION + " with type=" + OneLine.of(value),
                            "a secret is a file, and a variable too if env=VARIABLE asks for one");
                }
                yield file;
            }
            case "env" -> file.asVariable(value);
            case "on-change" -> file.onChange(onChange(value));
            default -> unknown(key);
        };
    }

    private static OnSecretChange onChange(String value) {
        if (value.equals(OnSecretChange.RESTART) || value.startsWith("exec:")) {
            return OnSecretChange.parse(value);
        }
        String signal = value.startsWith("signal:") ? value.substring("signal:".length()) : value;
        return new OnSecretChange.Signal(SignalOptions.number(OPTION + " with on-change", signal));
    }

    private static void warn(SecretFile file) {
        file.asVariable()
                .ifPresent(name -> new PrintWriter(Caller.current().errors(), true, StandardCharsets.UTF_8)
                        .println("caisson: other programs of the same user can read the variable " + name
                                + " in /proc, children inherit it, and reports of errors may have it: better have the"
                                + " program read the file that " + file.variable() + " names"));
    }

    private static SecretFile unknown(String word) {
        throw CommandException.usage(
                OPTION + " takes source, target, uid, gid, mode, env and on-change, not '" + OneLine.of(word) + "'");
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
