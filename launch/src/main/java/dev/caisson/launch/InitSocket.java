package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;

/// The socket by which init tells how far it is.
final class InitSocket {
    static final long READY_TIMEOUT_MILLIS = 30_000;

    private InitSocket() {}

    /// @throws HostException INIT_DIED, and LAUNCH_TIMEOUT where the socket has a time limit
    static Sockets.Message receive(Fd control) {
        try {
            Sockets.Message message = Sockets.receive(control, Report.BYTES);
            if (message.isEnd()) {
                throw InitFailures.died();
            }
            return message;
        } catch (ErrnoException e) {
            if (e.is(Errno.EAGAIN)) {
                throw new HostException(
                        "LAUNCH_TIMEOUT",
                        "the container was not ready after " + READY_TIMEOUT_MILLIS / 1000 + " seconds",
                        e);
            }
            throw e;
        }
    }
}
