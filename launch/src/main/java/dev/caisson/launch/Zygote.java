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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

/// The process that makes containers: a static program in sealed memory with one socket, in a root of its own that
/// holds
/// nothing of the host. One per engine; it ends when the engine's end of the socket closes. The protocol is drawn in
/// `native/plan.h`.
public final class Zygote implements AutoCloseable {
    /// A container's first process, which is a child of this JVM and waits for its start.
    record Child(int pid, Fd pidfd) {}

    private static final String PROGRAM = "caisson-init";
    private static final int REQUEST_USERNS = 1;
    private static final int REQUEST_LAUNCH = 2;
    private static final int ROOT_TMPFS = 2;
    private static final int ROOT_OVERLAY = 3;
    private static final int ROOT_VOLATILE = 1;
    private static final int NO_SLOT = 0xffff;
    private static final int MAX_LOWERS = 64;
    private static final int REQUEST_BYTES = 56 + 2 * MAX_LOWERS;
    private static final int REPLY_BYTES = 16;
    private static final List<String> STAGES = List.of(
            "",
            "reading the request",
            "assembling the root file system",
            "cloning",
            "writing the id maps",
            "building its private root");

    private final ReentrantLock lock = new ReentrantLock();
    private final Fd socket;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread keeper;
    private final int pid;

    private Zygote(Fd socket, Thread keeper, int pid) {
        this.socket = socket;
        this.keeper = keeper;
        this.pid = pid;
    }

    /// Starts it, and waits until it stands.
    /// @throws HostException where the host does not let it
    public static Zygote start() {
        return await(begin());
    }

    /// Starts it beside the caller.
    public static CompletableFuture<Zygote> begin() {
        Sockets.Pair pair = Sockets.pair();
        var started = new CompletableFuture<Zygote>();
        // Containers are children of the thread that spawned the zygote, and die when that thread ends, prctl(2)
        // PR_SET_PDEATHSIG: so this one lives as long as the engine.
        Thread.ofPlatform().daemon().name("caisson-zygote").start(() -> keep(pair, started));
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

    private static void keep(Sockets.Pair pair, CompletableFuture<Zygote> started) {
        Zygote zygote;
        try (Fd program = MemoryFile.sealedExecutable(PROGRAM, program())) {
            int pid = Processes.spawn(program, List.of(PROGRAM, "zygote"), List.of(pair.theirs()));
            pair.theirs().close();
            zygote = new Zygote(pair.ours(), Thread.currentThread(), pid);
            zygote.receive().close();
        } catch (RuntimeException e) {
            pair.ours().close();
            pair.theirs().close();
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
        boolean interrupted = false;
        while (zygote.closed.getCount() > 0) {
            try {
                zygote.closed.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        Processes.reap(zygote.pid);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] program() {
        try (InputStream in = Zygote.class.getResourceAsStream(PROGRAM)) {
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

    /// As this process sees it.
    public int pid() {
        return pid;
    }

    /// A user namespace with the map of `range`, through which files can be shown.
    Fd userNamespace(IdRange range) {
        ByteBuffer request = request(REQUEST_USERNS, 0, range);
        try (Sockets.Message reply = exchange(request, List.of(), () -> {})) {
            return new Fd(only(reply).release());
        }
    }

    /// Makes the root file system and the container's first process.
    ///
    /// @param slots all of the plan's but the root, which the zygote appends
    /// @param sent called when the zygote has the slots and works: the caller's own can go
    Child launch(LaunchPlan plan, List<Fd> slots, Runnable sent) {
        ByteBuffer request = request(REQUEST_LAUNCH, slots.size(), plan.ids());
        long flags = 0;
        for (Namespace namespace : plan.namespaces()) {
            // The control group namespace is entered by init, once it is in its groups.
            flags |= namespace == Namespace.CGROUP ? 0 : namespace.cloneFlag();
        }
        int cgroup = SlotSource.position(plan.slots(), SlotSource.CgroupDirectory.class, 0);
        int upper = SlotSource.position(plan.slots(), SlotSource.Upper.class, 0);
        LayerMedium medium = plan.medium();
        request.putLong(16, flags)
                .putShort(24, (short) (cgroup < 0 ? NO_SLOT : cgroup))
                .putShort(26, (short) (medium == LayerMedium.MEMORY ? ROOT_TMPFS : ROOT_OVERLAY))
                .putShort(28, (short) ROOT_VOLATILE)
                .putShort(30, (short) (upper < 0 ? NO_SLOT : upper))
                .putShort(32, (short) plan.root().layers())
                .putLong(40, plan.root().bytes())
                .putLong(48, plan.root().inodes());
        for (int i = 0; i < plan.root().layers(); i++) {
            request.putShort(
                    56 + 2 * i, (short) plan.slot(SlotSource.Layer.class, i).index());
        }
        try (Sockets.Message reply = exchange(request, slots, sent)) {
            int child = ByteBuffer.wrap(reply.bytes())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getInt(8);
            return new Child(child, new Fd(only(reply).release()));
        }
    }

    private static Fd only(Sockets.Message reply) {
        if (reply.descriptors().size() != 1) {
            throw new HostException("ZYGOTE_PROTOCOL", "the engine's helper process answered without a descriptor");
        }
        return reply.descriptors().getFirst();
    }

    private static ByteBuffer request(int kind, int slots, IdRange range) {
        return ByteBuffer.allocate(REQUEST_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, PlanCodec.MAGIC)
                .putShort(4, (short) kind)
                .putShort(6, (short) slots)
                .putInt(8, range.base())
                .putInt(12, range.count())
                .putShort(24, (short) NO_SLOT)
                .putShort(30, (short) NO_SLOT);
    }

    private Sockets.Message exchange(ByteBuffer request, List<Fd> slots, Runnable sent) {
        lock.lock();
        try {
            Sockets.send(socket, bytes(request), slots);
            sent.run();
            return receive();
        } catch (ErrnoException e) {
            throw new HostException(
                    "ZYGOTE_GONE",
                    "the engine's helper process is gone (" + Errno.name(e.errno()) + "): open the engine again",
                    e);
        } finally {
            lock.unlock();
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    private Sockets.Message receive() {
        Sockets.Message message = Sockets.receive(socket, REPLY_BYTES);
        if (message.bytes().length != REPLY_BYTES) {
            message.close();
            throw new HostException("ZYGOTE_GONE", "the engine's helper process has ended: open the engine again");
        }
        ByteBuffer reply = ByteBuffer.wrap(message.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        int status = reply.getInt(4);
        if (status != 0) {
            // A child that the zygote has killed is this process's to reap.
            message.descriptors().forEach(Processes::reap);
            message.close();
            int stage = reply.getInt(12);
            String where = stage > 0 && stage < STAGES.size() ? STAGES.get(stage) : "stage " + stage;
            throw new HostException(
                    "ZYGOTE_FAILED",
                    "the kernel refused " + where + " (" + Errno.name(-status) + ")" + advice(stage, -status));
        }
        return message;
    }

    private static String advice(int stage, int errno) {
        if (stage == 3 && errno == Errno.ENOSPC) {
            return ": the host's limit of namespaces is reached, see /proc/sys/user/max_*_namespaces";
        }
        if (stage == 3 && errno == Errno.EAGAIN) {
            return ": the host's limit of processes is reached";
        }
        if (errno == Errno.EPERM) {
            return ": the engine needs root, with CAP_SYS_ADMIN over the host";
        }
        return "";
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
