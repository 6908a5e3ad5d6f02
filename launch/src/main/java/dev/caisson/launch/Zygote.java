package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The process that makes containers: a static program in sealed memory with one socket, in a root of its
/// own that holds nothing of the host. One per engine; it ends when the engine's end of the socket closes.
/// The protocol is drawn in `native/plan.h`.
public final class Zygote implements AutoCloseable {
    /// A container's first process, which is a child of this JVM and waits for its start.
    record Child(int pid, Fd pidfd) {}

    private static final String PROGRAM = "caisson-init";
    private static final int REQUEST_USERNS = 1;
    private static final int REQUEST_CHILD = 2;
    private static final int REQUEST_HOST_CHILD = 11;
    private static final int REQUEST_ROOT = 3;
    private static final int REQUEST_DEVICE = 4;
    private static final int REQUEST_EXEC = 5;
    private static final int REQUEST_LINKS = 10;
    private static final int ROOT_TMPFS = 2;
    private static final int ROOT_OVERLAY = 3;
    private static final int ROOT_COVER = 4;
    private static final int ROOT_VOLATILE = 1;
    private static final int REQUEST_BYTES = 52;
    private static final int OOM_SCORE_AT = 48;
    private static final int REPLY_BYTES = 16;

    private final Fd socket;
    private final ReentrantLock sending = new ReentrantLock();
    private final ReentrantLock receiving = new ReentrantLock();
    /// Answers that are due, in the order of the requests.
    private final Queue<Answer> awaited = new ConcurrentLinkedQueue<>();

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread keeper;
    private final int pid;

    /// @param keeper the thread that lives as long as the process
    Zygote(Fd socket, Thread keeper, int pid) {
        this.socket = socket;
        this.keeper = keeper;
        this.pid = pid;
    }

    /// Starts it, and waits until it stands.
    /// @throws HostException where the host does not let it
    public static Zygote start() {
        return await(begin(false));
    }

    /// Starts it beside the caller.
    ///
    /// @param links whether it keeps the capability to make network links, CAP_NET_ADMIN
    public static CompletableFuture<Zygote> begin(boolean links) {
        return begin(links, Zygote::executable);
    }

    /// @param program makes the file that is executed
    static CompletableFuture<Zygote> begin(boolean links, Supplier<Fd> program) {
        Sockets.Pair pair = Sockets.pair();
        var started = new CompletableFuture<Zygote>();
        // Containers are children of the thread that spawned the zygote, and die when that thread ends, prctl(2)
        // PR_SET_PDEATHSIG: so this one lives as long as the engine.
        Thread.ofPlatform().daemon().name("caisson-zygote").start(() -> keep(pair, links, program, started));
        return started;
    }

