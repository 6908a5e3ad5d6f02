package dev.caisson.gate.http2;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One side of a connection, RFC 9113. [#run] reads it in the caller's thread; each request of a client is served in a
/// thread of its own. Memory is bounded by windows and the number of streams, work by [FrameBudget], and what drips or
/// stands still by whoever asks [#isOver].
public final class Http2Connection {
    /// Serves the requests of a client.
    public interface Requests {
        /// Serves one; the stream is closed behind it.
        void serve(Http2Stream stream, HeaderList head) throws IOException;
    }

    private static final System.Logger LOG = System.getLogger(Http2Connection.class.getName());
    private static final int PING_BYTES = 8;
    private static final int WORD = 4;
    private static final int PRIORITY_BYTES = 5;
    private static final int LEAST_GOAWAY = 8;

    private final FrameReader reader;
    private final FrameWriter writer;
    private final Patience patience;
    private final @Nullable Requests requests;
    private final HeaderCollector collector = new HeaderCollector();
    private final FrameBudget budget = new FrameBudget();
    private final Streams streams;
    private final ReentrantLock opening = new ReentrantLock();
    private volatile boolean greeted;

    private Http2Connection(InputStream in, OutputStream out, Patience patience, @Nullable Requests requests) {
        this.reader = new FrameReader(in);
        this.writer = new FrameWriter(out);
        this.patience = patience;
        this.requests = requests;
        this.streams = new Streams(requests != null, writer, budget, patience);
    }

    /// Makes the side of a server.
    public static Http2Connection server(InputStream in, OutputStream out, Patience patience, Requests requests) {
        return new Http2Connection(in, out, patience, requests);
    }

    /// Makes the side of a client, and greets the server.
    public static Http2Connection client(InputStream in, OutputStream out, Patience patience) throws IOException {
        var connection = new Http2Connection(in, out, patience, null);
        connection.writer.preface();
        connection.greet(PeerSettings.ENABLE_PUSH, 0);
        return connection;
    }

    private void greet(int setting, int value) throws IOException {
        writer.settings(
                setting,
                value,
                PeerSettings.INITIAL_WINDOW_SIZE,
                streams.streamWindow(),
                PeerSettings.MAX_HEADER_LIST_SIZE,
                HeaderDecoder.MOST_BYTES);
        writer.window(0, streams.connectionWindow() - PeerSettings.STANDARD_WINDOW);
    }

    /// Reads until the connection ends.
    /// @throws IOException with an [Http2Error] if the other side does what it may not; it is told why
    public void run() throws IOException {
        IOException cause = new IOException("the connection ended");
        try {
            if (requests != null) {
                reader.preface();
                greet(PeerSettings.MAX_CONCURRENT_STREAMS, Streams.MOST);
            }
            for (Optional<Frame> next = reader.next(); next.isPresent(); next = reader.next()) {
                take(next.get());
            }
        } catch (ConnectionException e) {
            cause = e;
            writer.leave(streams.last(), e.code(), e.reason());
            throw e;
        } catch (IOException e) {
            cause = e;
            throw e;
        } finally {
            streams.failAll(cause);
        }
    }

    private void take(Frame frame) throws IOException {
        if (!greeted && (frame.type() != Frame.SETTINGS || frame.has(Frame.ACK))) {
            throw wrong("the first frame is not of settings");
        }
        greeted = true;
        collector.require(frame);
        try {
            dispatch(frame);
        } catch (StreamException e) {
            streams.fail(frame.stream(), e);
            budget.reset();
            writer.reset(frame.stream(), e.code());
        }
        if (!collector.isIncomplete()) {
            reader.complete();
        }
    }

    private void dispatch(Frame frame) throws IOException {
        switch (frame.type()) {
            case Frame.DATA -> data(requireStream(frame));
            case Frame.HEADERS, Frame.CONTINUATION -> headers(requireStream(frame));
            case Frame.PRIORITY -> {
                requireStream(frame).requireLength(PRIORITY_BYTES);
                budget.idle();
            }
            case Frame.RST_STREAM -> resetReceived(requireStream(frame).requireLength(WORD));
            case Frame.SETTINGS -> settings(requireNoStream(frame));
            case Frame.PUSH_PROMISE -> throw wrong("a promise of a stream, which no side may send");
            case Frame.PING -> ping(requireNoStream(frame).requireLength(PING_BYTES));
            case Frame.GOAWAY -> goAway(requireNoStream(frame));
            case Frame.WINDOW_UPDATE -> {
                budget.idle();
                streams.window(frame.requireLength(WORD), frame.number(0));
            }
            default -> budget.idle(); // of an extension, RFC 9113 section 5.5
        }
    }

    private static ConnectionException wrong(String reason) {
        return new ConnectionException(ErrorCode.PROTOCOL_ERROR, reason);
    }

    private static Frame requireNoStream(Frame frame) throws ConnectionException {
        if (frame.stream() != 0) {
            throw wrong("a frame of type " + frame.type() + " is for one stream");
        }
        return frame;
    }

    private static Frame requireStream(Frame frame) throws ConnectionException {
        if (frame.stream() == 0) {
            throw wrong("a frame of type " + frame.type() + " is for no stream");
        }
        return frame;
    }

    private void data(Frame frame) throws IOException {
        if (frame.content().length() > 0) {
            budget.data();
        } else if (!frame.has(Frame.END_STREAM)) {
            budget.idle();
        }
        streams.data(frame);
    }

    private void headers(Frame frame) throws IOException {
        Optional<HeaderCollector.Collected> block = collector.take(frame);
        if (block.isPresent()) {
            HeaderList list = block.get().list();
            streams.headers(frame, block.get())
                    .ifPresent(stream ->
                            Thread.ofVirtual().name("caisson gate stream").start(() -> serve(stream, list)));
        }
    }

    private void serve(Http2Stream stream, HeaderList head) {
        try (stream) {
            if (requests != null) {
                requests.serve(stream, head);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a stream ended early", e);
        }
    }

    private void resetReceived(Frame frame) throws ConnectionException {
        if (requests != null) {
            budget.reset();
        }
        streams.whenOpen(frame, one -> one.fail(StreamException.received(ErrorCode.of(frame.word(0)))));
    }

    private void settings(Frame frame) throws IOException {
        budget.idle();
        if (frame.has(Frame.ACK)) {
            frame.requireLength(0);
            return;
        }
        streams.settings(frame);
        writer.settingsTaken();
    }

    private void ping(Frame frame) throws IOException {
        budget.idle();
        if (!frame.has(Frame.ACK)) {
            writer.pong(frame);
        }
    }

    private void goAway(Frame frame) throws ConnectionException {
        budget.idle();
        if (frame.length() < LEAST_GOAWAY) {
            frame.requireLength(LEAST_GOAWAY);
        }
        streams.leaving(frame.number(0));
    }

    /// Sends a request, as soon as the server takes one more.
    ///
    /// @param end true if it has no body
    /// @throws IOException if the connection takes no more requests
    public Http2Stream open(HeaderBlock block, boolean end) throws IOException {
        opening.lock(); // streams begin in the order of their numbers
        try {
            Http2Stream stream = streams.begin(end);
            writer.headers(stream.id(), block, end);
            return stream;
        } finally {
            opening.unlock();
        }
    }

    /// Returns true if it takes more requests.
    public boolean isUsable() {
        return streams.isUsable();
    }

    /// Returns true if a frame does not come to its end, or a client has asked for nothing for long.
    public boolean isOver() {
        long now = System.nanoTime();
        return isOlder(reader.begun(), patience.head().toNanos(), now)
                || isOlder(writer.begun(), patience.progress().toNanos(), now)
                || streams.isDrained()
                || (requests != null && streams.idleNanos() > (greeted ? patience.idle() : patience.head()).toNanos());
    }

    private static boolean isOlder(long since, long most, long now) {
        return since != 0 && now - since > most;
    }

    /// Tells the other side that no further requests are served: those that are go on.
    public void drain() throws IOException {
        OptionalInt last = streams.drain();
        if (last.isPresent() && greeted) {
            writer.goAway(last.getAsInt(), ErrorCode.NO_ERROR, "");
        }
    }
}
