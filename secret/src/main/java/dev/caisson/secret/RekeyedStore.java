package dev.caisson.secret;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.secret.SecretException.Code;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;

/// A store written anew for another identity. It is made beside the old one as a whole; then the two
/// exchange their names, at once, and the old one is removed.
final class RekeyedStore {
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final int PRIVATE = 0700;
    private static final int RANDOM = 8;

    private final SecretStore store;
    private final SecretStore.Opened opened;
    private final StoreDirectory.Steps steps;

    /// @param store whose lock is held
    RekeyedStore(SecretStore store, SecretStore.Opened opened, StoreDirectory.Steps steps) {
        this.store = store;
        this.opened = opened;
        this.steps = steps;
    }

    private static String prefix(Path directory) {
        return "." + Unlocking.fileName(directory) + "-rekey-";
    }

    /// Removes what a change of the identity that was cut short has left. The store's lock is held.
    static void removeLeftovers(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        try (Fd parent = FileSystem.open(Unlocking.parent(absolute).toString(), READ)) {
            DirectoryEntries.of(parent).stream()
                    .filter(name -> name.startsWith(prefix(absolute)))
                    .forEach(name -> FileSystem.removeTree(parent, name));
        }
    }

    /// The identity that a store gets, and how it is unlocked.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Key(Identity identity, Unlocker unlocker, byte[] wrapped) implements AutoCloseable {
        /// Makes one, which may ask somebody or run a program, so nobody has the store's lock meanwhile.
        static Key make(SecretStore store, Path directory, Rekey wanted, Unlocker.Prompt next) {
            Unlocker unlocker = wanted.unlocker().orElseGet(() -> StoreFiles.unlocker(store.root()));
            try (Fd parent = FileSystem.open(Unlocking.parent(directory).toString(), READ)) {
                StoreFiles.requireApart(
                        parent, unlocker, wanted.sameDisk() || wanted.unlocker().isEmpty());
            }
            Identity identity = Identity.generate();
            try {
                wanted.recovery().ifPresent(recovery -> StoreFiles.recipients(identity, recovery)); // or it is refused
                return new Key(identity, unlocker, Unlocking.wrap(identity, unlocker, next));
            } catch (RuntimeException | Error e) {
                identity.close();
                throw e;
            }
        }

        @Override
        public void close() {
            identity.close();
        }
    }

    /// @param directory absolute
    void replace(Path directory, Rekey wanted, Key key, String user) {
        String temporary = prefix(directory) + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM));
        List<Recipient> before = opened.index().recipients();
        List<Recipient> recovery = wanted.recovery().orElse(before.subList(1, before.size()));
        List<Recipient> recipients = StoreFiles.recipients(key.identity(), recovery);
        try (Fd parent = FileSystem.open(Unlocking.parent(directory).toString(), READ)) {
            FileSystem.makeDirectory(parent, temporary, PRIVATE);
            try (var made = new StoreDirectory(
                    FileSystem.openAt(parent, temporary, READ, 0, FileSystem.RESOLVE_BENEATH),
                    directory.toString(),
                    steps)) {
                StoreFiles.writeKeys(made, recipients, key.unlocker(), key.wrapped());
                fill(made, key.identity(), recipients, user);
                exchange(parent, made, Unlocking.fileName(directory), temporary);
            } catch (RuntimeException e) {
                // the new one if it did not get its name, else the old one
                FileSystem.removeTree(parent, temporary);
                throw e;
            }
        }
    }

    private void fill(StoreDirectory made, Identity identity, List<Recipient> recipients, String user) {
        var secrets = new TreeMap<SecretName, SecretRecord>();
        for (SecretRecord secret : opened.index().secrets().values()) {
            secrets.put(secret.name(), copy(made, secret, recipients));
        }
        long generation = opened.index().generation() + 1;
        try (var log = new AccessLog(made, identity.derive("caisson access log"))) {
            AccessLog.End end =
                    log.write(store.accessLog().entries(opened.index().logged()));
            StoreFiles.writeIndex(made, new StoreIndex(generation, recipients, end, secrets), identity);
            log.append(end, "rekey", "", user, generation);
        }
        made.write(StoreFiles.FORMAT, StoreFiles.FORMAT_TEXT);
    }

    private SecretRecord copy(StoreDirectory made, SecretRecord secret, List<Recipient> recipients) {
        try (StoreDirectory secrets = made.child(StoreFiles.SECRETS);
                StoreDirectory directory = secrets.child(secret.name().text())) {
            List<SecretVersion> versions = secret.versions().stream()
                    .map(version -> {
                        try (SecretValue value = store.readFile(secret.name(), version)) {
                            byte[] file = AgeFile.encrypt(value, recipients);
                            directory.write(StoreFiles.fileName(version.number()), file);
                            return new SecretVersion(
                                    version.number(), version.created(), version.expires(), StoreFiles.digest(file));
                        }
                    })
                    .toList();
            secrets.synchronize(secret.name().text());
            return secret.withVersions(versions);
        }
    }

    /// Whoever opens the new one waits until the old one is gone, as this has its lock.
    private void exchange(Fd parent, StoreDirectory made, String name, String temporary) {
        try (Fd lock = made.openOrMake("lock", FileSystem.O_RDWR)) {
            if (!FileLocks.tryLock(lock)) {
                throw new IllegalStateException("somebody has the lock of a store that nobody knows");
            }
            steps.reached("exchange");
            FileSystem.exchange(parent, name, temporary);
            FileSystem.synchronize(parent);
            UnlockedSession.end(store.root());
            steps.reached("remove");
            FileSystem.removeTree(parent, temporary);
        } catch (ErrnoException e) {
            if (e.is(Errno.EINVAL)) {
                throw new SecretException(
                        Code.SECRET_STORAGE,
                        "the file system of " + store.root().shown()
                                + " cannot exchange two directories: move the store to ext4, xfs or btrfs",
                        e);
            }
            throw e;
        }
    }
}
