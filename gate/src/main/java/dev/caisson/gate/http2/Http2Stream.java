package dev.caisson.gate.http2;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A request and its answer, RFC 9113 section 5. One thread may read while another one writes. The connection's lock
/// guards what both sides change.
public final class Http2Stream implements AutoCloseable {
    private static final int MOST_INTERIM = 8;
    private static final int SWITCHING = 101;
    private static final int FIRST_FINAL = 200;

    private final Streams all;
    private final int id;
    private final Condition changed;
    private final Deque<HeaderList> heads = new ArrayDeque<>();
    private final Received received = new Received();
    private @Nullable HeaderList trailers;
    private @Nullable IOException failure;
    private @Nullable Consumer<IOException> whenFailed;
    private int interims;
    private boolean hasHead;
    private boolean remoteEnded;
    private boolean localEnded;
    private boolean closed;
    private long sendWindow;
    private long receiveWindow;
    private int taken;
    private long expected = -1;
    private long delivered;
    private long moved = System.nanoTime();

    /// @param hasHead true if the other side has sent its head
    Http2Stream(Streams all, int id, boolean hasHead) {
        this.all = all;
        this.id = id;
        this.hasHead = hasHead;
        this.changed = all.condition();
        this.sendWindow = all.peerWindow();
        this.receiveWindow = all.streamWindow();
    }

    int id() {
        return id;
    }

    // The connection calls these with its lock held.

    void ended() {
        remoteEnded = true;
        changed.signalAll();
    }

    void fail(IOException cause) {
        if (failure == null) {
            failure = cause;
            if (whenFailed != null) {
                begin(whenFailed, cause);
            }
        }
        changed.signalAll();
    }

    void signal() {
        changed.signalAll();
    }

    void grow(long more) throws ConnectionException {
        moved = System.nanoTime();
        sendWindow += more;
        if (sendWindow > PeerSettings.MOST_WINDOW) {
            throw new ConnectionException(ErrorCode.FLOW_CONTROL_ERROR, "a window is larger than 2^31-1");
        }
        changed.signalAll();
    }

    /// Takes a header block behind the first one of a request, or of an answer.
    void take(HeaderList list, boolean end) throws IOException {
        if (remoteEnded) {
            throw new StreamException(ErrorCode.STREAM_CLOSED, "a header block behind the end of its stream");
        }
        int status = list.tooLarge() ? FIRST_FINAL : list.status();
        boolean interim = !hasHead && status < FIRST_FINAL;
        if (hasHead ? !end : status == 0 || status == SWITCHING || (interim && end)) {
            throw new StreamException(ErrorCode.PROTOCOL_ERROR, "a header block that cannot be where it is");
        }
        if (hasHead) {
            trailers = list;
        } else {
            if (interim && ++interims > MOST_INTERIM) {
                throw new StreamException(ErrorCode.ENHANCE_YOUR_CALM, "too many heads of one answer");
            }
            heads.add(list);
            hasHead = !interim;
        }
        remoteEnded = end;
        moved = System.nanoTime();
        changed.signalAll();
    }

    /// Takes a part of a body.
    ///
    /// @return bytes that are given back at once
    int take(Frame frame, Frame.Part part) throws IOException {
        int counted = frame.length(); // with padding, RFC 9113 section 6.1
        if (remoteEnded) {
            throw new StreamException(ErrorCode.STREAM_CLOSED, "data behind the end of its stream");
        }
        if (!hasHead) {
            throw new StreamException(ErrorCode.PROTOCOL_ERROR, "data before the head of an answer");
        }
        receiveWindow -= counted;
        if (receiveWindow < 0) {
            throw new ConnectionException(ErrorCode.FLOW_CONTROL_ERROR, "more data than the window of a stream");
        }
        int padding = counted - part.length();
        taken += padding;
        if (closed || failure != null) {
            padding = counted;
        } else {
            received.add(frame.payload(), part.from(), part.length());
        }
        remoteEnded = frame.has(Frame.END_STREAM);
        moved = System.nanoTime();
        changed.signalAll();
        return padding;
    }

    // The others are called without it.

    /// Returns true if the other side has sent all.
    public boolean isRemoteEnded() {
        all.lock();
        try {
            return remoteEnded && received.count() == 0;
        } finally {
            all.unlock();
        }
    }

    /// Has something done in a thread of its own when the other side ends the stream early, or the connection ends.
    public void whenFailed(Consumer<IOException> act) {
        all.lock();
        try {
            whenFailed = act;
            if (failure != null) {
                begin(act, failure);
            }
        } finally {
            all.unlock();
        }
    }

