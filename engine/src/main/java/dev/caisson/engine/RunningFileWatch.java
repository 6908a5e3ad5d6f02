package dev.caisson.engine;

import dev.caisson.engine.FileEvent.Kind;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Polling;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/// Reads an inotify(7) descriptor of a container in a thread of its own. The kernel's queue is the only
/// one: it is bounded, and tells when it was too short.
final class RunningFileWatch implements FileWatch {
    private static final int CHUNK = 16 * 1024;
    private static final int MASK_AT = 4;
    private static final int LENGTH_AT = 12;
    private static final int NAME_AT = 16;
    private static final int IGNORED = 0x8000;
    private static final Duration LISTENERS_PATIENCE = Duration.ofSeconds(1);

    private final Fd queue;
    private final Consumer<FileEvent> listener;
    private final Polling polling = new Polling();
    private final Thread thread;
    private volatile boolean closed;

    RunningFileWatch(Fd queue, Consumer<FileEvent> listener) {
        this.queue = queue;
        this.listener = listener;
        try {
            polling.watchReadable(queue, 0);
            thread = Thread.ofPlatform().daemon().name("caisson-watch").start(this::loop);
        } catch (RuntimeException | Error e) { // no thread or descriptor can be had
            queue.close();
            polling.close();
            throw e;
        }
    }

    private void loop() {
        byte[] chunk = new byte[CHUNK];
        try {
            boolean more = true;
            while (more && !closed) {
                polling.await(-1);
                int length = closed ? -1 : Pipes.read(queue, chunk);
                more = length < 0 || tell(ByteBuffer.wrap(chunk, 0, length).order(ByteOrder.LITTLE_ENDIAN));
            }
        } catch (RuntimeException | Error e) {
            System.getLogger(RunningFileWatch.class.getName())
                    .log(System.Logger.Level.WARNING, "a watch of files ends: its listener or the kernel failed", e);
        } finally {
            closed = true;
            queue.close();
            polling.close();
        }
    }

    /// @return false once nothing can follow
    private boolean tell(ByteBuffer in) {
        boolean more = true;
        while (in.remaining() >= NAME_AT && !closed) {
            int at = in.position();
            int mask = in.getInt(at + MASK_AT);
            int length = in.getInt(at + LENGTH_AT);
            byte[] name = new byte[length];
            in.get(at + NAME_AT, name);
            in.position(at + NAME_AT + length);
            String text = ByteText.of(name);
            int end = text.indexOf('\0');
            kind(mask).ifPresent(kind -> listener.accept(new FileEvent(kind, end < 0 ? text : text.substring(0, end))));
            more &= (mask & IGNORED) == 0;
        }
        return more;
    }

    private static Optional<Kind> kind(int mask) {
        if ((mask & 0x4000) != 0) {
            return Optional.of(Kind.OVERFLOW);
        }
        return switch (mask & 0xfff) {
            case 0x002 -> Optional.of(Kind.CHANGED);
            case 0x004 -> Optional.of(Kind.ATTRIBUTES);
            case 0x008 -> Optional.of(Kind.WRITTEN);
            case 0x040 -> Optional.of(Kind.MOVED_AWAY);
            case 0x080 -> Optional.of(Kind.MOVED_HERE);
            case 0x100 -> Optional.of(Kind.CREATED);
            case 0x200 -> Optional.of(Kind.REMOVED);
            case 0x400, 0x800 -> Optional.of(Kind.GONE);
            default -> Optional.empty();
        };
    }

    boolean hasEnded() {
        return closed && !thread.isAlive();
    }

    /// Waits a moment for a listener that is being called; one that blocks is left behind.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            polling.wake();
        }
        if (Thread.currentThread() != thread) {
            try {
                thread.join(LISTENERS_PATIENCE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
