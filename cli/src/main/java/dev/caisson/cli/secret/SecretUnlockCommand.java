package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.secret.StoreKeys;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson secret unlock`: unlocks the store until it is locked.
@Command(
        name = "unlock",
        sortOptions = false,
        description = {
            "Keep the store unlocked until 'caisson secret lock', the end of --for, or a restart of the host, so that "
                    + "commands and containers need neither passphrase nor key file.",
            "The kernel keeps the key, in memory that is never swapped, and clears it then."
        },
        footer = {"%n  caisson secret unlock --for 8h", "  caisson secret lock"})
final class SecretUnlockCommand implements Callable<Integer> {
    private static final Duration LONGEST = Duration.ofDays(3650);

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            description = "How long, as 30m or 8h (default: until it is locked or the host restarts).")
    private @Nullable String lifetime;

    @Override
    public Integer call() {
        Optional<Duration> wanted = Optional.ofNullable(lifetime).map(text -> OptionText.duration("--for", text));
        if (wanted.isPresent()
                && (wanted.get().compareTo(Duration.ofSeconds(1)) < 0
                        || wanted.get().compareTo(LONGEST) > 0)) {
            throw CommandException.usage("--for takes one second to ten years, not '" + lifetime + "'");
        }
        StoreKeys.unlock(Stores.directory(), Stores::passphrase, wanted, Stores.user());
        return 0;
    }
}
