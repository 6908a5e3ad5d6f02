package dev.caisson.build;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/// Lends the keys of an SSH agent to one `RUN`: a socket of the build's own that passes two requests on, to list keys
/// and to sign with one, and fails every other one, so that no key is added, removed or locked
/// (draft-ietf-sshm-ssh-agent, section 3). Nothing is kept of what passes.
final class AgentRelay implements AutoCloseable {
    private static final String NAME = "agent";
    private static final int MOST_CONNECTIONS = 16;
    /// OpenSSH's own limit of a message.
    private static final int LARGEST = 256 << 10;

    private static final long PAUSE_NANOS = 10_000_000;
    private static final int FAILURE = 5;
    private static final int REQUEST_IDENTITIES = 11;
    private static final int SIGN_REQUEST = 13;

    private final Path agent;
    private final Path socket;
    private final ServerSocketChannel listening;
    private final Semaphore room = new Semaphore(MOST_CONNECTIONS);
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private AgentRelay(Path agent, Path socket, ServerSocketChannel listening) {
        this.agent = agent;
        this.socket = socket;
        this.listening = listening;
    }

    /// Begins to listen.
    ///
    /// @param agent the socket of the agent
    /// @param directory absolute; an empty one of the build's own, which nobody else reaches
    /// @param mode of the socket that the container sees
    /// @throws IOException if the agent does not take a connection
    static AgentRelay open(Path agent, Path directory, int mode, int uid, int gid) throws IOException {
        connect(agent).close();
        ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try (Fd above = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            // by descriptor: an address has room for 108 bytes
            listening.bind(
                    UnixDomainSocketAddress.of("/proc/self/fd/" + above.number() + "/" + NAME), MOST_CONNECTIONS);
            FileSystem.changeOwner(above, NAME, uid, gid);
            Path made = directory.resolve(NAME);
            Files.setAttribute(made, "unix:mode", mode);
            var relay = new AgentRelay(agent, made, listening);
            Thread.ofPlatform().daemon().name("caisson-agent").start(relay::serve);
            return relay;
        } catch (IOException | RuntimeException e) {
            listening.close();
            throw e;
        }
    }

    private static SocketChannel connect(Path agent) throws IOException {
        try (Fd above = FileSystem.open(
                String.valueOf(agent.toAbsolutePath().getParent()), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return SocketChannel.open(
                    UnixDomainSocketAddress.of("/proc/self/fd/" + above.number() + "/" + agent.getFileName()));
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// Returns the path of the socket.
    Path socket() {
        return socket;
    }

    private void serve() {
        while (!closed) {
            try {
                SocketChannel client = listening.accept();
                if (!room.tryAcquire()) {
                    client.close();
                    continue;
                }
                open.add(client);
                Thread.ofPlatform().daemon().name("caisson-agent").start(() -> relay(client));
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) { // no descriptor is left at this moment
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private void relay(SocketChannel client) {
        try (client;
                SocketChannel to = connect(agent)) {
            open.add(to);
            try {
                if (!closed) {
                    relay(
                            new DataInputStream(Channels.newInputStream(client)),
                            Channels.newOutputStream(client),
                            new DataInputStream(Channels.newInputStream(to)),
                            Channels.newOutputStream(to));
                }
            } finally {
                open.remove(to);
            }
        } catch (IOException e) {
            // one of both has gone; the program sees the end of its connection
        } finally {
            open.remove(client);
            room.release();
        }
    }

    /// One request at a time, as agents answer them.
    private static void relay(
            DataInputStream requests, OutputStream answers, DataInputStream replies, OutputStream toAgent)
            throws IOException {
        for (byte[] request = message(requests); request.length > 0; request = message(requests)) {
            byte[] answer = {FAILURE};
            if (request[0] == REQUEST_IDENTITIES || request[0] == SIGN_REQUEST) {
                send(toAgent, request);
                answer = message(replies);
                if (answer.length == 0) {
                    return;
                }
            }
            send(answers, answer);
        }
    }

    /// Returns the next message; an empty one at the end, and for what is none.
    private static byte[] message(DataInputStream in) throws IOException {
        byte[] length = in.readNBytes(Integer.BYTES);
        if (length.length < Integer.BYTES) {
            return new byte[0];
        }
        int size = ByteBuffer.wrap(length).getInt();
        if (size < 1 || size > LARGEST) {
            return new byte[0];
        }
        byte[] message = in.readNBytes(size);
        return message.length == size ? message : new byte[0];
    }

    private static void send(OutputStream to, byte[] message) throws IOException {
        var bytes = new ByteArrayOutputStream(Integer.BYTES + message.length);
        var out = new DataOutputStream(bytes);
        out.writeInt(message.length);
        out.write(message);
        to.write(bytes.toByteArray());
        to.flush();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        listening.close();
        for (SocketChannel one : open) {
            one.close();
        }
        Files.deleteIfExists(socket);
    }
}
