package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HiddenLine;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.gate.HostTrust;
import dev.caisson.secret.BoundSource;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
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
                    + " spaces, takes what the program prints within 30 s; 'file:PATH' reads a file of mode 0400;"
                    + " 'vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD' asks a Vault or OpenBao server.")
    private @Nullable String from;

    @Option(
            names = "--bind",
            description =
                    "Bind the secret to the source of --from, which is read again at each start of a container that"
                            + " has the secret, and when a version has expired. A source that cannot be read refuses the start.")
    private boolean bind;

    @Option(
            names = "--or-last",
            description = "With --bind: hand out the last value that has not expired if the source cannot be read.")
    private boolean orLast;

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

    /// Returns the source that the secret is to be bound to.
    Optional<BoundSource> bound() {
        if (!bind && orLast) {
            throw CommandException.usage("--or-last is for a secret that is bound to its source: give --bind too");
        }
        if (!bind) {
            return Optional.empty();
        }
        if (from == null) {
            throw CommandException.usage("--bind binds the secret to the source of --from: give that too");
        }
        return Optional.of(vault.source(from, orLast));
    }

    /// Returns false if neither an option nor an operand says where the value comes from.
    boolean isGiven() {
        return from != null || generate != null || file != null;
    }

    /// Reads the value, whose bytes are taken as they are.
    /// @param store has the token for a source, if it is in one
    SecretValue read(SecretStore store) {
        if (from != null) {
            if (file != null || generate != null) {
                throw CommandException.usage("--from brings the value: give no file and no --generate beside it");
            }
            return vault.source(from, orLast).read(store, HostTrust::context, Stores.user());
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
