package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Seen;
import org.jspecify.annotations.Nullable;

/// Keeps containers closed while our tables are gone: tables of its own, which a flush does not take, drop what ours
/// have not judged. They go when this is closed or the process ends.
final class Standby implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Standby.class.getName());

    private final String tables;
    private @Nullable NetlinkSocket owner;
    private boolean refused;

    /// @param tables name of ours
    Standby(String tables) {
        this.tables = tables;
    }

    /// Makes its tables, if they are not there. Ours must be.
    void open() {
        if (owner != null || refused) {
            return;
        }
        NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER);
        try {
            Seen.unseen(tables).commit(socket, "tables that a flush does not take");
            owner = socket;
        } catch (NetlinkException e) {
            socket.close();
            if (!e.is(Errno.EPERM) && !e.is(Errno.EOPNOTSUPP) && !e.is(Errno.EINVAL)) {
                throw e;
            }
            refused = true; // another process has them, or this is Linux before 5.12
            LOG.log(System.Logger.Level.DEBUG, "no tables that a flush does not take", e);
        }
    }

    @Override
    public void close() {
        if (owner != null) {
            owner.close();
            owner = null;
        }
    }
}
