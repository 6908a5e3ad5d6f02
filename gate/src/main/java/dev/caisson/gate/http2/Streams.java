package dev.caisson.gate.http2;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The streams of a connection, and the windows that they share. Its lock guards them all.
final class Streams {
    /// Streams of a client at a time: the least that RFC 9113 section 6.5.2 recommends.
    static final int MOST = 100;

    private static final int CLIENTS_WINDOW = 64 << 10;
    private static final int CLIENTS_CONNECTION_WINDOW = 256 << 10;
    private static final int SERVERS_WINDOW = 512 << 10;
    private static final int SERVERS_CONNECTION_WINDOW = 1 << 20;
    private static final int MOST_REMEMBERED = 200;

    private final boolean ofClient;
    private final FrameWriter writer;
    private final FrameBudget budget;
    private final Patience patience;
    private final PeerSettings settings = new PeerSettings();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition placeFree = lock.newCondition();
    private final Map<Integer, Http2Stream> open = new HashMap<>();
    /// Streams that this side has reset: frames for them may be on their way.
    private final Set<Integer> forgotten = new LinkedHashSet<>();

    private int last;
    private int next = 1;
    private long sendWindow = PeerSettings.STANDARD_WINDOW;
    private long receiveWindow;
    private int taken;
    private boolean leaving;
    private boolean draining;
    private @Nullable IOException failure;
    private long idleSince = System.nanoTime();

    /// @param ofClient true if the other side is a client, which begins them
    Streams(boolean ofClient, FrameWriter writer, FrameBudget budget, Patience patience) {
        this.ofClient = ofClient;
        this.writer = writer;
        this.budget = budget;
        this.patience = patience;
        this.receiveWindow = connectionWindow();
    }

    boolean ofClient() {
        return ofClient;
    }

    FrameWriter writer() {
        return writer;
    }

    Patience patience() {
        return patience;
    }

    /// Returns the room that each stream has for what is received.
    int streamWindow() {
        return ofClient ? CLIENTS_WINDOW : SERVERS_WINDOW;
    }

    int connectionWindow() {
        return ofClient ? CLIENTS_CONNECTION_WINDOW : SERVERS_CONNECTION_WINDOW;
    }

    void lock() {
        lock.lock();
    }

    void unlock() {
        lock.unlock();
    }

    Condition condition() {
        return lock.newCondition();
    }

