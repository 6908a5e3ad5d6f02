package dev.caisson.gate;

import dev.caisson.error.ArgumentException;
import dev.caisson.gate.wire.Settings;
import dev.caisson.gate.wire.SharedValues;
import dev.caisson.gate.wire.ToProcess;
import dev.caisson.gate.wire.ToStarter;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The gates of one container in a process of their own, which has its values and nothing else: no privileges, no files
/// but the JVM's, no network but the connections that it is handed. It ends with this one.
public final class GateProcess implements OpenGates {
    /// Addresses, keys and listeners that a process is opened with.
    ///
    /// @param starter makes the static program of `native/`, which is closed when it was started
    /// @param group bounds the process
    /// @param address of the host, that the gates listen on
    /// @param container its address; others are not served
    /// @param bundle certificates of the authorities that servers are verified by; empty for those of the JVM
    /// @param ended is called, once, if the process ends by itself
    public record Setting(
            Supplier<Fd> starter,
            ProcessGroup group,
            InetAddress address,
            InetAddress container,
            Authority authority,
            Optional<byte[]> bundle,
            Origins origins,
            Notes notes,
            Runnable ended) {}

    private static final System.Logger LOG = System.getLogger(GateProcess.class.getName());
    private static final int START_SECONDS = 30;
    private static final int ANSWER_SECONDS = 10;
    private static final int FAILURE_BYTES = 8;
    private static final int SIGKILL = 9;
    private static final List<String> STEPS = List.of(
            "",
            "reading its arguments",
            "joining its control group",
            "making its namespaces",
            "copying mounts",
            "making its root",
            "attaching mounts",
            "setting limits",
            "dropping privileges",
            "closing streams",
            "starting the JVM");

    private final Setting setting;
    private final List<Gate> gates;
    private final ProcessSocket socket;
    private final StarterAnswers answers;
    private final Map<Integer, Integer> ports = new TreeMap<>();
    private final CompletableFuture<Integer> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    /// To what was asked last; an answer that comes before is one too many.
    private volatile CompletableFuture<ToStarter> answer = CompletableFuture.completedFuture(new ToStarter.Done());
    private volatile boolean closed;

    private GateProcess(Setting setting, List<Gate> gates, Sockets.Pair pair) {
        this.setting = setting;
        this.gates = gates;
        this.socket = new ProcessSocket(pair.ours(), TimeUnit.SECONDS.toMillis(ANSWER_SECONDS));
        this.answers = new StarterAnswers(socket, gates, setting.origins(), setting.notes());
        // The process ends with the thread that started it, prctl(2) PR_SET_PDEATHSIG.
        Thread.ofPlatform().daemon().name("caisson gate process").start(() -> run(pair));
    }

    /// Starts a process and opens the gates in it.
    ///
    /// @param gates with their values, which are closed, also if this fails
    /// @throws GateException GATE_PROCESS, GATE_PROGRAM
    /// @throws ArgumentException ARGUMENT_INVALID for a value that no request can have
    /// @throws IOException if no socket can be bound
    public static GateProcess open(Setting setting, List<GateServer.Valued> gates) throws IOException {
        return open(setting, gates, Guest.Patience.STANDARD);
    }

    static GateProcess open(Setting setting, List<GateServer.Valued> gates, Guest.Patience patience)
            throws IOException {
        try {
            gates.forEach(one -> GateServer.require(one.gate(), one.value()));
            var process =
                    start(setting, gates.stream().map(GateServer.Valued::gate).toList());
            try {
                process.begin(gates, patience);
                return process;
            } catch (RuntimeException | IOException | Error e) {
                process.close();
                throw e;
            }
        } finally {
            gates.forEach(one -> one.value().close());
        }
    }

    private static GateProcess start(Setting setting, List<Gate> gates) {
        Sockets.Pair pair = Sockets.pair();
        try {
            return new GateProcess(setting, gates, pair);
        } catch (RuntimeException | Error e) { // no thread, or no memory
            pair.ours().close();
            pair.theirs().close();
            throw e;
        }
    }

    private void begin(List<GateServer.Valued> valued, Guest.Patience patience) throws IOException {
        int pid = await(ready, START_SECONDS);
        ProcessCheck.require(pid);
        if (!setting.group().holds(pid)) {
            throw GateException.process("is not in its control group");
        }
        var descriptors = new ArrayList<Fd>();
        try {
            descriptors.add(MemoryFile.sealed(
                    "caisson-gate",
                    new Settings(
                                    gates,
                                    setting.container(),
                                    setting.authority().text(),
                                    setting.bundle(),
                                    patience.parts())
                            .bytes()));
            descriptors.add(share(valued));
            for (int port : gates.stream().map(Gate::port).distinct().toList()) {
                Fd listening =
                        InternetSockets.listenTcp(new InetSocketAddress(setting.address(), 0), GateServer.BACKLOG);
                descriptors.add(listening);
                ports.put(port, InternetSockets.localAddress(listening).getPort());
            }
            ask(new ToProcess.Open(gates.stream().map(Gate::port).distinct().toList()), descriptors);
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            descriptors.forEach(Fd::close);
        }
    }

    private static Fd share(List<GateServer.Valued> valued) {
        List<SecretValue> values = valued.stream().map(GateServer.Valued::value).toList();
        return SharedValues.share(values);
    }

