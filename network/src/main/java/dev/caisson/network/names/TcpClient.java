package dev.caisson.network.names;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Reactor;
import org.jspecify.annotations.Nullable;

/// One TCP connection of a container: a question, its answer, the next question; each within ten seconds.
final class TcpClient {
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private final ServedNames served;
    private final Reactor reactor;
    private final Fd socket;
    private final Frames frames;
    private Reactor.@Nullable Timer deadline;
    private long watch = -1;
    private boolean closed;

    TcpClient(ServedNames served, Reactor reactor, Fd socket) {
        this.served = served;
        this.reactor = reactor;
        this.socket = socket;
        frames = new Frames(socket, Wire.LONGEST_UDP);
        nextQuestion();
    }

    private void nextQuestion() {
        setDeadline();
        watch(false, this::read);
    }

    private void setDeadline() {
        if (deadline != null) {
            deadline.cancel();
        }
        deadline = reactor.at(System.nanoTime() + PATIENCE_NANOS, this::close);
    }

    private void watch(boolean writable, Runnable ready) {
        stop();
        watch = writable
                ? reactor.watchWritable(socket, () -> guarded(ready), _ -> close())
                : reactor.watch(socket, () -> guarded(ready), _ -> close());
    }

    private void stop() {
        if (watch >= 0) {
            reactor.forget(watch, socket);
            watch = -1;
        }
    }

    private void guarded(Runnable ready) {
        try {
            ready.run();
        } catch (ErrnoException e) { // the client is gone
            close();
        }
    }

    private void read() {
        switch (frames.read()) {
            case MORE -> {}
            case END -> close();
            case MESSAGE -> {
                stop();
                handle();
            }
        }
    }

    private void handle() {
        if (closed) {
            return;
        }
        long now = System.nanoTime();
        if (!served.rate().isLeft(now)) {
            reactor.at(served.rate().again(now), this::handle);
            return;
        }
        served.rate().take();
        byte[] message = frames.take();
        if (!served.handle(message, message.length, true, this::answer)) {
            close();
        }
    }

    private void answer(byte[] answer) {
        if (closed) {
            return;
        }
        setDeadline();
        frames.queue(answer, answer.length);
        guarded(this::write);
    }

    private void write() {
        if (frames.flush()) {
            nextQuestion();
        } else if (watch < 0) {
            watch(true, this::write);
        }
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (deadline != null) {
            deadline.cancel();
        }
        stop();
        socket.close();
        served.left(this);
    }
}
