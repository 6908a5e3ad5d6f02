package dev.caisson.cli.front;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Sockets;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/// Listens for front ends and runs the commands of each in a thread of its own. Only root is served, and no more than
/// [#MOST_CLIENTS] at once: whoever comes then is refused, and its command runs in a JVM of its own.
public final class Server implements AutoCloseable {
    /// The commands as the protocol sees them.
    public interface Commands {
        /// Decides whether this process runs it.
        Admission admit(Request request);

        /// Returns whether signals are the command's, or end the front end.
        boolean takesSignals(Request request);

        /// Runs a command and returns its exit status. An interrupt says that the caller is gone.
        int run(Client client);
    }

    /// The answer to a request.
    public sealed interface Admission {
        /// The caller has to run it in a process of its own.
        record Refused(String reason) implements Admission {}

        /// It is run.
        /// @param end called once, when the command was not begun or has ended, before its caller knows that
        record Admitted(Runnable end) implements Admission {}
    }

    public static final int MOST_CLIENTS = 256;
    /// Below the state directory.
    public static final String DIRECTORY = "serve";

    private static final System.Logger LOG = System.getLogger(Server.class.getName());
    private static final String SOCKET = "socket";
    private static final String LOCK = "lock";
    private static final int WAITING = 128;
    private static final long REQUEST_MILLIS = 10_000;
    private static final long IDLE_SECONDS = 30;
    private static final long END_SECONDS = 60;
    private static final long STACK = 1 << 20;

    private final Commands commands;
    private final SourceWatch sources;
    private final Fd directory;
    private final Fd lock;
    private final Fd listening;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connected = new AtomicInteger();
    private volatile long leftAt = System.nanoTime();
    /// Two threads for each client: one reads what it sends, the other runs its command.
    private final ThreadPoolExecutor threads = new ThreadPoolExecutor(
            2, 2 * MOST_CLIENTS, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Server::thread);

    private Server(Commands commands, SourceWatch sources, Fd directory, Fd lock, Fd listening) {
        this.commands = commands;
        this.sources = sources;
        this.directory = directory;
        this.lock = lock;
        this.listening = listening;
    }

    private static Thread thread(Runnable work) {
        return Thread.ofPlatform()
                .daemon()
                .name("caisson-command")
                .stackSize(STACK)
                .unstarted(work);
    }