    private void ask(ToProcess question, List<Fd> descriptors) {
        var expected = new CompletableFuture<ToStarter>();
        answer = expected;
        if (!socket.send(question.bytes(), descriptors)) {
            throw GateException.process("has ended");
        }
        boolean done = false;
        try {
            if (await(expected, ANSWER_SECONDS) instanceof ToStarter.Failed failed) {
                throw GateException.process("could not do what it was asked for: " + sentence(failed));
            }
            done = true;
        } finally {
            if (!done) {
                socket.hangUp(); // nobody knows which values it has: it is ended, and opened again with those of now
            }
        }
    }

    private static String sentence(ToStarter.Failed failed) {
        return failed.sentence().replaceAll("[^ -~]", "?");
    }

    private static <T> T await(CompletableFuture<T> future, int seconds) {
        try {
            return future.get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GateException known) {
                throw known;
            }
            throw GateException.process("failed: " + e.getMessage());
        } catch (TimeoutException e) {
            throw GateException.process("did not answer within " + seconds + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw GateException.process("was not waited for: this thread was interrupted");
        }
    }

    private void run(Sockets.Pair pair) {
        int pid = 0;
        GateException failure = null;
        try (Fd program = setting.starter().get()) {
            pid = spawn(program, pair.theirs());
            pair.theirs().close();
            socket.send(new ToProcess.Confine(GateProfile.bytes()).bytes(), List.of()); // else it has said why not
            receive(pid);
        } catch (GateException e) {
            failure = e;
        } catch (IOException | RuntimeException | Error e) {
            failure = GateException.process(
                    "failed: " + (e instanceof Error || e.getMessage() == null ? e : e.getMessage()));
        } finally {
            pair.theirs().close();
            end(pid, failure);
        }
    }

    private int spawn(Fd program, Fd theirs) {
        List<Fd> joins = setting.group().joins();
        try {
            var inherited = new ArrayList<>(List.of(theirs));
            inherited.addAll(joins);
            return Processes.spawn(program, GateProgram.ofThisJvm().arguments(joins.size()), inherited);
        } finally {
            joins.forEach(Fd::close);
        }
    }

    private void receive(int pid) throws IOException {
        while (true) {
            try (Sockets.Message message = socket.receive(ToStarter.MOST_BYTES)) {
                if (message.isEnd()) {
                    return;
                }
                if (message.bytes().length == FAILURE_BYTES && message.bytes()[0] == 0) {
                    throw failure(message.bytes());
                }
                if (!message.descriptors().isEmpty()) {
                    throw new ProtocolException("descriptors come from the process");
                }
                take(ToStarter.read(message.bytes()), pid);
            }
        }
    }

    private void take(ToStarter message, int pid) throws ProtocolException {
        switch (message) {
            case ToStarter.Ready _ -> {
                if (!ready.complete(pid)) {
                    throw new ProtocolException("the process is ready twice");
                }
            }
            case ToStarter.Failed failed -> {
                if (!answer.complete(message) || !ready.isDone()) {
                    throw new ProtocolException(sentence(failed));
                }
            }
            case ToStarter.Done _ -> {
                if (!answer.complete(message)) {
                    throw new ProtocolException("an answer comes that nothing was asked for");
                }
            }
            case ToStarter.Allows _,
                    ToStarter.Addresses _,
                    ToStarter.Connect _,
                    ToStarter.Used _,
                    ToStarter.Refused _ -> answers.take(message);
        }
    }

    private static GateException failure(byte[] bytes) {
        ByteBuffer failure = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int step = failure.get(1);
        return GateException.process("could not be started: "
                + (step > 0 && step < STEPS.size() ? STEPS.get(step) : "step " + step) + " failed with "
                + Errno.name(failure.getInt(4)));
    }

    /// @param known why it is ended; null if its socket has ended
    private void end(int pid, @Nullable GateException known) {
        GateException failure = known == null ? GateException.process("has ended") : known;
        try {
            if (pid > 0) {
                Processes.End end = kill(pid);
                if (known == null) {
                    failure = GateException.process(
                            "has ended by " + (end.bySignal() ? "signal " + end.signal() : "status " + end.code()));
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "the process of gates was not ended", e);
        } finally {
            ready.completeExceptionally(failure);
            answer.completeExceptionally(failure);
            socket.close();
            over.complete(null);
        }
        if (!closed) {
            LOG.log(System.Logger.Level.DEBUG, failure.sentence());
            setting.ended().run();
        }
    }

    private static Processes.End kill(int pid) {
        try (Fd process = Processes.open(pid)) {
            Processes.signal(process, SIGKILL);
            return Processes.reap(process);
        }
    }

    @Override
    public synchronized void replace(List<GateServer.Valued> next) {
        try {
            next.forEach(one -> GateServer.require(one.gate(), one.value()));
            if (!next.stream().map(GateServer.Valued::gate).toList().equals(gates)) {
                throw new IllegalArgumentException("other gates than those that are open");
            }
            try (Fd values = share(next)) {
                ask(new ToProcess.Replace(), List.of(values));
            }
        } finally {
            next.forEach(one -> one.value().close());
        }
    }

    @Override
    public Map<Integer, Integer> ports() {
        return Map.copyOf(ports);
    }

    /// Ends the process, and with it all that it has.
    @Override
    public void close() {
        closed = true;
        if (!socket.hangUp()) {
            return; // it has ended
        }
        try {
            over.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.log(System.Logger.Level.WARNING, "the process of gates takes long to end", e);
        }
    }
}
