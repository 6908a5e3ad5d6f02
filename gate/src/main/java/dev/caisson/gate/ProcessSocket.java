package dev.caisson.gate;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// An engine's end of the socket to a gate's process, used by many threads. Nobody can send to it once it is closed, so
/// that no answer goes to whoever has got its number since.
final class ProcessSocket implements AutoCloseable {
    private final Fd socket;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    /// @param patienceMillis until a message fails that the process does not read
    ProcessSocket(Fd socket, long patienceMillis) {
        this.socket = socket;
        Sockets.sendTimeout(socket, patienceMillis); // it might read no more
    }

    /// Waits for the next message. For one thread, which is the one that closes this.
    Sockets.Message receive(int most) {
        return Sockets.receive(socket, most);
    }

    /// Sends a message; none if it is closed.
    ///
    /// @return false if the process has ended, or does not read
    boolean send(byte[] message, List<Fd> descriptors) {
        lock.readLock().lock();
        try {
            if (!socket.isOpen()) {
                return false;
            }
            Sockets.send(socket, message, descriptors);
            return true;
        } catch (ErrnoException e) {
            return false;
        } finally {
            lock.readLock().unlock();
        }
    }

    /// Ends it, for whoever waits for a message too.
    ///
    /// @return false if it is closed
    boolean hangUp() {
        lock.readLock().lock();
        try {
            if (!socket.isOpen()) {
                return false;
            }
            Sockets.hangUp(socket);
            return true;
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            socket.close();
        } finally {
            lock.writeLock().unlock();
        }
    }
}
