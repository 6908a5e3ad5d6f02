package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HiddenLine;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Stack;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The name of a secret and the source of its value: standard input, a file, the terminal, a generator or a program.
/// Never from an argument, which every user of the host can read.
final class NamedValue {
    private static final String COMMAND = "command:";
    private static final String VAULT = "vault://";

    /// Takes a size only if it is attached, so that the name may stand behind the option.
    static final class AttachedSize implements IParameterPreprocessor {
        private static final String USUAL = "43"; // 258 random bits

        @Override
        public boolean preprocess(
                Stack<String> arguments, CommandSpec command, ArgSpec option, Map<String, Object> info) {
            if (" ".equals(info.get("separator"))) {
                arguments.push(USUAL);
            }
            return false;
        }
    }

    @Option(
            names = "--generate",
            arity = "0..1",
            paramLabel = "SIZE",
            preprocessor = AttachedSize.class,
            description = "Generate a random value of SIZE letters, digits, '-' and '_' (default: 43).")
    private @Nullable Integer generate;

    @Option(
            names = "--from",
            paramLabel = "SOURCE",
            description = "Bring the value from SOURCE: 'command:PROGRAM ARGUMENT…', with an absolute path and split at"
                    + " spaces, takes what the program prints within 30 s;"
                    + " 'vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD' asks a Vault or OpenBao server.")
    private @Nullable String from;

    @Mixin
    private final VaultOptions vault = new VaultOptions();

    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "Letters, digits, '.', '_' and '-', at most 63, beginning with a letter or digit.")
    private String name = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "FILE",
            description = "File with the value, '-' for standard input (default: ask at the terminal).")
    private @Nullable String file;

    SecretName name() {
        return new SecretName(name);
    }

    /// Reads the value, whose bytes are taken as they are.
    /// @param store has the token for a source, if it is in one
    SecretValue read(SecretStore store) {
        if (from != null) {
            if (file != null || generate != null) {
                throw CommandException.usage("--from brings the value: give no file and no --generate beside it");
            }
            return brought(from, store);
        }
        vault.requireNone();
        if (generate != null) {
            if (file != null) {
                throw CommandException.usage("--generate makes the value: name no file beside it");
            }
            return SecretValue.generate(generate);
        }
        if (file == null || (file.equals("-") && HiddenLine.isPossible())) {
            Optional<SecretValue> typed = Stores.twice("Value: ");
            return typed.orElseThrow(() -> CommandException.usage(
                    "there is no terminal to ask for the value: give '-' for standard input, a file, or --generate"));
        }
        return file.equals("-") ? standardInput() : file(file);
    }

    /// The message does not repeat the text, which may be the value.
    private SecretValue brought(String text, SecretStore store) {
        if (text.startsWith(VAULT)) {
            return vault.read(text, store);
        }
        vault.requireNone();
        if (!text.startsWith(COMMAND)) {
            throw CommandException.usage("--from takes vault://… or command:PROGRAM and its arguments, as"
                    + " 'command:/usr/bin/pass show db': a value is never an argument, where every user of the host"
                    + " sees it");
        }
        return new ValueSource.Command(
                        List.of(text.substring(COMMAND.length()).strip().split("\\s+")))
                .read();
    }

    private static SecretValue standardInput() {
        try {
            return SecretValue.read(Caller.current().input());
        } catch (IOException e) {
            throw CommandException.usage("standard input could not be read: " + NamedFile.reason(e));
        }
    }

    /// The message does not repeat the operand, which may be the value.
    private static SecretValue file(String name) {
        try {
            return Stores.value(NamedFile.read(name, SecretValue.MOST_BYTES));
        } catch (IOException e) {
            throw CommandException.usage("the file with the value was not read (" + NamedFile.reason(e)
                    + "): a value is never an argument, where every user of the host sees it; give a file, or '-' and"
                    + " the value on standard input");
        }
    }
}
