package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.secret.SecretException.Code;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// An encrypted store of secrets in a directory, open with its identity.
///
/// Each version of a value is one age file, `s/NAME/VERSION.age`, so that `age -d -i KEY` gives it back
/// without Caisson. Each call takes the store's lock, reads the index and checks it; a change is on the
/// disk as a whole or not at all. Safe for use by several threads.
public final class SecretStore implements AutoCloseable {
    /// The usual name of a store's directory, below a data directory.
    public static final String DIRECTORY = "secrets";

    private static final String REVOKE = "revoke";
    private static final int ID_BYTES = 12;
    private static final int MOST_FORMER = 64 * 1024;
    private static final int MOST_FILE = SecretValue.MOST_BYTES + 64 * 1024;

    private final StoreDirectory root;
    private final Identity identity;
    private final CheckedIndex index;
    private final AccessLog log;
    private @Nullable RememberedKeys remembered;

    SecretStore(StoreDirectory root, Identity identity) {
        this.root = root;
        this.identity = identity;
        index = new CheckedIndex(root, identity);
        log = new AccessLog(root, identity.derive("caisson access log"));
    }

    /// Opens the store and unlocks it. Removes what a write that was cut short has left.
    ///
    /// @throws SecretException SECRET_STORE_MISSING, SECRET_LOCKED, SECRET_TAMPERED
    public static SecretStore open(Path directory, Unlocker.Prompt prompt) {
        return open(directory, prompt, step -> {});
    }

    static SecretStore open(Path directory, Unlocker.Prompt prompt, StoreDirectory.Steps steps) {
        return open(
                directory, root -> UnlockedSession.find(root).orElseGet(() -> StoreFiles.unlock(root, prompt)), steps);
    }

    static SecretStore open(Path directory, Function<StoreDirectory, Identity> key, StoreDirectory.Steps steps) {
        return StoreFiles.guarded(directory, () -> {
            StoreDirectory root = StoreFiles.find(directory, steps);
            try {
                var store = new SecretStore(root, key.apply(root));
                try {
                    store.locked(opened -> {
                        StoreLeftovers.remove(store.root, opened.index());
                        RekeyedStore.removeLeftovers(directory);
                        return opened;
                    });
                    return store;
                } catch (RuntimeException e) {
                    store.close();
                    throw e;
                }
            } catch (RuntimeException e) {
                root.close();
                throw e;
            }
        });
    }

    /// Makes a store, which no directory or file may be in the way of.
    ///
    /// @param prompt asks for the passphrase that the store gets, if it gets one
    /// @param user who asks, for the log
    /// @throws SecretException SECRET_STORE_EXISTS, SECRET_INVALID, SECRET_LOCKED, SECRET_STORAGE
    public static void make(Path directory, NewStore wanted, Unlocker.Prompt prompt, String user) {
        StoreFiles.make(directory.toAbsolutePath().normalize(), wanted, prompt, user);
    }

    /// Reads values that were read before faster, from now on.
    synchronized void remember() {
        remembered = new RememberedKeys(identity);
    }

    Opened note(Opened opened, String action, String user) {
        log.append(opened.end(), action, "", user, opened.index().generation());
        return opened;
    }

    Identity identity() {
        return identity;
    }

    StoreDirectory root() {
        return root;
    }

    AccessLog accessLog() {
        return log;
    }

    /// The index and the end of the log, as they are while the store is locked.
    record Opened(StoreIndex index, AccessLog.End end) {}

    synchronized <T> T locked(Function<Opened, T> action) {
        try (Fd _ = StoreLock.take(root)) {
            StoreFiles.requireNamed(root);
            StoreIndex present = index.read();
            return action.apply(new Opened(present, log.end(present.logged(), present.generation())));
        } catch (ErrnoException e) {
            StoreFiles.requireNamed(root);
            throw StoreFiles.failed(root.shown(), e);
        }
    }

    /// Returns all secrets, by name.
    public List<SecretRecord> list() {
        return locked(opened -> List.copyOf(opened.index().secrets().values()));
    }

    /// Returns the secret of a name.
    /// @throws SecretException SECRET_UNKNOWN
    public SecretRecord find(SecretName name) {
        return locked(opened -> require(opened, name));
    }

