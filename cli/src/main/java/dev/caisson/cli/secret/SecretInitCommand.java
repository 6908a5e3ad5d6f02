package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.Recipient;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.Unlocker;
import dev.caisson.state.OwnPaths;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson secret init`: makes the store.
@Command(
        name = "init",
        sortOptions = false,
        description =
                "Make the store of secrets, below the data directory. What unlocks it is a key file unless said otherwise.",
        footer = {
            "%nA recovery key is made with 'age-keygen -o recovery.key' and kept offline; with it 'age -d' reads every value.",
            "%n  caisson secret init --key-file /mnt/usb/caisson.key --recovery age1…",
            "  caisson secret init --passphrase",
            "  caisson secret init --unlock-command '/usr/bin/systemd-creds decrypt /etc/caisson/secrets.cred -'"
        })
final class SecretInitCommand implements Callable<Integer> {
    private static final Path USUAL_KEY = Path.of("/etc/caisson/secrets.key");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description =
                    "Age identity that unlocks the store; made if it does not exist (default: /etc/caisson/secrets.key).")
    private @Nullable Path keyFile;

    @Option(names = "--passphrase", description = "Passphrase that is asked for each time the store is used.")
    private boolean passphrase;

    @Option(
            names = "--unlock-command",
            paramLabel = "COMMAND",
            description = "Program, with an absolute path, and arguments, split at spaces; it prints an age identity.")
    private @Nullable String command;

    @Option(
            names = "--recovery",
            paramLabel = "RECIPIENT",
            description = "Public key age1… that can decrypt every file too; may be given several times.")
    private List<String> recovery = List.of();

    @Option(names = "--same-disk", description = "Accept a key file on the file system of the store.")
    private boolean sameDisk;

    @Override
    public Integer call() {
        List<Recipient> recipients = recovery.stream().map(Recipient::new).toList();
        Unlocker unlocker = unlocker();
        Path data = Caller.current().directories().data();
        OwnPaths.requireTrustedData(data);
        make(data, "rwxr-xr-x");
        if (unlocker.equals(new Unlocker.KeyFile(USUAL_KEY))) {
            make(USUAL_KEY.getParent(), "rwxr-xr-x");
        }
        SecretStore.make(
                Stores.directory(data),
                new NewStore(unlocker, recipients, sameDisk),
                Stores::newPassphrase,
                Stores.user());
        PrintWriter out = spec.commandLine().getOut();
        out.println(Stores.directory(data));
        if (recipients.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("caisson: no --recovery was given, so all values are lost with "
                            + (unlocker instanceof Unlocker.KeyFile file ? file.path() : "what unlocks the store")
                            + ": keep a copy of it offline");
        }
        return 0;
    }

    private Unlocker unlocker() {
        int given = (keyFile == null ? 0 : 1) + (passphrase ? 1 : 0) + (command == null ? 0 : 1);
        if (given > 1) {
            throw CommandException.usage("a store has one of --key-file, --passphrase and --unlock-command: give one");
        }
        if (passphrase) {
            return new Unlocker.Passphrase();
        }
        if (command != null) {
            return new Unlocker.Command(List.of(command.strip().split("\\s+")));
        }
        Path key = keyFile == null ? USUAL_KEY : keyFile;
        return new Unlocker.KeyFile(Caller.current().absolute(key).orElse(key));
    }

    private static void make(@Nullable Path directory, String mode) {
        if (directory == null) {
            return;
        }
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
        } catch (IOException e) {
            throw new CommandException(
                    "SECRET_STORAGE",
                    CommandException.ENGINE_FAILED,
                    directory + " could not be made (" + e.getMessage()
                            + "): run it as root, or name another directory",
                    e);
        }
    }
}
