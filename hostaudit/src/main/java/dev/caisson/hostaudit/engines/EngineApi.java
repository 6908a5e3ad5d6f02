package dev.caisson.hostaudit.engines;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.text.MalformedJsonException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// Reads the Docker Engine API over its unix socket: HTTP/1.1, one connection that stays open, GET only, so
/// that nothing can be changed through it. Every wait is bounded, and so are the time and the memory that all answers
/// may take.
public final class EngineApi implements AutoCloseable {
    /// Bounds of all answers of an engine together.
    ///
    /// @param bytes of memory
    /// @param objects containers, images and networks of each kind that are asked for
    public record Bounds(Duration time, long bytes, int objects) {
        /// Enough for every container of a host.
        public static final Bounds SYSTEM = new Bounds(Duration.ofMinutes(30), 1L << 30, 20_000);
        /// A user's own engine must not hold up the audit of the host, or fill its memory.
        public static final Bounds OF_USER = new Bounds(Duration.ofSeconds(30), 16L << 20, 1000);
    }

    private static final int WAIT_MILLIS = 20_000;
    /// EACCES, which has no class of its own.
    private static final String CLOSED = "Permission denied";
    private static final String BUSY = "Resource temporarily unavailable";
    private static final int RETRY_MILLIS = 20;
    private static final int BODY_LIMIT = 64 << 20;
    private static final int LINE_LIMIT = 16 * 1024;
    private static final int BUFFER = 64 * 1024;
    private static final int OK = 200;

    private static final int GONE = 404;
    private static final int NOT_IN_SWARM = 503;

