package dev.caisson.cli.run;

import dev.caisson.cli.option.DetachKeys;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;

/// Standard input up to the keys that end it. Whoever reads on after these waits: an end would be passed to the program
/// as the end of its input.
final class KeyedInput extends InputStream {
    private static final byte[] NOTHING = {};

    private final InputStream from;
    private final DetachKeys keys;
    private final CompletableFuture<Boolean> pressed = new CompletableFuture<>();
    private final CountDownLatch released = new CountDownLatch(1);
    private byte[] taken = NOTHING;
    private int at;
    private boolean seen;

    KeyedInput(InputStream from, DetachKeys keys) {
        this.from = from;
        this.keys = keys;
    }

    /// Waits until they are pressed, or something else has happened.
    void awaitPressed(CompletableFuture<?> other) throws InterruptedException {
        try {
            Object _ = CompletableFuture.anyOf(pressed, other).get();
        } catch (ExecutionException e) { // of the other, whose owner is told
            System.getLogger(KeyedInput.class.getName()).log(System.Logger.Level.DEBUG, "no keys are awaited", e);
        }
    }

    /// Lets its reader go on, to the end.
    void release() {
        released.countDown();
    }

    boolean isPressed() {
        return pressed.isDone();
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        int count = read(one, 0, 1);
        return count < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        byte[] typed = new byte[length];
        while (at == taken.length) {
            if (seen) { // what was typed before them has been passed on
                pressed.complete(true);
                awaitRelease();
                return -1;
            }
            int count = from.read(typed);
            if (count < 0) {
                return -1;
            }
            DetachKeys.Input input = keys.take(typed, count);
            taken = input.bytes();
            at = 0;
            seen = input.detached();
        }
        int count = Math.min(length, taken.length - at);
        System.arraycopy(taken, at, bytes, offset, count);
        at += count;
        return count;
    }

    private void awaitRelease() {
        try {
            released.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