    private static void begin(Consumer<IOException> act, IOException cause) {
        Thread.ofVirtual().name("caisson gate stream end").start(() -> act.accept(cause));
    }

    /// Says how long the body must be.
    public void expect(long length) {
        all.lock();
        try {
            expected = length;
        } finally {
            all.unlock();
        }
    }

    /// Waits for the next head of an answer: those before the final one come first.
    public HeaderList head() throws IOException {
        all.lock();
        try {
            while (heads.isEmpty()) {
                await(all.patience().answer().toNanos(), "no answer came");
            }
            return heads.remove();
        } finally {
            all.unlock();
        }
    }

    /// Waits for a part of the body.
    /// @return how many bytes; -1 at the end
    /// @throws IOException with the error PROTOCOL_ERROR if the body is longer or shorter than [#expect] was told
    public int read(byte[] into) throws IOException {
        int count;
        int more = 0;
        all.lock();
        try {
            while (received.count() == 0) {
                if (remoteEnded) {
                    requireLength(delivered == expected);
                    return -1;
                }
                await(all.patience().answer().toNanos(), "no more data came");
            }
            requireLength(delivered + received.count() <= expected);
            count = received.take(into);
            delivered += count;
            taken += count;
            if (!remoteEnded && taken >= all.streamWindow() / 2) {
                more = taken;
                receiveWindow += more;
                taken = 0;
            }
        } finally {
            all.unlock();
        }
        if (more > 0) {
            all.writer().window(id, more);
        }
        all.credit(count);
        return count;
    }

    private void requireLength(boolean right) throws StreamException {
        if (expected >= 0 && !right) {
            throw new StreamException(ErrorCode.PROTOCOL_ERROR, "the body is not as long as content-length says");
        }
    }

    /// Returns what came behind the body.
    public Optional<HeaderList> trailers() {
        all.lock();
        try {
            return Optional.ofNullable(trailers);
        } finally {
            all.unlock();
        }
    }

    /// Waits for a change. Nothing must move for some time, in either direction, until that is an error.
    private void await(long nanos, String otherwise) throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (closed) {
            throw new StreamException(ErrorCode.CANCEL, "the stream is closed");
        }
        all.await(changed, nanos);
        if (System.nanoTime() - moved >= nanos) {
            throw new StreamException(ErrorCode.CANCEL, otherwise);
        }
    }

    /// Sends a header block: the head of an answer, or what follows its body.
    public void send(HeaderBlock block, boolean end) throws IOException {
        begin(end);
        all.writer().headers(id, block, end);
    }

    private void begin(boolean end) throws IOException {
        all.lock();
        try {
            requireOpen();
            localEnded = end;
        } finally {
            all.unlock();
        }
    }

    /// Marks a request that was sent without a body.
    void endLocal() {
        localEnded = true;
    }

    private void requireOpen() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (closed || localEnded) {
            throw new StreamException(ErrorCode.STREAM_CLOSED, "the stream is closed");
        }
    }

    /// Sends a part of a body, as the other side has room for it.
    public void send(byte[] bytes, int count) throws IOException {
        for (int sent = 0; sent < count; ) {
            int piece;
            all.lock();
            try {
                requireOpen();
                while (Math.min(sendWindow, all.sendWindow()) <= 0) {
                    await(all.patience().progress().toNanos(), "the other side takes no more data");
                    requireOpen();
                }
                piece = (int)
                        Math.min(Math.min(count - sent, FrameWriter.MOST_DATA), Math.min(sendWindow, all.sendWindow()));
                sendWindow -= piece;
                moved = System.nanoTime();
                all.spend(piece);
            } finally {
                all.unlock();
            }
            all.writer().data(id, bytes, sent, piece, false);
            sent += piece;
        }
    }

    /// Says that no more is sent.
    public void end() throws IOException {
        begin(true);
        all.writer().data(id, new byte[0], 0, 0, true);
    }

    /// Ends the stream with an error, if it has not ended.
    public void reset(ErrorCode code) throws IOException {
        int dropped;
        boolean open;
        all.lock();
        try {
            open = !closed && failure == null && !(remoteEnded && localEnded);
            closed = true;
            dropped = received.clear();
            all.forget(this, open);
            changed.signalAll();
        } finally {
            all.unlock();
        }
        if (open) {
            all.writer().reset(id, code);
        }
        all.credit(dropped);
    }

    /// Ends the stream: what the other side still sends is dropped.
    @Override
    public void close() throws IOException {
        boolean answered;
        all.lock();
        try {
            if (closed) {
                return;
            }
            answered = localEnded;
        } finally {
            all.unlock();
        }
        reset(answered && all.ofClient() ? ErrorCode.NO_ERROR : ErrorCode.CANCEL);
    }
}