    private final Path socket;
    private final Path address;
    private final Bounds bounds;
    private long received;
    private final long started = System.nanoTime();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).flip();
    private Optional<Connection> connected;

    private record Connection(SocketChannel channel, Selector selector) implements AutoCloseable {
        /// Connects within a time: beside a full backlog, connect(2) would wait without end, unix(7).
        static Connection to(Path address, long millis) throws IOException {
            for (long waited = 0; waited < millis; waited += RETRY_MILLIS) {
                Optional<Connection> made = tryTo(address);
                if (made.isPresent()) {
                    return made.get();
                }
                LockSupport.parkNanos(RETRY_MILLIS * 1_000_000L);
            }
            throw new IOException("it takes no connection");
        }

        private static Optional<Connection> tryTo(Path address) throws IOException {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.configureBlocking(false);
                channel.connect(UnixDomainSocketAddress.of(address));
                Selector selector = Selector.open();
                channel.register(selector, SelectionKey.OP_READ);
                return Optional.of(new Connection(channel, selector));
            } catch (IOException e) {
                channel.close();
                // EAGAIN, which has no class of its own
                if (BUSY.equals(e.getMessage())) {
                    return Optional.empty();
                }
                throw e;
            }
        }

        @Override
        public void close() {
            try {
                selector.close();
                channel.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    /// @param socket what the host calls it
    /// @param address how this process reaches it
    /// @throws AuditException ENGINE_UNREACHABLE
    public EngineApi(Path socket, Path address, Bounds bounds) {
        this.socket = socket;
        this.address = address;
        this.bounds = bounds;
        try {
            connected = Optional.of(
                    Connection.to(address, Math.min(WAIT_MILLIS, bounds.time().toMillis())));
        } catch (IOException e) {
            throw new AuditException(
                    AuditException.Code.ENGINE_UNREACHABLE,
                    "No engine answers at " + socket + " (" + e.getMessage()
                            + "); name its socket with --docker unix:///PATH, and run as a user who may use it.",
                    e);
        }
    }

    /// True if an engine may not be asked by this user, connect(2).
    public static boolean isClosed(AuditException problem) {
        return problem.getCause() instanceof IOException cause && CLOSED.equals(cause.getMessage());
    }

    /// The answer to `GET path`.
    /// @throws AuditException ENGINE_ANSWER where it is not status 200 with JSON
    public Tree get(String path) {
        return ask(path).ok(socket, path);
    }

    /// The answer, or empty where the object is gone.
    /// @throws AuditException ENGINE_ANSWER where the engine could not say
    public Optional<Tree> find(String path) {
        Response answer = ask(path);
        return answer.status() == GONE ? Optional.empty() : Optional.of(answer.ok(socket, path));
    }

    /// Like [#find], also empty where this node manages no swarm any more.
    public Optional<Tree> findInSwarm(String path) {
        Response answer = ask(path);
        return answer.status() == GONE || answer.status() == NOT_IN_SWARM
                ? Optional.empty()
                : Optional.of(answer.ok(socket, path));
    }

    private record Response(int status, String body) {
        Tree ok(Path socket, String path) {
            if (status != OK) {
                throw new AuditException(
                        AuditException.Code.ENGINE_ANSWER,
                        "The engine at " + socket + " answers " + path + " with status " + status + ".");
            }
            try {
                return Tree.parse(body);
            } catch (MalformedJsonException e) {
                throw new AuditException(
                        AuditException.Code.ENGINE_ANSWER,
                        "The engine at " + socket + " answers " + path + " with text that cannot be read as JSON: "
                                + Excerpt.of(String.valueOf(e.getMessage())) + ".",
                        e);
            }
        }
    }

    private Response ask(String path) {
        try {
            long remaining = remainingMillis();
            if (connected.isEmpty()) {
                connected = Optional.of(Connection.to(address, Math.min(WAIT_MILLIS, remaining)));
                buffer.clear().flip();
            }
            send("GET " + path + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: caisson\r\n\r\n");
            String[] first = line().split(" ", 3);
            int status = first.length > 1 ? Integer.parseInt(first[1]) : 0;
            long length = -1;
            boolean chunked = false;
            for (String header = line(); !header.isEmpty(); header = line()) {
                String lower = header.toLowerCase(Locale.ROOT);
                if (lower.startsWith("content-length:")) {
                    length = Long.parseLong(
                            lower.substring("content-length:".length()).strip());
                } else if (lower.startsWith("transfer-encoding:")) {
                    chunked = lower.contains("chunked");
                }
            }
            byte[] body = chunked ? chunks() : bytes(length);
            return new Response(status, new String(body, StandardCharsets.UTF_8));
        } catch (IOException | NumberFormatException e) {
            // the rest of this answer must not be taken for the next one
            close();
            throw new AuditException(
                    AuditException.Code.ENGINE_ANSWER,
                    "The engine at " + socket + " does not answer " + path + " as HTTP/1.1 (" + e.getMessage() + ").",
                    e);
        }
    }

    private void send(String text) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (out.hasRemaining()) {
            Connection connection = connection();
            if (connection.channel().write(out) == 0) {
                connection.channel().register(connection.selector(), SelectionKey.OP_WRITE);
                await();
                connection.channel().register(connection.selector(), SelectionKey.OP_READ);
            }
        }
    }

    /// Objects that are listed, up to the engine's bound.
    /// @param untold takes why the others are not looked at
    public List<Tree> list(String path, Consumer<AuditException> untold) {
        List<Tree> all = get(path).list();
        if (all.size() <= bounds.objects()) {
            return all;
        }
        untold.accept(new AuditException(
                AuditException.Code.ENGINE_ANSWER,
                "it lists " + all.size() + ", of which the first " + bounds.objects() + " are looked at"));
        return all.subList(0, bounds.objects());
    }

    private byte[] chunks() throws IOException {
        var all = new ByteArrayOutputStream();
        while (true) {
            String head = line();
            int size = Integer.parseInt(head.split(";", 2)[0].strip(), 16);
            if (size == 0) {
                while (!line().isEmpty()) {
                    // trailers say nothing that is needed
                }
                return all.toByteArray();
            }
            if (all.size() + (long) size > BODY_LIMIT) {
                throw new IOException("an answer of more than " + BODY_LIMIT + " bytes");
            }
            all.writeBytes(bytes(size));
            line();
        }
    }

    private byte[] bytes(long length) throws IOException {
        if (length < 0 || length > BODY_LIMIT) {
            throw new IOException("an answer of " + length + " bytes");
        }
        received += length;
        if (received > bounds.bytes()) {
            throw new IOException("its answers have more than " + bounds.bytes() + " bytes");
        }
        byte[] body = new byte[(int) length];
        int done = 0;
        while (done < body.length) {
            fill();
            int count = Math.min(buffer.remaining(), body.length - done);
            buffer.get(body, done, count);
            done += count;
        }
        return body;
    }

    private String line() throws IOException {
        var text = new StringBuilder();
        while (text.length() < LINE_LIMIT) {
            fill();
            char c = (char) (buffer.get() & 0xff);
            if (c == '\n') {
                return text.toString().stripTrailing();
            }
            text.append(c);
        }
        throw new IOException("a header of more than " + LINE_LIMIT + " bytes");
    }

    /// At least one byte is in the buffer afterwards.
    private void fill() throws IOException {
        while (!buffer.hasRemaining()) {
            buffer.clear();
            int count = connection().channel().read(buffer);
            buffer.flip();
            if (count < 0) {
                throw new IOException("the connection ended");
            }
            if (count == 0) {
                await();
            }
        }
    }

    private void await() throws IOException {
        Selector selector = connection().selector();
        long remaining = remainingMillis();
        if (selector.select(Math.min(WAIT_MILLIS, remaining)) == 0) {
            throw remaining < WAIT_MILLIS
                    ? tooSlow()
                    : new IOException("no answer within " + WAIT_MILLIS / 1000 + " seconds");
        }
        selector.selectedKeys().clear();
    }

    private long remainingMillis() throws IOException {
        long remaining = bounds.time().toMillis() - (System.nanoTime() - started) / 1_000_000;
        if (remaining <= 0) {
            throw tooSlow();
        }
        return remaining;
    }

    private IOException tooSlow() {
        return new IOException("its answers take more than " + bounds.time().toMillis() + " ms");
    }

    private Connection connection() throws IOException {
        return connected.orElseThrow(() -> new IOException("the connection ended"));
    }

    @Override
    public void close() {
        connected.ifPresent(Connection::close);
        connected = Optional.empty();
    }
}