    private static SecretRecord require(Opened opened, SecretName name) {
        return opened.index()
                .find(name)
                .orElseThrow(() -> new SecretException(
                        Code.SECRET_UNKNOWN,
                        "there is no secret " + name
                                + ": 'caisson secret ls' lists them, 'caisson secret create' makes one"));
    }

    /// Stores the first version of a secret, for every container.
    ///
    /// @param lifetime after which a version is no longer handed out
    /// @param user who asks, for the log
    /// @throws SecretException SECRET_EXISTS, SECRET_INVALID
    public SecretRecord create(
            SecretName name, SecretValue value, Map<String, String> labels, Optional<Duration> lifetime, String user) {
        return create(name, value, new SecretTerms(labels, lifetime, SecretAccess.ANY, Optional.empty()), user);
    }

    /// Stores the first version of a secret.
    ///
    /// @param user who asks, for the log
    /// @throws SecretException SECRET_EXISTS, SECRET_INVALID
    public SecretRecord create(SecretName name, SecretValue value, SecretTerms terms, String user) {
        SecretValue.requireSize(value.size());
        return locked(opened -> {
            if (opened.index().find(name).isPresent()) {
                throw new SecretException(
                        Code.SECRET_EXISTS,
                        "the secret " + name + " exists: 'caisson secret rotate " + name + "' gives it a new value");
            }
            List<SecretVersion> first = List.of(write(opened, name, 1, value, terms.lifetime()));
            String id = HexFormat.of().formatHex(KernelRandom.bytes(ID_BYTES));
            var made = new SecretRecord(name, id, 1, first, terms.labels(), terms.access(), terms.source());
            return commit(opened, made, "create", user);
        });
    }

    /// Stores a new version, which becomes the current one. A secret that was bound to a source is so no more.
    ///
    /// @param lifetime as that of the version before if empty
    /// @throws SecretException SECRET_UNKNOWN, SECRET_INVALID
    public SecretRecord rotate(SecretName name, SecretValue value, Optional<Duration> lifetime, String user) {
        return rotate(name, value, lifetime, Optional.empty(), user);
    }

    /// Stores a new version, which becomes the current one.
    ///
    /// @param lifetime as that of the version before if empty
    /// @param source that the secret is bound to from now on
    /// @throws SecretException SECRET_UNKNOWN, SECRET_INVALID
    public SecretRecord rotate(
            SecretName name,
            SecretValue value,
            Optional<Duration> lifetime,
            Optional<BoundSource> source,
            String user) {
        SecretValue.requireSize(value.size());
        return locked(opened -> rotate(opened, require(opened, name).withSource(source), value, lifetime, user));
    }

    /// Stores what a bound secret's source has, unless the secret was changed since it was looked at.
    /// @return true if it was stored
    boolean renew(SecretRecord before, SecretValue value, String user) {
        SecretValue.requireSize(value.size());
        return locked(opened -> {
            boolean same = opened.index().find(before.name()).equals(Optional.of(before));
            if (same) {
                rotate(opened, before, value, Optional.empty(), user);
            }
            return same;
        });
    }

    private SecretRecord rotate(
            Opened opened, SecretRecord secret, SecretValue value, Optional<Duration> lifetime, String user) {
        SecretVersion last = secret.versions().getLast();
        Optional<Duration> before = last.expires().map(expires -> Duration.between(last.created(), expires));
        SecretVersion next = write(opened, secret.name(), secret.nextNumber(), value, lifetime.or(() -> before));
        SecretRecord changed = commit(opened, secret.with(next), "rotate", user);
        StoreLeftovers.remove(root, changed);
        return changed;
    }

    /// Hands out an earlier version again.
    /// @throws SecretException SECRET_UNKNOWN; SECRET_INVALID if the secret is bound to a source
    public SecretRecord rollback(SecretName name, int version, String user) {
        return locked(opened -> {
            SecretRecord secret = require(opened, name);
            SecretVersion _ = secret.require(version);
            if (secret.source().isPresent()) {
                throw SecretException.invalid("the secret " + name + " is bound to a source, which is read again at the"
                        + " next start: 'caisson secret rotate " + name + "' with a value of its own ends that");
            }
            return commit(opened, secret.withCurrent(version), "rollback", user);
        });
    }

