package dev.caisson.cli.front;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.SharedFile;
import dev.caisson.linux.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/// A caller whose command this process runs: its signals, its streams, its end. When the front end goes, whoever runs
/// the command is interrupted, and nobody waits in the caller's streams any more.
public final class Client {
    private static final int MOST_HELD = 64;

    private final Fd socket;
    private final Request request;
    private final boolean takesSignals;
    private final SharedFile.Stop stop = new SharedFile.Stop();
    private final List<SharedFile> files = new ArrayList<>();
    private final List<Integer> held = new ArrayList<>();
    /// Held while a signal is handled: the command's descriptors are closed by nobody meanwhile.
    private final Object handling = new Object();

    private @Nullable IntConsumer handler;
    private @Nullable Thread runner;
    private boolean signalsLeft;
    private boolean paused;
    private volatile boolean over;
    private boolean answered;

    /// @param takesSignals whether signals are the command's, or end the front end
    Client(Fd socket, Request request, boolean takesSignals) {
        this.socket = socket;
        this.request = request;
        this.takesSignals = takesSignals;
        try {
            request.streams().forEach(stream -> files.add(new SharedFile(stream, stop)));
        } catch (RuntimeException e) {
            files.forEach(SharedFile::close);
            stop.close();
            throw e;
        }
    }

    public Request request() {
        return request;
    }

    public InputStream input() {
        return files.getFirst().input();
    }

    /// Returns descriptor 1 or 2, to which nothing is written while the front end is stopped.
    public OutputStream output(int number) {
        OutputStream to = files.get(number).output();
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                awaitResumed();
                to.write(one);
            }

            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                awaitResumed();
                to.write(bytes, from, length);
            }
        };
    }

    private synchronized void awaitResumed() throws IOException {
        while (paused && !over) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    /// Calls `taker` with each signal, in another thread, first with those that have come already. The front end
    /// sends none for a command that takes none.
    public void onSignal(IntConsumer taker) {
        synchronized (handling) {
            handler = taker;
            held.forEach(taker::accept);
            held.clear();
        }
    }

    /// Lets signals end the front end.
    public void leaveSignals() {
        byte[] again;
        synchronized (handling) {
            if (!takesSignals || signalsLeft) {
                return;
            }
            signalsLeft = true;
            again = Wire.mask(held);
            held.clear();
        }
        tell(() -> Wire.send(socket, Wire.LEAVE, 0, again));
    }

    /// Ends the front end with an exit status, and the command, whatever it does.
    public void exit(int status) {
        answer(status);
        cancel();
    }

    private void answer(int status) {
        synchronized (this) {
            if (answered) {
                return;
            }
            answered = true;
        }
        tell(() -> Wire.send(socket, Wire.EXIT, status));
    }

    private static void tell(Runnable send) {
        try {
            send.run();
        } catch (ErrnoException e) {
            if (!Sockets.isClosed(e)) {
                throw e;
            } // else its end is seen where messages are read
        }
    }

    /// Runs the command in this thread. When this returns, nothing of the caller's is open here any more, and the front
    /// end knows the exit status.
    void run(ToIntFunction<Client> command) {
        int status = 1; // of a JVM that ends with an Error
        try {
            Wire.send(socket, Wire.STARTED, takesSignals ? 1 : 0);
            synchronized (this) {
                runner = Thread.currentThread();
                if (over) {
                    runner.interrupt();
                }
            }
            status = command.applyAsInt(this);
        } catch (RuntimeException | Error e) {
            report(e);
        } finally {
            synchronized (this) {
                runner = null;
            }
            boolean _ = Thread.interrupted(); // the thread runs other commands
            closeFiles();
            answer(status);
            Sockets.hangUp(socket);
        }
    }

    private void report(Throwable e) {
        try {
            output(2)
                    .write(("caisson: INTERNAL: " + e + "; this is a defect of Caisson, please report it\n")
                            .getBytes(StandardCharsets.UTF_8));
        } catch (IOException | RuntimeException lost) {
            e.addSuppressed(lost);
        }
        System.getLogger(Client.class.getName()).log(System.Logger.Level.ERROR, "a command failed", e);
    }

    /// Closes what the caller gave. [#run] does so too.
    void closeFiles() {
        synchronized (this) {
            over = true;
            notifyAll();
        }
        stop.stop();
        synchronized (handling) {
            handler = null;
            files.forEach(SharedFile::close);
            stop.close();
            request.close();
        }
    }

    /// Interrupts the command, and whoever waits in its streams.
    void cancel() {
        synchronized (this) {
            over = true;
            notifyAll();
        }
        stop.stop(); // first: what the command says of the interrupt is for nobody
        synchronized (this) {
            if (runner != null) {
                runner.interrupt();
            }
        }
    }

    /// Reads what the front end sends, until it hangs up or the command has ended.
    void listen() {
        try {
            while (true) {
                Sockets.Message next = Sockets.receive(socket, Wire.HEADER);
                next.descriptors().forEach(Fd::close);
                if (next.isEnd()) {
                    return;
                }
                Wire.Message message = Wire.parse(next.bytes());
                switch (message.op()) {
                    case Wire.SIGNAL -> take(message.value());
                    case Wire.PAUSE -> pause(true);
                    case Wire.RESUME -> pause(false);
                    default -> throw new WireException("the message " + message.op());
                }
            }
        } catch (WireException | ErrnoException e) {
            System.getLogger(Client.class.getName()).log(System.Logger.Level.DEBUG, "a front end is hung up on", e);
        } finally {
            cancel();
        }
    }

    private synchronized void pause(boolean stopped) {
        paused = stopped;
        notifyAll();
    }

    private void take(int number) {
        if (number < 1 || number > Long.SIZE) {
            throw new WireException("the signal " + number);
        }
        synchronized (handling) {
            IntConsumer to = handler;
            if (to != null) {
                to.accept(number);
            } else if (!over && held.size() < MOST_HELD) {
                held.add(number);
            }
        }
    }
}