    /// Listens below a state directory.
    /// @param sources of the build, which the caller closes
    /// @return empty if another process does so already
    /// @throws ErrnoException if the directory cannot be used
    public static Optional<Server> open(Fd state, Commands commands, SourceWatch sources) {
        Fd directory = FileSystem.openOrMakeDirectory(state, DIRECTORY, 0700);
        try {
            FileStatus status = FileSystem.status(directory);
            if (status.uid() != 0 || (status.permissions() & 077) != 0) {
                throw new ErrnoException("open " + DIRECTORY, Errno.EPERM);
            }
            Fd lock = FileSystem.openAt(
                    directory, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, FileSystem.RESOLVE_NO_SYMLINKS);
            if (!FileLocks.tryLock(lock)) {
                lock.close();
                directory.close();
                return Optional.empty();
            }
            removeSocket(directory); // of one that was killed
            return Optional.of(
                    new Server(commands, sources, directory, lock, Sockets.listen(directory, SOCKET, WAITING)));
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    private static void removeSocket(Fd directory) {
        try {
            FileSystem.removeFile(directory, SOCKET);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    /// Serves in this thread, until [#stop].
    public void serve() {
        while (true) {
            Optional<Fd> socket;
            try {
                socket = Sockets.accept(listening);
            } catch (ErrnoException | OutOfMemoryError e) { // no descriptor or no memory is left for it
                LOG.log(System.Logger.Level.WARNING, "a front end cannot be accepted: " + e.getMessage());
                pause();
                continue;
            }
            if (socket.isEmpty()) {
                return;
            }
            begin(socket.get());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void begin(Fd socket) {
        try {
            if (connected.incrementAndGet() > MOST_CLIENTS) {
                throw new RejectedExecutionException("too many commands");
            }
            threads.execute(() -> {
                try (socket) {
                    serve(socket);
                } finally {
                    leave();
                }
            });
        } catch (RejectedExecutionException | OutOfMemoryError e) { // no thread could be had
            leave();
            try (socket) {
                Wire.refuse(socket, "it runs too many commands at once");
            } catch (ErrnoException gone) {
                LOG.log(System.Logger.Level.DEBUG, "a front end is gone before it is refused", gone);
            }
        }
    }

    private void leave() {
        leftAt = System.nanoTime();
        connected.decrementAndGet();
    }

    private void serve(Fd socket) {
        try {
            if (Sockets.peerUid(socket) != 0) {
                return;
            }
            Sockets.receiveTimeout(socket, REQUEST_MILLIS);
            try (Request request = Request.receive(socket)) {
                switch (commands.admit(request)) {
                    case Admission.Refused refused -> Wire.refuse(socket, refused.reason());
                    case Admission.Admitted admitted -> {
                        Runnable end = once(admitted.end());
                        try {
                            begin(socket, request, end);
                        } finally {
                            end.run();
                        }
                    }
                }
            }
        } catch (WireException | ErrnoException | IllegalStateException e) {
            LOG.log(System.Logger.Level.DEBUG, "a front end is hung up on", e);
        }
    }

    private static Runnable once(Runnable end) {
        var called = new AtomicBoolean();
        return () -> {
            if (called.compareAndSet(false, true)) {
                end.run();
            }
        };
    }

    private void begin(Fd socket, Request request, Runnable end) {
        if (isFresh(socket)) {
            Sockets.receiveTimeout(socket, 0);
            serve(socket, request, end);
        }
    }

    /// Has the front end look for newer sources, unless nothing has changed since one did. It hangs up where it finds
    /// one.
    private boolean isFresh(Fd socket) {
        OptionalLong mark = sources.toLook();
        if (mark.isEmpty()) {
            return true;
        }
        Wire.send(socket, Wire.LOOK, 0);
        try (Sockets.Message answer = Sockets.receive(socket, Wire.HEADER + Wire.MAX_PAYLOAD)) {
            if (answer.bytes().length == 0 || Wire.parse(answer.bytes()).op() != Wire.FRESH) {
                return false;
            }
        }
        sources.looked(mark.getAsLong());
        return true;
    }

    private void serve(Fd socket, Request request, Runnable end) {
        var client = new Client(socket, request, commands.takesSignals(request));
        clients.add(client);
        try {
            var running = new FutureTask<Void>(() -> client.run(one -> run(one, end)), null);
            threads.execute(running);
            client.listen();
            await(running);
        } catch (RejectedExecutionException | OutOfMemoryError e) { // before it was told that its command runs
            client.closeFiles();
        } finally {
            clients.remove(client);
        }
    }

    private int run(Client client, Runnable end) {
        try {
            return commands.run(client);
        } finally {
            end.run();
        }
    }

    /// A command ends when it is interrupted, if nothing in it is stuck. Its descriptors are open until then.
    private static void await(FutureTask<Void> running) {
        boolean interrupted = false;
        while (true) {
            try {
                running.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                LOG.log(System.Logger.Level.ERROR, "a command ended without an answer", e);
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Lets [#serve] return.
    public void stop() {
        Sockets.hangUp(listening);
    }

    /// True if no front end is connected.
    public boolean isIdle() {
        return connected.get() == 0;
    }

    /// Returns by [System#nanoTime()] when a front end was connected last.
    public long usedAt() {
        return isIdle() ? leftAt : System.nanoTime();
    }

    /// Takes no more clients and waits for those that are there, for as long as `waits` says.
    public void finish(BooleanSupplier waits) {
        stop();
        removeSocket(directory);
        while (!isIdle() && waits.getAsBoolean()) {
            pause();
        }
    }

    /// Takes no more clients, ends the commands of those that are there and waits for that.
    @Override
    public void close() {
        stop();
        removeSocket(directory);
        clients.forEach(Client::cancel);
        threads.shutdown();
        try {
            if (!threads.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(System.Logger.Level.WARNING, "a command does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        listening.close();
        lock.close();
        directory.close();
    }
}
