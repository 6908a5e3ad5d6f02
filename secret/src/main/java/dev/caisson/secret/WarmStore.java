package dev.caisson.secret;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.LockedMemory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A store that stays open between uses, which makes them ten times as fast: as long as what unlocked it is there, and
/// for ten seconds at most without a use. One that asks for a passphrase or runs a program is opened for each use.
///
/// Once a second it is looked whether it may stay open, and lines of its log are brought to the disk. Safe for use by
/// several threads.
public final class WarmStore implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(WarmStore.class.getName());
    private static final Duration LOOKED_EACH = Duration.ofSeconds(1);
    private static final long IDLE_NANOS = Duration.ofSeconds(10).toNanos();

    private static final class Open {
        private final SecretStore store;
        private final OpenBasis basis;
        private int users;
        private long used = System.nanoTime();

        private Open(SecretStore store, OpenBasis basis) {
            this.store = store;
            this.basis = basis;
        }
    }

    private final Path directory;
    private final Duration each;
    private @Nullable Open open;
    private @Nullable Thread looking;
    private boolean closed;

    /// @param directory of the store, which need not exist yet
    public WarmStore(Path directory) {
        this(directory, LOOKED_EACH);
    }

    WarmStore(Path directory, Duration each) {
        this.directory = directory;
        this.each = each;
    }

    public Path directory() {
        return directory;
    }

    /// Uses the store, which is opened if it is not open. Nobody is asked for a passphrase.
    ///
    /// @throws SecretException as [SecretStore#open], and whatever `action` throws
    public <T> T use(Function<SecretStore, T> action) {
        Optional<OpenBasis> basis = OpenBasis.of(directory);
        Open one = basis.map(this::take).orElse(null);
        if (one == null) {
            SecretStore fresh = SecretStore.open(directory, Optional::empty);
            try {
                // what it was opened by is that from before only if it is the same after
                one = basis.filter(before -> OpenBasis.of(directory).equals(basis))
                        .map(before -> retain(new Open(fresh, before)))
                        .orElse(null);
            } catch (RuntimeException | Error e) {
                close(fresh);
                throw e;
            }
            if (one == null) {
                try (fresh) {
                    return action.apply(fresh);
                }
            }
        }
        try {
            return action.apply(one.store);
        } finally {
            release(one);
        }
    }

    /// Returns the open store if it was opened by that.
    private synchronized @Nullable Open take(OpenBasis basis) {
        Open present = open;
        if (present == null || !present.basis.equals(basis)) {
            return null;
        }
        present.users++;
        present.used = System.nanoTime();
        return present;
    }

    /// Keeps it open in place of the one that is; that one is closed once nobody uses it.
    private synchronized Open retain(Open fresh) {
        fresh.users = 1;
        if (!closed) {
            if (looking == null) { // first: if there is no room for a thread, nothing stays open
                looking = Thread.ofPlatform().daemon().name("caisson secrets").start(this::look);
            }
            fresh.store.remember();
            drop();
            open = fresh;
        }
        return fresh;
    }

    private synchronized void release(Open one) {
        one.users--;
        if (one != open && one.users == 0) {
            close(one.store);
        }
    }

    /// Closes the open one, once nobody uses it.
    private void drop() {
        Open last = open;
        open = null;
        if (last != null && last.users == 0) {
            close(last.store);
        }
    }

    private void look() {
        try {
            boolean stays = true;
            while (stays) {
                Thread.sleep(each);
                stays = lookOnce();
            }
        } catch (InterruptedException e) {
            // it is closed
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "a store of secrets that cannot be looked after is closed", e);
            abandon();
        }
    }

    /// @return false if none is left to look after
    private boolean lookOnce() {
        Optional<Open> found = stays(OpenBasis.of(directory));
        found.ifPresent(one -> {
            try {
                synchronizeLog(one.store);
            } finally {
                release(one);
            }
        });
        return found.isPresent();
    }

    private synchronized void abandon() {
        looking = null;
        drop();
    }

    /// Returns the open store, which is used then; nothing if none is left to look after.
    private synchronized Optional<Open> stays(Optional<OpenBasis> basis) {
        Open present = open;
        if (present != null) {
            boolean idle = present.users == 0 && System.nanoTime() - present.used > IDLE_NANOS;
            if (idle || !basis.equals(Optional.of(present.basis))) {
                drop();
            } else {
                present.users++;
            }
        }
        if (open == null) {
            looking = null;
        }
        return Optional.ofNullable(open);
    }

    /// Closes a store that nobody uses, whose keys are cleared in any case.
    private static void close(SecretStore store) {
        synchronizeLog(store);
        try {
            store.close();
        } catch (SecretException e) {
            LOG.log(System.Logger.Level.DEBUG, "the log of secrets could not be closed", e); // which was said before
        }
        LockedMemory.releaseSpare(); // a host with such memory cannot hibernate
    }

    /// Whoever used the store has its value by then: a log that is gone or cannot be written concerns the host.
    private static void synchronizeLog(SecretStore store) {
        try {
            store.synchronizeLog();
        } catch (ErrnoException e) {
            unsynchronized(e.is(Errno.ENOENT) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING, e);
        } catch (SecretException e) {
            unsynchronized(System.Logger.Level.WARNING, e);
        }
    }

    private static void unsynchronized(System.Logger.Level level, RuntimeException e) {
        LOG.log(level, "the last lines of the log of secrets are not on the disk", e);
    }

    /// True if the store is open. For tests.
    synchronized boolean isOpen() {
        return open != null;
    }

    /// Closes the store.
    @Override
    public synchronized void close() {
        closed = true;
        drop();
        if (looking != null) {
            looking.interrupt();
            looking = null;
        }
    }
}
