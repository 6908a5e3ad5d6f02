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

/// Waits until records of networks or the packet filter may have changed. If the kernel cannot report that, a wait
/// ends after a fixed time instead. For one thread, except [#wake].
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

    /// @param unheard milliseconds that a wait lasts at most if the kernel cannot report changes
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

    /// Starts to watch: changes from here on end the next wait. Call it before reading what is there.
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

    /// Watches the directory of networks, or the nearest one above it that exists.
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

    /// Waits for a change, or for the longest time that one may go unseen.
    void await() {
        await(Integer.MAX_VALUE);
    }

    /// Waits for a change, at most `most` milliseconds.
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

    /// Reads all news; if some were lost, something has changed too.
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