    @SuppressWarnings("WaitNotInLoop") // callers have one
    void await(Condition condition, long nanos) throws IOException {
        try {
            condition.await(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    // These are called with the lock held.

    long peerWindow() {
        return settings.window();
    }

    long sendWindow() {
        return sendWindow;
    }

    void spend(int count) {
        sendWindow -= count;
        budget.data();
    }

    /// Forgets a stream that is closed.
    /// @param reset true if frames for it may still come
    void forget(Http2Stream stream, boolean reset) {
        if (open.remove(stream.id()) != null && open.isEmpty()) {
            idleSince = System.nanoTime();
        }
        if (reset) {
            remember(stream.id());
        }
        placeFree.signalAll();
    }

    private void remember(int id) {
        forgotten.add(id);
        if (forgotten.size() > MOST_REMEMBERED) {
            forgotten.remove(forgotten.iterator().next());
        }
    }

    /// Returns the stream of a frame; empty if it is closed.
    private Optional<Http2Stream> find(Frame frame) throws ConnectionException {
        if (frame.stream() % 2 == 0 || frame.stream() > (ofClient ? last : next - 1)) {
            throw new ConnectionException(
                    ErrorCode.PROTOCOL_ERROR,
                    "a frame of type " + frame.type() + " is for a stream that nobody has opened");
        }
        return Optional.ofNullable(open.get(frame.stream()));
    }

    private Http2Stream added(int id, boolean hasHead) {
        var stream = new Http2Stream(this, id, hasHead);
        open.put(id, stream);
        return stream;
    }

    // The others take it.

    /// Gives the other side room for as much as was taken.
    void credit(int count) throws IOException {
        int more = 0;
        lock.lock();
        try {
            taken += count;
            if (taken >= connectionWindow() / 2) {
                more = taken;
                receiveWindow += more;
                taken = 0;
            }
        } finally {
            lock.unlock();
        }
        if (more > 0) {
            writer.window(0, more);
        }
    }

    /// Takes a frame of data.
    void data(Frame frame) throws IOException {
        Frame.Part part = frame.content();
        int back = 0;
        lock.lock();
        try {
            receiveWindow -= frame.length();
            if (receiveWindow < 0) {
                throw new ConnectionException(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window");
            }
            Optional<Http2Stream> stream = find(frame);
            if (stream.isPresent()) {
                back = stream.get().take(frame, part);
            } else {
                budget.idle();
                back = frame.length();
                if (!forgotten.contains(frame.stream())) {
                    throw new StreamException(ErrorCode.STREAM_CLOSED, "data for a stream that is closed");
                }
            }
        } catch (StreamException e) {
            back = frame.length();
            throw e;
        } finally {
            lock.unlock();
            credit(back);
        }
    }

    /// Takes a header block.
    /// @return the stream that it begins, if it does
    Optional<Http2Stream> headers(Frame frame, HeaderCollector.Collected block) throws IOException {
        lock.lock();
        try {
            if (ofClient && frame.stream() % 2 == 1 && frame.stream() > last) {
                last = frame.stream();
                if (draining || open.size() >= MOST) {
                    throw new StreamException(ErrorCode.REFUSED_STREAM, "too many streams");
                }
                Http2Stream stream = added(last, true);
                if (block.ends()) {
                    stream.ended();
                }
                return Optional.of(stream);
            }
            Optional<Http2Stream> stream = find(frame);
            if (stream.isPresent()) {
                stream.get().take(block.list(), block.ends());
            } else if (forgotten.contains(frame.stream())) {
                budget.idle();
            } else {
                throw new ConnectionException(ErrorCode.STREAM_CLOSED, "a header block for a stream that is closed");
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /// Fails the stream of a frame.
    void fail(int id, StreamException cause) {
        lock.lock();
        try {
            Http2Stream stream = open.get(id);
            if (stream != null) {
                stream.fail(cause);
            }
            remember(id);
        } finally {
            lock.unlock();
        }
    }

    /// Fails all that wait, because the connection is gone.
    void failAll(IOException cause) {
        lock.lock();
        try {
            failure = cause;
            open.values().forEach(one -> one.fail(cause));
            placeFree.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void whenOpen(Frame frame, Consumer<Http2Stream> act) throws ConnectionException {
        lock.lock();
        try {
            find(frame).ifPresent(act);
        } finally {
            lock.unlock();
        }
    }

    void settings(Frame frame) throws ConnectionException {
        lock.lock();
        try {
            long more = settings.read(frame, !ofClient);
            for (Http2Stream one : open.values()) {
                one.grow(more);
            }
            placeFree.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Takes note that the other side begins or serves no more.
    ///
    /// @param served the last one that it may have served
    void leaving(int served) {
        lock.lock();
        try {
            leaving = true;
            if (!ofClient) {
                draining = true;
                var refused = StreamException.received(ErrorCode.REFUSED_STREAM);
                open.values().stream().filter(one -> one.id() > served).forEach(one -> one.fail(refused));
            }
            placeFree.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Lets a window grow.
    void window(Frame frame, int more) throws IOException {
        lock.lock();
        try {
            if (frame.stream() != 0) {
                Optional<Http2Stream> stream = find(frame);
                if (more == 0) {
                    throw new StreamException(ErrorCode.PROTOCOL_ERROR, "a window that grows by nothing");
                }
                if (stream.isPresent()) {
                    stream.get().grow(more);
                }
                return;
            }
            sendWindow += more;
            if (more == 0 || sendWindow > PeerSettings.MOST_WINDOW) {
                throw new ConnectionException(
                        more == 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FLOW_CONTROL_ERROR,
                        "the connection's window cannot grow by " + more);
            }
            open.values().forEach(Http2Stream::signal);
        } finally {
            lock.unlock();
        }
    }

    /// Begins a stream of this side, as soon as the server takes one more.
    ///
    /// @param end true if it is sent without a body
    Http2Stream begin(boolean end) throws IOException {
        lock.lock();
        try {
            long begun = System.nanoTime();
            while (isUsable() && open.size() >= settings.streams()) {
                long left = patience.answer().toNanos() - (System.nanoTime() - begun);
                if (left <= 0) {
                    throw new StreamException(ErrorCode.REFUSED_STREAM, "the server takes no more requests");
                }
                await(placeFree, left);
            }
            if (!isUsable()) {
                throw StreamException.received(ErrorCode.REFUSED_STREAM);
            }
            Http2Stream stream = added(next, false);
            next += 2;
            if (end) {
                stream.endLocal();
            }
            return stream;
        } finally {
            lock.unlock();
        }
    }

    boolean isUsable() {
        lock.lock();
        try {
            return failure == null && !leaving && next > 0;
        } finally {
            lock.unlock();
        }
    }

    /// Refuses further streams of the other side.
    /// @return the last one that it began; empty if that was done before
    OptionalInt drain() {
        lock.lock();
        try {
            boolean first = !draining;
            draining = true;
            return first ? OptionalInt.of(last) : OptionalInt.empty();
        } finally {
            lock.unlock();
        }
    }

    /// True if no further streams are served, and none is.
    boolean isDrained() {
        lock.lock();
        try {
            return draining && open.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /// Returns the last stream that the other side began.
    int last() {
        lock.lock();
        try {
            return last;
        } finally {
            lock.unlock();
        }
    }

    /// Returns for how long there is none, in nanoseconds.
    long idleNanos() {
        lock.lock();
        try {
            return open.isEmpty() ? System.nanoTime() - idleSince : 0;
        } finally {
            lock.unlock();
        }
    }
}
