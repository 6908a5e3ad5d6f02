package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.IdRange;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Sockets;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptRun;
import dev.caisson.state.State;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The descriptors of a program and where they lead; the test is the program.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class StandardStreamsTest {
    private static final Bytes BUDGET = Bytes.of(100_000);

    private final Reactor reactor = new Reactor("streams-test", _ -> {});
    private final StreamThreads threads = new StreamThreads();
    private final CaptureBudget budget = new CaptureBudget(BUDGET);
    private final StandardStreams.Shared shared = new StandardStreams.Shared(reactor, threads, budget);
    private final Semaphore done = new Semaphore(0);
    private final AtomicInteger over = new AtomicInteger();
    private Optional<StandardStreams> opened = Optional.empty();

    @AfterEach
    void close() {
        opened.ifPresent(StandardStreams::close);
        reactor.close();
        threads.close();
    }

    private StandardStreams open(Streams wanted, long limit, boolean terminal, int owner) {
        var streams = StandardStreams.open(
                shared,
                new StandardStreams.Bounds(terminal, Bytes.of(limit), Optional.empty()),
                wanted,
                owner,
                Optional.empty());
        opened = Optional.of(streams);
        return streams;
    }

    private StandardStreams begun(Streams wanted, long limit) throws IOException {
        StandardStreams streams = open(wanted, limit, false, user());
        streams.begin(done::release, over::incrementAndGet);
        return streams;
    }

    private static int user() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    private static void write(Fd to, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        assertThat(Pipes.write(to, bytes, 0, bytes.length)).isEqualTo(bytes.length);
    }

    /// What is there, once something is; nothing at the end.
    private static String read(Fd from) {
        Pipes.doNotWait(from);
        byte[] buffer = new byte[100];
        long begun = System.nanoTime();
        int count;
        do {
            count = Pipes.read(from, buffer);
            LockSupport.parkNanos(100_000);
        } while (count < 0 && System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(10));
        return count < 0 ? "nothing comes" : new String(buffer, 0, count, StandardCharsets.US_ASCII);
    }

    private static String text(RunResult.Captured captured) {
        return new String(captured.bytes(), StandardCharsets.US_ASCII);
    }

    private void await(int ends) throws InterruptedException {
        assertThat(done.tryAcquire(ends, 10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void each_stream_is_captured_for_itself() throws Exception {
        StandardStreams streams = begun(Streams.capture(), 1000);
        assertThat(streams.theirs()).hasSize(3);
        assertThat(read(streams.theirs().getFirst())).isEmpty();
        assertThat(streams.isQuiet()).isFalse();
        write(streams.theirs().get(1), "output");
        write(streams.theirs().get(2), "errors");
        streams.theirs().get(1).close();
        await(1);
        assertThat(streams.isQuiet()).as("while one is open").isFalse();
        streams.closeTheirs();
        await(1);
        assertThat(streams.isQuiet()).isTrue();
        assertThat(text(streams.output())).isEqualTo("output");
        assertThat(text(streams.errors())).isEqualTo("errors");
        assertThat(streams.failures()).isEmpty();
        assertThat(over.get()).isZero();
        streams.close();
        assertThat(budget.left()).isEqualTo(BUDGET);
    }

    @Test
    void a_program_reads_its_input_in_whole() throws Exception {
        StandardStreams streams = begun(Streams.capture().input("input".getBytes(StandardCharsets.US_ASCII)), 1000);
        assertThat(read(streams.theirs().getFirst())).isEqualTo("input");
        assertThat(read(streams.theirs().getFirst())).isEmpty();
        write(streams.theirs().get(1), "output");
        write(streams.theirs().get(2), "errors");
        streams.closeTheirs();
        await(2);
        assertThat(text(streams.output())).isEqualTo("output");
        assertThat(text(streams.errors())).isEqualTo("errors");
    }

    /// The program may open /dev/stdout again after it has changed its user.
    @Test
    void the_pipes_are_the_users_who_may_open_them_again() throws IOException {
        int owner = user() == 0 ? 12_345 : user();
        StandardStreams streams = open(Streams.capture().input(new byte[1]), 1000, false, owner);
        for (int i = 0; i < 3; i++) {
            FileStatus status = FileSystem.status(streams.theirs().get(i));
            assertThat(status.uid()).isEqualTo(owner);
            assertThat(status.permissions()).isEqualTo(i == 0 ? 0644 : 0622);
        }
        List<Fd> theirs = streams.theirs();
        streams.close();
        assertThat(theirs).noneMatch(Fd::isOpen);
    }

    @ParameterizedTest
    @CsvSource({"3,1000,3", "1000,3,3", "1000,1000,6"})
    void the_smaller_limit_holds_for_streams_of_the_callers(long ofStreams, long ofSpec, int taken) throws Exception {
        var output = new ByteArrayOutputStream();
        var errors = new ByteArrayOutputStream();
        StandardStreams streams =
                begun(new Streams.Copy(Optional.empty(), output, errors, Bytes.of(ofStreams)), ofSpec);
        write(streams.theirs().get(1), "output");
        streams.closeTheirs();
        await(2);
        assertThat(output.toString(StandardCharsets.US_ASCII)).isEqualTo("output".substring(0, taken));
        assertThat(errors.size()).isZero();
        assertThat(over.get()).isEqualTo(taken == 6 ? 0 : 1);
        assertThat(streams.output()).isEqualTo(RunResult.Captured.NOTHING);
        assertThat(streams.errors()).isEqualTo(RunResult.Captured.NOTHING);
    }

    @Test
    void input_and_errors_of_the_callers_go_their_own_ways() throws Exception {
        var output = new ByteArrayOutputStream();
        var errors = new ByteArrayOutputStream();
        StandardStreams streams = begun(
                new Streams.Copy(
                        Optional.of(new ByteArrayInputStream("in".getBytes(StandardCharsets.US_ASCII))),
                        output,
                        errors),
                1000);
        assertThat(read(streams.theirs().getFirst())).isEqualTo("in");
        write(streams.theirs().get(2), "errors");
        streams.closeTheirs();
        await(2);
        assertThat(errors.toString(StandardCharsets.US_ASCII)).isEqualTo("errors");
        assertThat(output.size()).isZero();
    }

    private static final class Stuck extends OutputStream {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);

        @Override
        public void write(int b) throws IOException {
            entered.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    @Test
    void what_a_caller_does_not_take_is_cut_and_told_in_the_order_of_the_streams() throws Exception {
        var output = new Stuck();
        var errors = new Stuck();
        StandardStreams streams = begun(new Streams.Copy(Optional.empty(), output, errors), 1000);
        write(streams.theirs().get(1), "o");
        write(streams.theirs().get(2), "e");
        assertThat(output.entered.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(errors.entered.await(10, TimeUnit.SECONDS)).isTrue();
        streams.containerGone();
        assertThat(streams.isQuiet()).isFalse();
        streams.cutAfter(Duration.ZERO);
        await(2);
        assertThat(streams.isQuiet()).isTrue();
        assertThat(streams.failures())
                .containsExactly(
                        StreamFailure.blocked(StreamFailure.Stream.STDOUT),
                        StreamFailure.blocked(StreamFailure.Stream.STDERR));
        output.go.countDown();
        errors.go.countDown();
    }

    @Test
    void the_end_of_the_container_is_the_end_of_all_its_streams() throws Exception {
        StandardStreams streams = begun(Streams.capture().input(new byte[1_000_000]), 1000);
        write(streams.theirs().get(1), "output");
        write(streams.theirs().get(2), "errors");
        streams.containerGone();
        await(2);
        assertThat(text(streams.output())).isEqualTo("output");
        assertThat(text(streams.errors())).isEqualTo("errors");
        assertThat(streams.failures()).isEmpty();
    }

    @Test
    void a_terminals_output_is_one_stream() throws Exception {
        StandardStreams streams = open(Streams.capture(), 1000, true, user());
        assertThat(streams.theirs()).hasSize(3);
        Pipes.Pipe console = Pipes.create();
        streams.console(Optional.of(console.read()));
        streams.begin(done::release, over::incrementAndGet);
        write(console.write(), "both");
        console.write().close();
        await(1);
        assertThat(streams.isQuiet()).isTrue();
        assertThat(text(streams.output())).isEqualTo("both");
        assertThat(streams.errors()).isEqualTo(RunResult.Captured.NOTHING);
    }

    @Test
    void a_terminal_has_an_input_too() throws Exception {
        StandardStreams streams =
                open(Streams.capture().input("in\n".getBytes(StandardCharsets.US_ASCII)), 1000, true, user());
        Sockets.Pair console = Sockets.pair();
        try (Fd theirs = console.theirs()) {
            streams.console(Optional.of(console.ours()));
            streams.begin(done::release, over::incrementAndGet);
            assertThat(read(theirs)).isEqualTo("in\n");
            assertThat(read(theirs)).as("its end").isEqualTo("\4");
            write(theirs, "out");
        }
        await(1);
        assertThat(text(streams.output())).isEqualTo("out");
        streams.close();
        assertThat(console.ours().isOpen()).isFalse();
    }

    /// Of a terminal the program gets its own later: until then nothing, to read and to write.
    @Test
    void a_terminals_place_is_held_by_what_is_empty() throws Exception {
        StandardStreams streams = open(Streams.capture(), 1000, true, user());
        for (Fd each : streams.theirs()) {
            assertThat(Files.readSymbolicLink(Path.of("/proc/self/fd/" + each.number())))
                    .isEqualTo(Path.of("/dev/null"));
            assertThat(read(each)).isEmpty();
            write(each, "x");
        }
    }

    @Test
    void a_caller_who_is_slow_does_not_hold_up_others() throws Exception {
        var stuck = new Stuck();
        try {
            StandardStreams slow = begun(new Streams.Copy(Optional.empty(), stuck, stuck), 1000);
            write(slow.theirs().get(1), "o");
            assertThat(stuck.entered.await(10, TimeUnit.SECONDS)).isTrue();
            StandardStreams quick = StandardStreams.open(
                    shared,
                    new StandardStreams.Bounds(false, Bytes.of(1000), Optional.empty()),
                    Streams.capture(),
                    user(),
                    Optional.empty());
            quick.begin(done::release, over::incrementAndGet);
            write(quick.theirs().get(1), "output");
            quick.closeTheirs();
            await(2);
            assertThat(text(quick.output())).isEqualTo("output");
            quick.close();
        } finally {
            stuck.go.countDown();
        }
    }

    @Test
    void an_input_that_fails_is_told_before_the_outputs() throws Exception {
        var stuck = new Stuck();
        var failing = new PipedInputStream(); // which is not connected
        StandardStreams streams = begun(new Streams.Copy(Optional.of(failing), stuck, stuck), 1000);
        assertThat(read(streams.theirs().getFirst())).isEmpty();
        write(streams.theirs().get(1), "o");
        assertThat(stuck.entered.await(10, TimeUnit.SECONDS)).isTrue();
        streams.cutAfter(Duration.ZERO);
        await(2);
        assertThat(streams.failures())
                .extracting(StreamFailure::stream)
                .containsExactly(StreamFailure.Stream.STDIN, StreamFailure.Stream.STDOUT, StreamFailure.Stream.STDERR);
        stuck.go.countDown();
    }

    @Test
    void output_does_not_stay_in_memory_until_a_cut_that_nobody_needs_any_more() throws Exception {
        StandardStreams streams = begun(Streams.capture(), 1000);
        var held = new WeakReference<>(streams);
        streams.cutAfter(Duration.ofHours(1));
        streams.close();
        streams.cutAfter(Duration.ofHours(1)); // of a kill that comes too late
        streams = null;
        opened = Optional.empty();
        while (held.get() != null) { // until the test's deadline
            System.gc();
            Thread.sleep(10);
        }
    }

    /// Whoever writes on gets to know it, at a terminal too.
    @Test
    void closing_hangs_up() throws Exception {
        StandardStreams streams = begun(Streams.capture(), 1000);
        streams.close();
        await(2);
        assertThat(streams.isQuiet()).isTrue();

        StandardStreams onTerminal = open(Streams.capture(), 1000, true, user());
        try (Pipes.Pipe console = Pipes.create()) {
            onTerminal.console(Optional.of(console.read()));
            onTerminal.begin(done::release, over::incrementAndGet);
            onTerminal.close();
            await(1);
            assertThat(console.read().isOpen()).isFalse();
        }
    }

    // ---- secrets

    private static Redaction secret(String value) {
        try (var secret = SecretValue.of(value.getBytes(StandardCharsets.US_ASCII))) {
            return Redaction.of(Map.of(new SecretName("password"), secret));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_secret_is_taken_out_of_what_the_caller_gets(boolean captured) throws Exception {
        var output = new ByteArrayOutputStream();
        var errors = new ByteArrayOutputStream();
        StandardStreams streams = open(
                captured ? Streams.capture() : new Streams.Copy(Optional.empty(), output, errors), 1000, false, user());
        streams.redact(Optional.of(secret("correct-horse")));
        streams.begin(done::release, over::incrementAndGet);
        write(streams.theirs().get(1), "a correct-horse b");
        write(streams.theirs().get(2), "correct-hors");
        streams.closeTheirs();
        await(2);

        assertThat(captured ? text(streams.output()) : output.toString(StandardCharsets.US_ASCII))
                .isEqualTo("a [secret:password] b");
        assertThat(captured ? text(streams.errors()) : errors.toString(StandardCharsets.US_ASCII))
                .as("what is held until the end")
                .isEqualTo("correct-hors");
    }

    // ---- what is kept

    private static KeptRun kept(Path data) {
        var plan = new LaunchPlan(
                new IdRange(IdRange.FIRST, IdRange.WIDTH),
                Set.of(Namespace.USER),
                new LaunchPlan.RootAssembly(1, 1, 1),
                List.of(),
                List.of(new Step.Execute(true, false, "", List.of("true"), List.of())));
        try (var state = new State(data.resolve("state"))) {
            return KeptRun.begin(
                    new KeptDirectory(data, State.STANDARD),
                    ContainerId.random(),
                    state.names().take(Optional.of("web"), _ -> true),
                    ContainerSpec.onHost("true"),
                    15,
                    plan);
        }
    }

    private static void awaitLines(Path log, int count) throws Exception {
        for (int i = 0; i < 2000 && Files.readAllLines(log).size() < count; i++) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /// Whoever takes the output may be slow.
    @Test
    @Tag("root")
    void what_is_kept_is_written_down_before_the_caller_gets_it(@TempDir Path data) throws Exception {
        KeptRun run = kept(data);
        Path log;
        try (var files = Files.walk(data)) {
            log = files.filter(file -> file.toString().endsWith("-json.log"))
                    .findFirst()
                    .orElseThrow();
        }
        var output = new Stuck();
        var errors = new Stuck();
        StandardStreams streams = StandardStreams.open(
                shared,
                new StandardStreams.Bounds(false, Bytes.of(1000), Optional.empty()),
                new Streams.Copy(Optional.empty(), output, errors).kept(),
                user(),
                Optional.of(run));
        opened = Optional.of(streams);
        assertThat(streams.kept()).contains(run);
        streams.begin(done::release, over::incrementAndGet);
        write(streams.theirs().get(1), "said\n");
        awaitLines(log, 1);
        write(streams.theirs().get(2), "complained\n");
        awaitLines(log, 2);

        assertThat(output.entered.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(errors.entered.await(10, TimeUnit.SECONDS)).isTrue();
        List<String> lines = Files.readAllLines(log);
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("said", "\"stdout\"");
        assertThat(lines.get(1)).contains("complained", "\"stderr\"");
        output.go.countDown();
        errors.go.countDown();
        run.discard();
    }

    @Test
    @Tag("root")
    void what_is_kept_is_captured_too(@TempDir Path data) throws Exception {
        KeptRun run = kept(data);
        StandardStreams streams = StandardStreams.open(
                shared,
                new StandardStreams.Bounds(false, Bytes.of(1000), Optional.empty()),
                Streams.capture().kept(),
                user(),
                Optional.of(run));
        opened = Optional.of(streams);
        streams.begin(done::release, over::incrementAndGet);
        write(streams.theirs().get(1), "said");
        write(streams.theirs().get(2), "complained");
        streams.closeTheirs();
        await(2);

        assertThat(text(streams.output())).isEqualTo("said");
        assertThat(text(streams.errors())).isEqualTo("complained");
        run.discard();
    }
}
