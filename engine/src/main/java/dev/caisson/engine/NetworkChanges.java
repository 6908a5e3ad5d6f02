package dev.caisson.engine;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Inotify;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.Polling;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Waits until something may have changed that is recorded of networks, or the packet filter has, so that whoever
/// looks after them sleeps meanwhile. Where the kernel does not tell, it looks as often as before. For one thread, but
/// [#wake].
final class NetworkChanges implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NetworkChanges.class.getName());
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_CLOEXEC;
    /// `linux/netfilter/nfnetlink.h`: changes of nftables.
    private static final int NFNLGRP_NFTABLES = 7;

    private static final int RECORDS = 1;
    private static final int FILTER = 2;
    private static final int LONGEST_MILLIS = 5_000;
    private static final int LONGEST_WITHOUT_NETWORKS_MILLIS = 30_000;

    private final EngineOptions options;
    private final int unheard;
    private final Polling polling = new Polling();
    private @Nullable Inotify records;
    private @Nullable NetlinkSocket filter;

    /// @param unheard milliseconds after which to look where the kernel does not tell
    NetworkChanges(EngineOptions options, int unheard) {
        this.options = options;
        this.unheard = unheard;
        try {
            records = Inotify.open();
            records.tell(polling, RECORDS);
        } catch (ErrnoException e) {
            silent(e);
        }
    }

    private static void silent(ErrnoException e) {
        LOG.log(System.Logger.Level.DEBUG, "changes of networks are looked for many times a second", e);
    }

    /// Makes sure that what changes from here on ends the next wait: to be called before the look at what is there.
    void watch() {
        if (records != null) {
            try {
                watchDirectory(records);
            } catch (ErrnoException e) {
                records.close();
                records = null;
                silent(e);
            }
        }
        if (filter == null && HostNetworks.hasAny(options)) {
            openFilter();
        }
    }

    private void openFilter() {
        NetlinkSocket opened;
        try {
            opened = NetlinkSocket.open(NetlinkSocket.NETFILTER);
        } catch (ErrnoException e) {
            silent(e);
            return;
        }
        try {
            opened.join(NFNLGRP_NFTABLES);
            polling.watchReadable(opened.descriptor(), FILTER);
            filter = opened;
        } catch (ErrnoException e) {
            opened.close();
            silent(e);
        }
    }

    /// The directory of networks, or the nearest above it that is there.
    private void watchDirectory(Inotify queue) {
        for (Path directory = options.networks(); directory != null; directory = directory.getParent()) {
            try (Fd open = FileSystem.open(directory.toString(), DIRECTORY)) {
                queue.watch(open);
                return;
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
            }
        }
    }

    /// Waits for a change, or as long as one may go by unseen.
    void await() {
        await(Integer.MAX_VALUE);
    }

    /// Waits for a change, and no longer than so many milliseconds.
    void await(int most) {
        boolean hasAny = HostNetworks.hasAny(options);
        boolean tells = records != null && (filter != null || !hasAny);
        int longest = hasAny ? LONGEST_MILLIS : LONGEST_WITHOUT_NETWORKS_MILLIS;
        for (Polling.Event event : polling.await(Math.min(most, tells ? longest : unheard))) {
            if (event.key() == RECORDS && records != null) {
                records.changes();
            } else if (event.key() == FILTER && filter != null) {
                drain(filter);
            }
        }
    }

    /// What was lost says no less than what is there: something has changed.
    private static void drain(NetlinkSocket news) {
        while (news.news().map(some -> !some.isEmpty()).orElse(true)) {
            // the next
        }
    }

    /// Ends a wait.
    void wake() {
        polling.wake();
    }

    @Override
    public void close() {
        if (records != null) {
            records.close();
        }
        if (filter != null) {
            filter.close();
        }
        polling.close();
    }
}
