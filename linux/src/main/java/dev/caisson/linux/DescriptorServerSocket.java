package dev.caisson.linux;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// A listening socket of TCP whose descriptor comes from elsewhere, for code that takes a [ServerSocket]: its
/// calls never wait.
public final class DescriptorServerSocket extends ServerSocket {
    private final Fd listening;
    private final SocketWait wait;
    private final ReentrantLock lock = new ReentrantLock();
    private final int port;
    private volatile boolean ended;

    /// @param listening owned by this from then on
    public DescriptorServerSocket(Fd listening) throws IOException {
        this.listening = listening;
        this.wait = new SocketWait(listening, false);
        this.port = InternetSockets.localAddress(listening).getPort();
    }

    @Override
    public Socket accept() throws IOException {
        lock.lock();
        try {
            while (!ended) {
                Optional<Fd> next = InternetSockets.accept(listening);
                if (next.isPresent()) {
                    return DescriptorSocket.of(next.get());
                }
                wait.await(0);
            }
        } catch (ErrnoException e) {
            throw new SocketException(e.getMessage());
        } finally {
            lock.unlock();
        }
        throw new SocketException("Socket closed");
    }

    @Override
    public boolean isClosed() {
        return ended;
    }

    @Override
    public int getLocalPort() {
        return port;
    }

    /// Ends it, also for whoever waits for a connection.
    @Override
    public synchronized void close() throws IOException {
        super.close();
        ended = true;
        if (listening.isOpen()) {
            Sockets.hangUp(listening);
            lock.lock();
            try {
                listening.close();
            } finally {
                lock.unlock();
            }
        }
    }
}
