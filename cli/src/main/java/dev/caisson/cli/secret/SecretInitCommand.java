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
import picocli.CommandLine.Mixin;
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

    @Mixin
    private final UnlockerOptions unlockers = new UnlockerOptions();

    @Option(
            names = "--recovery",
            paramLabel = "RECIPIENT",
            description = "Public key age1… that can decrypt every file too; may be given several times.")
    private List<String> recovery = List.of();

    @Override
    public Integer call() {
        List<Recipient> recipients = recovery.stream().map(Recipient::new).toList();
        Unlocker unlocker = unlockers.chosen().orElseGet(() -> new Unlocker.KeyFile(USUAL_KEY));
        Path data = Caller.current().directories().data();
        OwnPaths.requireTrustedData(data);
        make(data, "rwxr-xr-x");
        if (unlocker.equals(new Unlocker.KeyFile(USUAL_KEY))) {
            make(USUAL_KEY.getParent(), "rwxr-xr-x");
        }
        SecretStore.make(
                Stores.directory(data),
                new NewStore(unlocker, recipients, unlockers.sameDisk()),
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
