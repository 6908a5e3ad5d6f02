package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.secret.Recipient;
import dev.caisson.secret.Rekey;
import dev.caisson.secret.StoreKeys;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `caisson secret rekey`: gives the store another identity.
@Command(
        name = "rekey",
        sortOptions = false,
        description = {
            "Give the store another identity and write every file anew for it; if asked to, with another unlocker or other "
                    + "recovery keys. The store is locked then.",
            "A crash leaves the store as it was or as it was to be. Copies that were made before stay readable with the "
                    + "old keys: rotate values that somebody may have."
        },
        footer = {
            "%nA store with a passphrase asks for a new one, or reads the file that CAISSON_SECRET_NEW_PASSPHRASE_FILE names.",
            "%n  caisson secret rekey",
            "  caisson secret rekey --key-file /mnt/usb/new.key --recovery age1…",
            "  caisson secret rekey --no-recovery"
        })
final class SecretRekeyCommand implements Callable<Integer> {
    @Mixin
    private final UnlockerOptions unlockers = new UnlockerOptions();

    @Option(
            names = "--recovery",
            paramLabel = "RECIPIENT",
            description = "Public key age1… in place of those before; may be given several times (default: as before).")
    private List<String> recovery = List.of();

    @Option(names = "--no-recovery", description = "No recovery key from now on.")
    private boolean noRecovery;

    @Override
    public Integer call() {
        if (noRecovery && !recovery.isEmpty()) {
            throw CommandException.usage("--recovery and --no-recovery contradict each other: give one");
        }
        List<Recipient> recipients = recovery.stream().map(Recipient::new).toList();
        Optional<List<Recipient>> wanted =
                noRecovery || !recipients.isEmpty() ? Optional.of(recipients) : Optional.empty();
        StoreKeys.rekey(
                Stores.directory(),
                new Rekey(unlockers.chosen(), wanted, unlockers.sameDisk()),
                Stores::passphrase,
                Stores::newPassphrase,
                Stores.user());
        return 0;
    }
}