    /// Changes which containers may be given a secret; those that have it keep it.
    /// @throws SecretException SECRET_UNKNOWN
    public SecretRecord restrict(SecretName name, SecretAccess access, String user) {
        return locked(opened -> commit(opened, require(opened, name).withAccess(access), "restrict", user));
    }

    /// Reads the current value for a container, and logs that it was given or denied.
    ///
    /// @param allowed whether the container may have it
    /// @throws SecretException SECRET_UNKNOWN, SECRET_EXPIRED, SECRET_DENIED, SECRET_TAMPERED
    public SecretValue deliver(SecretName name, Predicate<SecretAccess> allowed, String user) {
        return locked(opened -> {
            if (!allowed.test(require(opened, name).access())) {
                log.append(
                        opened.end(), "deny", name.text(), user, opened.index().generation());
                throw new SecretException(
                        Code.SECRET_DENIED,
                        "the secret " + name + " is not for this container: 'caisson secret inspect " + name
                                + "' shows for which images, names and labels it is, 'caisson secret access' changes"
                                + " that");
            }
            return read(opened, name, Optional.empty(), "deliver", user);
        });
    }

    /// Removes a secret with all its versions; containers retain what they have.
    /// @throws SecretException SECRET_UNKNOWN
    public void remove(SecretName name, String user) {
        remove(name, "remove", user);
    }

    /// Removes a secret with all its versions, which containers that run lose too.
    /// @throws SecretException SECRET_UNKNOWN
    public void revoke(SecretName name, String user) {
        remove(name, REVOKE, user);
    }

    /// True if the store has no secret of a name because the last one was revoked.
    public boolean isRevoked(SecretName name) {
        return locked(opened -> opened.index().find(name).isEmpty()
                && log.entries(opened.index().logged()).reversed().stream()
                        .filter(entry -> entry.secret().equals(name.text()))
                        .findFirst()
                        .filter(entry -> entry.action().equals(REVOKE))
                        .isPresent());
    }

    private void remove(SecretName name, String action, String user) {
        locked(opened -> {
            SecretRecord secret = require(opened, name);
            StoreIndex next = opened.index().without(name, opened.end());
            index.write(next);
            log.append(opened.end(), action, name.text(), user, next.generation());
            StoreLeftovers.remove(root, secret.withVersions(List.of()));
            return next;
        });
    }

    /// Reads the value of a version, the current one if none is named, and logs that.
    ///
    /// @param action for the log, as `deliver`
    /// @param user who gets it
    /// @throws SecretException SECRET_UNKNOWN, SECRET_EXPIRED, SECRET_TAMPERED
    public SecretValue read(SecretName name, Optional<Integer> version, String action, String user) {
        return locked(opened -> read(opened, name, version, action, user));
    }

    private SecretValue read(Opened opened, SecretName name, Optional<Integer> version, String action, String user) {
        SecretRecord secret = require(opened, name);
        SecretVersion wanted = secret.require(version.orElse(secret.current()));
        if (wanted.isExpired(Instant.now())) {
            throw new SecretException(
                    Code.SECRET_EXPIRED,
                    "version " + wanted.number() + " of the secret " + name + " has expired at "
                            + wanted.expires().orElseThrow() + ": 'caisson secret rotate " + name
                            + "' gives it a new value");
        }
        SecretValue value = readFile(name, wanted);
        try {
            long generation = opened.index().generation();
            log.appendSoon(opened.end(), action, name + "@" + wanted.number(), user, generation);
            return value;
        } catch (RuntimeException e) {
            value.close();
            throw e;
        }
    }

    /// Reads all versions of all values, also expired ones, to look for them elsewhere; one entry of
    /// the log for `*`.
    ///
    /// @param action for the log, as `scan`
    /// @throws SecretException SECRET_TAMPERED
    public StoredValues values(String action, String user) {
        return locked(opened -> {
            List<SecretRecord> all = List.copyOf(opened.index().secrets().values());
            StoredValues values = StoredValues.of(all, this::readFile);
            try {
                log.appendSoon(opened.end(), action, "*", user, opened.index().generation());
                return values;
            } catch (RuntimeException e) {
                values.close();
                throw e;
            }
        });
    }

