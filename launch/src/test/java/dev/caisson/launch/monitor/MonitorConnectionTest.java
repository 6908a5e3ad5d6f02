package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.HostException;
import dev.caisson.launch.Samples;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// How a monitor is found, started and waited for. The test is the monitor.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is one of Wire's
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class MonitorConnectionTest {
    private static final String SOCKET = "s";
    /// Longer than a monitor is waited for before its client looks whether it was interrupted.
    private static final long LATE_MILLIS = 450;

    private static final Silence.Bounds SHORT = new Silence.Bounds(Duration.ofMillis(300), Duration.ofMillis(300));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path place;

    @SuppressWarnings("NullAway.Init")
    private Fd directory;

    @BeforeEach
    void open() {
        directory = FileSystem.open(place.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    @AfterEach
    void close() {
        directory.close();
    }

    private static void answerState(Fd socket, int sequence) {
        byte[] state = Wire.state(Wire.RUNNING, 0, -1);
        Sockets.send(socket, Wire.message(3 | 0x8000, 1, sequence, 0, state.length, state), List.of());
    }

    @Test
    void a_monitor_that_listens_is_asked_with_numbers_from_one_on() throws InterruptedException {
        try (Fd listening = Sockets.listen(directory, SOCKET, 1);
                Monitor monitor = Monitor.connect(directory).orElseThrow();
                Fd client = Sockets.accept(listening).orElseThrow()) {
            for (int number = 1; number <= 2; number++) {
                answerState(client, number);
                assertThat(monitor.state().phase()).isEqualTo(MonitorState.Phase.RUNNING);
                try (Sockets.Message asked = Sockets.receiveNow(client, 65_536).orElseThrow()) {
                    assertThat(ByteBuffer.wrap(asked.bytes())
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getInt(4))
                            .isEqualTo(number);
                }
            }
        }
    }

    @Test
    void one_that_is_gone_or_that_never_was_is_not_there() {
        assertThat(Monitor.connect(directory)).isEmpty();
        Sockets.listen(directory, SOCKET, 1).close();
        assertThat(place.resolve(SOCKET)).exists();
        assertThat(Monitor.connect(directory)).isEmpty();
    }

    @Test
    void a_place_that_cannot_be_looked_at_is_not_taken_for_one_without_a_monitor() throws IOException {
        Files.createSymbolicLink(place.resolve(SOCKET), Path.of(SOCKET));

        assertThatThrownBy(() -> Monitor.connect(directory))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.is(Errno.ELOOP)).isTrue());
    }

    @Test
    void an_answer_is_waited_for_while_nothing_comes() throws Exception {
        Sockets.Pair pair = Sockets.pair();
        try (Fd theirs = pair.theirs();
                var monitor = new Monitor(pair.ours())) {
            var answered = CompletableFuture.runAsync(
                    () -> answerState(theirs, 0),
                    CompletableFuture.delayedExecutor(LATE_MILLIS, TimeUnit.MILLISECONDS));
            assertThat(monitor.state().phase()).isEqualTo(MonitorState.Phase.RUNNING);
            answered.get();
        }
    }

    private static void assertSilent(ThrowingCallable request) {
        assertThatThrownBy(request)
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("MONITOR_SILENT"));
    }

    @Test
    void an_answer_that_does_not_come_is_not_waited_for_without_end() throws InterruptedException {
        try (Fd _ = Sockets.listen(directory, SOCKET, 1);
                Monitor monitor = Monitor.connect(directory, SHORT).orElseThrow()) {
            assertSilent(monitor::state);
            assertThatThrownBy(monitor::kill).isInstanceOf(IllegalStateException.class); // it is this process
        }
    }

    @Test
    void a_connection_that_nobody_takes_is_not_waited_for_without_end() {
        try (Fd _ = Sockets.listen(directory, SOCKET, 0);
                Monitor _ = Monitor.connect(directory, SHORT).orElseThrow()) {
            assertSilent(() -> Monitor.connect(directory, SHORT));
        }
    }

    @Test
    void a_request_that_fits_nowhere_is_not_waited_for_without_end() {
        try (Fd _ = Sockets.listen(directory, SOCKET, 1);
                Monitor monitor = Monitor.connect(directory, SHORT).orElseThrow()) {
            for (int i = 0; i < 8; i++) {
                try {
                    monitor.write(new byte[60_000]);
                } catch (HostException e) {
                    assertThat(e.code()).isEqualTo("MONITOR_SILENT");
                    continue;
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                throw new AssertionError("it was answered");
            }
        }
    }

    @Test
    void what_takes_its_time_is_waited_for_as_long_as_the_monitor_runs() throws Exception {
        try (Fd listening = Sockets.listen(directory, SOCKET, 1);
                Monitor monitor = Monitor.connect(directory, SHORT).orElseThrow();
                Fd client = Sockets.accept(listening).orElseThrow()) {
            byte[] state = Wire.state(Wire.RUNNING, 0, -1);
            var answered = CompletableFuture.runAsync(
                    () -> Sockets.send(client, Wire.message(6 | 0x8000, 1, 1, 0, state.length, state), List.of()),
                    CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS));

            assertThat(monitor.stop(0, Duration.ZERO).phase()).isEqualTo(MonitorState.Phase.RUNNING);
            answered.get();
        }
    }

    @Test
    void another_failure_than_silence_is_told_and_not_waited_out() {
        Sockets.Pair pair = Sockets.pair();
        try (Fd theirs = pair.theirs();
                var monitor = new Monitor(pair.ours())) {
            Sockets.send(theirs, new byte[70_000], List.of()); // more than any answer
            assertThatThrownBy(monitor::state).isInstanceOf(ErrnoException.class);
        }
    }

    /// Sockets of this process, by the inodes that `/proc/self/fd` names.
    private static Set<String> openSockets() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.map(MonitorConnectionTest::target)
                    .filter(target -> target.startsWith("socket:"))
                    .collect(Collectors.toSet());
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return ""; // of another thread, and closed meanwhile
        }
    }

    private static MonitorSetup setup() {
        var policy = new MonitorPolicy(
                MonitorPolicy.Restart.NO, 0, 15, Duration.ofSeconds(10), Optional.empty(), Optional.empty());
        return new MonitorSetup(
                Samples.plan(),
                List.of(),
                new MonitorSetup.Streams(false, false, false, 700),
                new MonitorSetup.Log("box.log", 5, 1 << 20),
                policy);
    }

    @Test
    void a_program_that_is_no_monitor_is_told_and_its_socket_closed() throws IOException {
        MonitorSetup setup = setup();
        Set<String> before = openSockets();
        try (Fd program = FileSystem.open("/bin/true", FileSystem.O_RDONLY)) {
            assertThatThrownBy(() ->
                            MonitorProcess.start(program, Optional.empty()).setUp(setup))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo("MONITOR_GONE"));
        }
        assertThat(openSockets()).isEqualTo(before);
    }

    @Test
    void an_interrupt_while_a_monitor_is_set_up_is_heeded_once_it_is() throws Exception {
        MonitorSetup setup = setup();
        Sockets.Pair pair = Sockets.pair();
        var interrupted = new CompletableFuture<Boolean>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try (Monitor _ = Monitor.setUp(pair.ours(), setup)) {
                interrupted.complete(Thread.currentThread().isInterrupted());
            } catch (InterruptedException | RuntimeException e) {
                interrupted.completeExceptionally(e);
            }
        });
        try (Fd monitor = pair.theirs()) {
            TimeUnit.MILLISECONDS.sleep(100);
            thread.interrupt();
            TimeUnit.MILLISECONDS.sleep(LATE_MILLIS);
            assertThat(interrupted).isNotDone();

            Sockets.send(monitor, Wire.message(1 | 0x8000, 1, 0, 0, 0, new byte[0]), List.of());

            assertThat(interrupted.get(5, TimeUnit.SECONDS)).isTrue();
        }
        Sockets.Pair other = Sockets.pair();
        try (Fd monitor = other.theirs()) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> Monitor.setUp(other.ours(), setup)).isInstanceOf(InterruptedException.class);
            assertThat(Sockets.receiveNow(monitor, 1).orElseThrow().isEnd()).isTrue(); // nothing was sent
        }
    }

    @Test
    void a_process_that_is_given_nothing_leaves_no_child_and_no_socket() throws IOException {
        Set<String> before = openSockets();
        try (Fd program = FileSystem.open("/bin/true", FileSystem.O_RDONLY)) {
            MonitorProcess process = MonitorProcess.start(program, Optional.empty());
            assertThat(openSockets()).hasSize(before.size() + 1);

            process.close();
        }
        assertThat(openSockets()).isEqualTo(before);
        assertThat(ProcessHandle.current().children()).isEmpty();
    }
}