    /// Waits until it stands.
    /// @throws HostException where the host does not let it
    public static Zygote await(CompletableFuture<Zygote> started) {
        try {
            return started.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof HostException host) {
                throw host;
            }
            throw e;
        }
    }

    private static void keep(
            Sockets.Pair pair, boolean links, Supplier<Fd> executable, CompletableFuture<Zygote> started) {
        Zygote zygote;
        int pid = 0;
        try (Fd program = executable.get()) {
            List<String> arguments = links ? List.of(PROGRAM, "zygote", "links") : List.of(PROGRAM, "zygote");
            pid = Processes.spawn(program, arguments, List.of(pair.theirs()));
            pair.theirs().close();
            zygote = new Zygote(pair.ours(), Thread.currentThread(), pid);
            zygote.awaitStart();
        } catch (RuntimeException | Error e) {
            pair.ours().close();
            pair.theirs().close();
            if (pid > 0) {
                Processes.reap(pid); // it ends with its socket
            }
            started.completeExceptionally(
                    e instanceof HostException
                            ? e
                            : new HostException(
                                    "ZYGOTE_START",
                                    "the engine's helper process could not be started: " + e.getMessage(),
                                    e));
            return;
        }
        started.complete(zygote);
        while (zygote.closed.getCount() > 0) {
            try {
                zygote.closed.await();
            } catch (InterruptedException _) { // only closing ends this thread
            }
        }
        Processes.reap(zygote.pid);
    }

    /// Returns the static program of zygote, init and monitor in sealed memory, which is the caller's to close.
    public static Fd executable() {
        return MemoryFile.sealedExecutable(PROGRAM, program(PROGRAM));
    }

    /// Returns true if `file` is that program, of this very build, in memory that nobody can change.
    public static boolean isExecutable(Fd file) {
        return MemoryFile.isSealed(file, program(PROGRAM));
    }

    static byte[] program(String name) {
        try (InputStream in = Zygote.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new HostException(
                        "PROGRAM_ABSENT",
                        "this build of Caisson has no native program for this machine: build it with ./caisson version");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new HostException(
                    "PROGRAM_ABSENT", "the native program cannot be read from the Caisson installation", e);
        }
    }

    /// Returns its pid, as this process sees it.
    public int pid() {
        return pid;
    }

    /// A user namespace with the map of `range`, through which files can be shown.
    Fd userNamespace(IdRange range) {
        try (Answer answer = askUserNamespace(range)) {
            return answer.descriptor();
        }
    }

    Answer askUserNamespace(IdRange range) {
        return ask(request(REQUEST_USERNS, range), List.of());
    }

    /// Asks for a container's first process, which waits on its end of the control socket.
    ///
    /// @param group the group that it is to be born into
    /// @param network the network namespace of another container, if it gets none of its own
    Answer child(IdRange ids, Set<Namespace> namespaces, Fd control, Optional<Fd> group, Optional<Fd> network) {
        return child(REQUEST_CHILD, ids, namespaces, Stream.of(Optional.of(control), group, network));
    }

    /// The same for a container in the host's network namespace.
    Answer hostChild(IdRange ids, Set<Namespace> namespaces, Fd control, Optional<Fd> group) {
        return child(REQUEST_HOST_CHILD, ids, namespaces, Stream.of(Optional.of(control), group));
    }

    private Answer child(int kind, IdRange ids, Set<Namespace> namespaces, Stream<Optional<Fd>> given) {
        ByteBuffer request = request(kind, ids).putLong(16, Namespace.cloneFlags(namespaces));
        return ask(request, given.flatMap(Optional::stream).toList());
    }

    /// Asks for a process that enters a container, which waits on its end of the control socket.
    ///
    /// @param ids those of the container
    /// @param group the group that it is to be born into
    /// @param oomScore its oom_score_adj
    Answer exec(IdRange ids, Fd control, Optional<Fd> group, int oomScore) {
        return ask(
                request(REQUEST_EXEC, ids).putInt(OOM_SCORE_AT, oomScore),
                group.map(directory -> List.of(control, directory)).orElse(List.of(control)));
    }

    /// Asks for a container's root file system as a detached mount.
    ///
    /// @param layers topmost first, then the upper; without one the zygote makes it, in memory
    Answer root(LaunchPlan plan, List<Fd> layers) {
        boolean inMemory = layers.size() == plan.root().layers();
        ByteBuffer request = request(REQUEST_ROOT, plan.ids())
                .putShort(24, (short) (inMemory ? ROOT_TMPFS : ROOT_OVERLAY))
                .putShort(26, (short) ROOT_VOLATILE)
                .putShort(28, (short) plan.root().layers());
        if (inMemory) {
            request.putLong(32, plan.root().bytes()).putLong(40, plan.root().inodes());
        }
        return ask(request, layers);
    }

    /// Asks for a read-only overlay over detached mounts, topmost first, itself a detached mount.
    Answer cover(IdRange ids, List<Fd> mounts) {
        return ask(
                request(REQUEST_ROOT, ids).putShort(24, (short) ROOT_COVER).putShort(28, (short) mounts.size()),
                mounts);
    }

    /// Asks for a node of the device that `node` is one of, owned inside `ids`, as a detached mount.
    Answer device(IdRange ids, Fd node) {
        return ask(request(REQUEST_DEVICE, ids), List.of(node));
    }

    /// Asks for the links of a child that nobody has reaped, to be awaited by [Answer#done()]. They are gone with the
    /// child's network namespace. Needs a zygote that was started with links.
    ///
    /// @param ids those of the container
    Answer links(IdRange ids, Child child, List<Link> links) {
        ByteBuffer request = request(REQUEST_LINKS, ids, REQUEST_BYTES + Link.ALL_BYTES);
        Link.putAll(links, request.position(REQUEST_BYTES));
        return ask(request, List.of(child.pidfd()));
    }

    private static ByteBuffer request(int kind, IdRange range) {
        return request(kind, range, REQUEST_BYTES);
    }

    private static ByteBuffer request(int kind, IdRange range, int bytes) {
        return ByteBuffer.allocate(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, PlanCodec.MAGIC)
                .putShort(4, (short) kind)
                .putInt(8, range.base())
                .putInt(12, range.count());
    }

    private Answer ask(ByteBuffer request, List<Fd> descriptors) {
        request.putShort(6, (short) descriptors.size());
        var answer = new Answer();
        sending.lock();
        try {
            awaited.add(answer); // before it can be answered
            Sockets.send(socket, bytes(request), descriptors);
            return answer;
        } catch (RuntimeException e) {
            awaited.remove(answer); // else it would take the next one's
            throw e instanceof ErrnoException refused ? gone(refused) : e;
        } finally {
            sending.unlock();
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    /// The zygote speaks first, once.
    void awaitStart() {
        var answer = new Answer();
        awaited.add(answer);
        answer.done();
    }

    private static HostException gone(ErrnoException e) {
        return new HostException(
                "ZYGOTE_GONE",
                "the engine's helper process is gone (" + Errno.name(e.errno()) + "): open the engine again",
                e);
    }

    /// The answer of the zygote to one request. A waiting caller reads those of earlier requests too.
    final class Answer implements AutoCloseable {
        private final CompletableFuture<Sockets.Message> arrived = new CompletableFuture<>();

        /// Waits for the descriptor that was asked for, which is then the caller's.
        /// @throws HostException where the kernel refused it
        Fd descriptor() {
            Sockets.Message message = checked();
            if (message.descriptors().size() != 1) {
                message.close();
                throw new HostException("ZYGOTE_PROTOCOL", "the engine's helper process answered without a descriptor");
            }
            return new Fd(message.descriptors().getFirst().release());
        }

        /// Waits until it is done, if nothing comes with the answer.
        /// @throws HostException if the kernel refused it
        void done() {
            checked().close();
        }

        /// Waits for the process that was asked for.
        /// @throws HostException where the kernel refused it
        Child child() {
            Fd pidfd = descriptor();
            return new Child(integer(message(), 8), pidfd);
        }

        private Sockets.Message message() {
            while (!arrived.isDone()) {
                receiving.lock();
                try {
                    if (!arrived.isDone()) {
                        receiveNext();
                    }
                } finally {
                    receiving.unlock();
                }
            }
            try {
                return arrived.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof HostException refused ? refused : e;
            }
        }

        /// Takes an answer whose descriptor this process has no room for, too: else the next would be taken for it.
        private void receiveNext() {
            try {
                Sockets.Message message = Sockets.receive(socket, REPLY_BYTES);
                awaited.remove().arrived.complete(message);
            } catch (ErrnoException e) {
                if (!e.is(Errno.EPROTO) && !e.is(Errno.EMFILE)) {
                    throw gone(e);
                }
                awaited.remove()
                        .arrived
                        .completeExceptionally(new HostException(
                                "OPEN_FILES",
                                "this process has no room for another open file: raise its limit (ulimit -n), or run"
                                        + " fewer containers at once",
                                e));
            }
        }

        private Sockets.Message checked() {
            Sockets.Message message = message();
            requireWhole(message);
            int status = integer(message, 4);
            if (status != 0) {
                // A child that the zygote has killed is this process's to reap.
                message.descriptors().forEach(Processes::reap);
                message.close();
                throw ZygoteStages.refused(integer(message, 12), -status);
            }
            return message;
        }

        /// Closes what nobody took; a waiting child reads the end of its control socket.
        @Override
        public void close() {
            try {
                message().close();
            } catch (HostException _) {
                // the zygote is gone, and with it what it would have given
            }
        }
    }

    private static int integer(Sockets.Message message, int at) {
        return ByteBuffer.wrap(message.bytes()).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
    }

    private static void requireWhole(Sockets.Message message) {
        if (message.bytes().length != REPLY_BYTES) {
            message.close();
            throw new HostException("ZYGOTE_GONE", "the engine's helper process has ended: open the engine again");
        }
    }

    /// Ends it and waits until it is gone.
    @Override
    public void close() {
        socket.close();
        closed.countDown();
        boolean interrupted = false;
        while (keeper.isAlive() && Thread.currentThread() != keeper) {
            try {
                keeper.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
