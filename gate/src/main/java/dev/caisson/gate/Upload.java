package dev.caisson.gate;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The body of a request on its way to the server, by a thread of its own: the answer may begin before it ends.
final class Upload {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final byte[] END = Input.bytes("0\r\n\r\n");
    private static final byte[] LINE = Input.bytes("\r\n");

    private final RequestHead request;
    private final Input from;
    private final Server to;
    private final Guest guest;
    private @Nullable Thread thread;
    private volatile boolean done;
    private volatile boolean serverGone;
    private volatile @Nullable Refusal refusal;

    private Upload(RequestHead request, Input from, Server to, Guest guest) {
        this.request = request;
        this.from = from;
        this.to = to;
        this.guest = guest;
    }

    /// Begins to carry the body of a request, if it has one.
    static Upload begin(RequestHead request, Input from, Server to, Guest guest) throws Refusal {
        var upload = new Upload(request, from, to, guest);
        if (request.hasBody()) {
            upload.thread = Thread.ofVirtual().name("caisson gate upload").start(upload::run);
        } else {
            upload.done = true;
        }
        return upload;
    }

    private void run() {
        try {
            if (request.fields().isChunked()) {
                if (Body.chunked(from, (bytes, count) -> write(chunk(bytes, count))) > 0) {
                    throw Refusal.ofTrailers();
                }
                write(END);
            } else {
                Body.sized(
                        from,
                        request.fields().contentLength().orElse(0L),
                        (bytes, count) -> write(Arrays.copyOf(bytes, count)));
            }
            done = true;
        } catch (Refusal e) {
            refusal = e;
            to.close();
        } catch (IOException e) {
            if (!serverGone) { // what it has answered before can be read
                to.close();
            }
        }
    }

    private void write(byte[] bytes) throws IOException {
        guest.moves();
        OutputStream out = to.out();
        try {
            out.write(bytes);
            out.flush();
        } catch (IOException e) {
            serverGone = true;
            throw e;
        }
        guest.awaits();
    }

    /// Returns a chunk of RFC 9112 section 7.1.
    static byte[] chunk(byte[] bytes, int count) {
        byte[] size = Integer.toHexString(count).getBytes(StandardCharsets.US_ASCII);
        byte[] chunk = new byte[size.length + count + 2 * LINE.length];
        System.arraycopy(size, 0, chunk, 0, size.length);
        System.arraycopy(LINE, 0, chunk, size.length, LINE.length);
        System.arraycopy(bytes, 0, chunk, size.length + LINE.length, count);
        System.arraycopy(LINE, 0, chunk, chunk.length - LINE.length, LINE.length);
        return chunk;
    }

    /// Returns why the body was refused, if it was.
    Optional<Refusal> refusal() {
        return Optional.ofNullable(refusal);
    }

    /// Waits a moment, and returns true if all has been sent.
    boolean isDone() {
        Thread running = thread;
        try {
            return done || (running != null && running.join(PATIENCE) && done);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
