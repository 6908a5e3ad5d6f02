package dev.caisson.secret;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Keeps a store unlocked, locks it again, and changes its key.
public final class StoreKeys {
    private StoreKeys() {}

    /// Keeps the store unlocked, also for other processes and when this one has ended, until [#lock], the
    /// end of `lifetime`, or a restart of the host. The kernel has the key. The unlocker is asked, even if
    /// the store was unlocked.
    ///
    /// @param lifetime of at least a second
    /// @throws SecretException SECRET_STORE_MISSING, SECRET_LOCKED, SECRET_TAMPERED, SECRET_STORAGE
    public static void unlock(Path directory, Unlocker.Prompt prompt, Optional<Duration> lifetime, String user) {
        try (SecretStore store = SecretStore.open(directory, root -> StoreFiles.unlock(root, prompt), step -> {})) {
            store.locked(opened -> {
                UnlockedSession.begin(store.root(), store.identity(), lifetime);
                return store.note(opened, "unlock", user);
            });
        }
    }

    /// Ends what [#unlock] began.
    /// @return false if the store was not unlocked
    /// @throws SecretException SECRET_STORE_MISSING, SECRET_TAMPERED
    public static boolean lock(Path directory, String user) {
        return StoreFiles.guarded(directory, () -> {
            try (StoreDirectory root = StoreFiles.find(directory, step -> {})) {
                Optional<Identity> known = UnlockedSession.find(root);
                boolean ended = UnlockedSession.end(root); // first, whatever becomes of the line in the log
                if (known.isPresent()) {
                    try (SecretStore store = SecretStore.open(directory, _ -> known.get(), step -> {})) {
                        store.locked(opened -> store.note(opened, "lock", user));
                    }
                }
                return ended;
            }
        });
    }

    /// Gives the store another identity, and if wanted another unlocker and other recovery recipients:
    /// every file is written anew, and the store is locked then. After a crash it is as before or as it
    /// was to be. What was copied earlier stays readable for whoever could read it.
    ///
    /// @param next asks for a new passphrase, if there is to be one
    /// @throws SecretException SECRET_STORE_MISSING, SECRET_LOCKED, SECRET_TAMPERED, SECRET_INVALID,
    ///     SECRET_STORAGE
    public static void rekey(Path directory, Rekey wanted, Unlocker.Prompt prompt, Unlocker.Prompt next, String user) {
        rekey(directory, wanted, prompt, next, user, step -> {});
    }

    static void rekey(
            Path directory,
            Rekey wanted,
            Unlocker.Prompt prompt,
            Unlocker.Prompt next,
            String user,
            StoreDirectory.Steps steps) {
        Path absolute = directory.toAbsolutePath().normalize();
        StoreFiles.guarded(absolute, () -> {
            try (SecretStore store = SecretStore.open(directory, prompt);
                    RekeyedStore.Key key = RekeyedStore.Key.make(store, absolute, wanted, next)) {
                return store.locked(opened -> {
                    new RekeyedStore(store, opened, steps).replace(absolute, wanted, key, user);
                    return opened;
                });
            }
        });
    }
}