    /// Reads the versions that are not current, newest first, to take them out of what `user` prints that may have had
    /// them: as many as have 64 KiB together.
    ///
    /// @return values, which are the caller's to close
    public List<SecretValue> former(SecretName name, String user) {
        return locked(opened -> {
            SecretRecord secret = require(opened, name);
            if (secret.versions().size() > 1) {
                long generation = opened.index().generation();
                log.appendSoon(opened.end(), "redact", name.text(), user, generation);
            }
            return StoredValues.former(secret, MOST_FORMER, this::readFile);
        });
    }

    SecretValue readFile(SecretName name, SecretVersion version) {
        String file = StoreFiles.SECRETS + "/" + name + "/" + StoreFiles.fileName(version.number());
        try (StoreDirectory secrets = root.findChild(StoreFiles.SECRETS).orElseThrow(() -> index.changed(file));
                StoreDirectory directory = secrets.findChild(name.text()).orElseThrow(() -> index.changed(file))) {
            byte[] bytes = directory
                    .read(StoreFiles.fileName(version.number()), MOST_FILE)
                    .orElseThrow(() -> index.changed(file));
            if (!StoreFiles.digest(bytes).equals(version.digest())) {
                throw index.changed(file);
            }
            return remembered == null ? AgeFile.decrypt(bytes, identity) : remembered.decrypt(version.digest(), bytes);
        } catch (MalformedAgeException e) {
            throw index.changed(file);
        }
    }

    /// True if a value is that of the current version. No line of the log is written, as nobody gets it.
    /// @throws SecretException SECRET_UNKNOWN, SECRET_TAMPERED
    public boolean isCurrent(SecretName name, SecretValue value) {
        return locked(opened -> {
            try (SecretValue stored = readFile(name, require(opened, name).currentVersion())) {
                return stored.isSame(value);
            }
        });
    }

    /// Returns the entries of the access log that are retained, oldest first, each checked.
    /// @throws SecretException SECRET_TAMPERED
    public List<AccessEntry> log() {
        return locked(opened -> log.entries(opened.index().logged()));
    }

    /// Returns for whom the store's files are encrypted: its own identity first, then the recovery
    /// recipients.
    public List<Recipient> recipients() {
        return locked(opened -> opened.index().recipients());
    }

    private SecretVersion write(
            Opened opened, SecretName name, int number, SecretValue value, Optional<Duration> lifetime) {
        byte[] file = AgeFile.encrypt(value, opened.index().recipients());
        try (StoreDirectory secrets = root.child(StoreFiles.SECRETS);
                StoreDirectory directory = secrets.child(name.text())) {
            directory.write(StoreFiles.fileName(number), file);
            secrets.synchronize(name.text());
        }
        Instant now = Instant.ofEpochMilli(System.currentTimeMillis());
        return new SecretVersion(number, now, lifetime.map(now::plus), StoreFiles.digest(file));
    }

    private SecretRecord commit(Opened opened, SecretRecord secret, String action, String user) {
        StoreIndex next = opened.index().with(secret, opened.end());
        index.write(next);
        log.append(opened.end(), action, secret.name() + "@" + secret.current(), user, next.generation());
        return secret;
    }

    /// Brings the log to the disk; what is read and written meanwhile does not wait.
    void synchronizeLog() {
        Optional<Fd> unsynchronized;
        synchronized (this) {
            unsynchronized = log.unsynchronized();
        }
        unsynchronized.ifPresent(found -> {
            try (Fd file = found) {
                FileSystem.synchronize(file);
            }
        });
    }

    /// Brings the log to the disk and clears the store's keys.
    @Override
    public synchronized void close() {
        try {
            log.synchronize();
        } catch (ErrnoException e) {
            throw StoreFiles.failed(root.shown(), e);
        } finally {
            index.close();
            log.close();
            if (remembered != null) {
                remembered.close();
            }
            identity.close();
            root.close();
        }
    }
}
