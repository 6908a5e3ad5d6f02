package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.CpuPace;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.ThreadClock;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuQuota;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Output of a program on its way to a consumer. The test plays the program, at the other end of a pipe.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class OutputPumpTest {
    private static final long PATIENCE_SECONDS = 5;

    private final Reactor reactor = new Reactor("pump-test", _ -> {});
    private final StreamThreads threads = new StreamThreads();
    /// In place of those, for who waits until it is idle.
    private final ExecutorService single =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

    private final Pipes.Pipe pipe = Pipes.create();
    private final Sink sink = new Sink();
    private final AtomicInteger over = new AtomicInteger();
    private final AtomicInteger ends = new AtomicInteger();
    private final CountDownLatch done = new CountDownLatch(1);
    private CpuPace pace = new CpuPace(Optional.empty());

    /// Keeps what it gets, or throws it out.
    private static final class Sink implements OutputPump.Sink {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private int calls;
        private int ended;
        private Optional<Error> error = Optional.empty();
        private boolean failsAtEnd;
        private boolean isCallers;
        private Runnable atEach = () -> {};

        @Override
        public synchronized void accept(byte[] from, int count) {
            calls++;
            error.ifPresent(e -> {
                throw e;
            });
            bytes.write(from, 0, count);
            atEach.run();
            notifyAll();
        }

        @Override
        public synchronized void end() throws IOException {
            ended++;
            if (failsAtEnd) {
                throw new IOException("at its end");
            }
        }

        @Override
        public boolean isCallers() {
            return isCallers;
        }

        private synchronized String text() {
            return bytes.toString(StandardCharsets.US_ASCII);
        }

        private synchronized void await(String text) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (bytes.size() < text.length() && System.nanoTime() < end) {
                wait(100);
            }
            assertThat(text()).isEqualTo(text);
        }
    }

    @AfterEach
    void close() {
        reactor.close();
        threads.close();
        single.shutdownNow();
        pipe.close();
    }

    private OutputPump pump(long limit, boolean terminal, Optional<Executor> in) {
        var with = new OutputPump.Surroundings(
                reactor, threads, pace, new OutputLimit(Bytes.of(limit)), over::incrementAndGet, () -> {
                    ends.incrementAndGet();
                    done.countDown();
                });
        var pump = new OutputPump(StreamFailure.Stream.STDERR, pipe.read(), terminal, with, in, List.of(sink));
        pump.begin();
        return pump;
    }

    private OutputPump pump(boolean threaded) {
        return pump(1_000_000, false, threaded ? Optional.of(threads.ofDisk()) : Optional.empty());
    }

    private void write(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        assertThat(Pipes.write(pipe.write(), bytes, 0, bytes.length)).isEqualTo(bytes.length);
    }

    private void assertEnded(OutputPump pump) throws InterruptedException {
        assertThat(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("an end").isTrue();
        assertThat(pump.isDone()).isTrue();
        assertThat(pipe.read().isOpen()).isFalse();
        assertThat(ends.get()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_is_written_is_passed_on_and_the_end_too(boolean threaded) throws InterruptedException {
        OutputPump pump = pump(threaded);
        write("one ");
        sink.await("one ");
        assertThat(pump.isDone()).isFalse();
        write("two");
        sink.await("one two");
        pipe.write().close();

        assertEnded(pump);
        assertThat(sink.ended).isEqualTo(1);
        assertThat(pump.failure()).isEmpty();
        pump.cut();
        pump.close();
        assertThat(pump.failure()).isEmpty();
        assertThat(ends.get()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_flood_is_passed_on_in_whole(boolean threaded) throws Exception {
        OutputPump pump = pump(threaded);
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 12; i++) {
                write("x".repeat(65_536));
            }
            pipe.write().close();
        });
        writer.join();
        assertEnded(pump);
        assertThat(sink.bytes.size()).isEqualTo(12 * 65_536);
        assertThat(pump.failure()).isEmpty();
    }

    @Test
    void what_is_over_the_limit_is_dropped_and_told() throws InterruptedException {
        OutputPump pump = pump(5, false, Optional.empty());
        write("12345");
        sink.await("12345");
        assertThat(over.get()).isZero();
        write("678");
        pipe.write().close();
        assertEnded(pump);
        assertThat(sink.text()).isEqualTo("12345");
        assertThat(over.get()).isEqualTo(1);
        assertThat(sink.calls).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_sink_that_throws_hangs_up(boolean threaded) throws InterruptedException {
        sink.error = Optional.of(new AssertionError("no more"));
        OutputPump pump = pump(threaded);
        write("x");
        assertEnded(pump);
        assertThat(pump.failure()).hasValueSatisfying(failure -> {
            assertThat(failure.stream()).isEqualTo(StreamFailure.Stream.STDERR);
            assertThat(failure.reason()).isEqualTo(StreamFailure.Reason.FAILED);
            assertThat(failure.detail()).contains("no more");
        });
        assertThatThrownBy(() -> write("y")).isInstanceOf(ErrnoException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_sink_that_throws_at_its_end_is_told(boolean threaded) throws InterruptedException {
        sink.failsAtEnd = true;
        OutputPump pump = pump(threaded);
        pipe.write().close();
        assertEnded(pump);
        assertThat(pump.failure())
                .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("at its end"));
    }

    @Test
    void without_a_thread_it_ends() throws InterruptedException {
        OutputPump pump = pump(100, false, Optional.of(_ -> {
            throw new RejectedExecutionException("none left");
        }));
        write("x");
        assertEnded(pump);
        assertThat(pump.failure())
                .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("none left"));
    }

    /// Another process may hold the other end: here the test does.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void when_the_container_is_gone_what_is_there_is_read_and_no_more(boolean threaded) throws InterruptedException {
        OutputPump pump = pump(threaded);
        write("first ");
        sink.await("first ");
        pump.containerGone();
        assertEnded(pump);
        assertThat(sink.text()).isEqualTo("first ");
        assertThat(sink.ended).isEqualTo(1);
        assertThat(pump.failure()).isEmpty();
        assertThatThrownBy(() -> write("late")).isInstanceOf(ErrnoException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoever_writes_on_when_the_container_is_gone_does_not_hold_up_the_end(boolean threaded)
            throws InterruptedException {
        var read = new CountDownLatch(1); // else whoever tells of the end reads
        var gone = new CountDownLatch(1);
        sink.atEach = () -> {
            try {
                read.countDown();
                gone.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (sink.calls < 100) {
                write("more");
            }
        };
        OutputPump pump = pump(threaded);
        write("first");
        read.await();
        var telling = Thread.ofPlatform().start(() -> {
            pump.containerGone();
            gone.countDown();
        });
        telling.join();
        assertEnded(pump);
        assertThat(sink.calls).isLessThan(4);
        assertThat(sink.text()).startsWith("first");
    }

    @Test
    void what_holds_it_up_is_cut_and_told() throws InterruptedException {
        var entered = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        OutputPump pump = pump(
                100,
                false,
                Optional.of(task -> Thread.ofPlatform().start(() -> {
                    entered.countDown();
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    task.run();
                })));
        write("x");
        assertThat(entered.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        pump.containerGone();
        assertThat(pump.isDone()).isFalse();
        pump.cut();
        assertEnded(pump);
        assertThat(pump.failure()).contains(StreamFailure.blocked(StreamFailure.Stream.STDERR));
        go.countDown();
        pump.close();
        assertThat(pump.failure()).isPresent();
        assertThat(sink.calls).isZero();
    }

    @Test
    void hanging_up_is_no_failure() throws InterruptedException {
        OutputPump pump = pump(false);
        pump.close();
        assertEnded(pump);
        assertThat(pump.failure()).isEmpty();
        assertThat(sink.ended).isZero();
    }

    /// The last output of a terminal may come after the last of its processes has gone.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_terminal_is_read_for_a_moment_longer(boolean threaded) throws InterruptedException {
        OutputPump pump = pump(100, true, threaded ? Optional.of(threads.ofDisk()) : Optional.empty());
        write("a");
        sink.await("a");
        pump.containerGone();
        assertThat(pump.isDone()).isFalse();
        write("b");
        sink.await("ab");
        assertEnded(pump);
        assertThat(sink.ended).isEqualTo(1);
        assertThat(pump.failure()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_terminals_end_that_throws_is_told(boolean threaded) throws InterruptedException {
        sink.failsAtEnd = true;
        OutputPump pump = pump(100, true, threaded ? Optional.of(threads.ofDisk()) : Optional.empty());
        pump.containerGone();
        assertEnded(pump);
        assertThat(pump.failure()).isPresent();
    }

    /// A run that has used up its share of the engine's time waits, up to a minute; one that has ended does not.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void output_waits_for_its_share_of_the_engines_time(boolean threaded) throws InterruptedException {
        pace = new CpuPace(Optional.of(CpuQuota.cpus("0.01")));
        pace.spend(850_000_000);
        OutputPump pump = pump(threaded);
        write("a");
        sink.await("a");
        write("b");
        assertThat(done.await(150, TimeUnit.MILLISECONDS))
                .as("also after its first look")
                .isFalse();
        assertThat(sink.text()).isEqualTo("a");
        pump.containerGone();
        assertEnded(pump);
        assertThat(sink.text()).isEqualTo("ab");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void output_goes_on_when_the_share_has_grown(boolean threaded) throws InterruptedException {
        pace = new CpuPace(Optional.of(CpuQuota.cpus("4")));
        pace.spend(500_000_000);
        OutputPump pump = pump(threaded);
        write("a");
        sink.await("a");
        write("b");
        sink.await("ab");
        pipe.write().close();
        assertEnded(pump);
    }

    // ---- whose time it is

    private static void burn(long nanos) {
        long begun = ThreadClock.cpuNanos();
        while (ThreadClock.cpuNanos() - begun < nanos) {
            Thread.onSpinWait();
        }
    }

    /// Waits until the threads that pass output on have done so.
    private void settle() throws InterruptedException {
        var done = new CountDownLatch(2);
        single.execute(done::countDown);
        reactor.at(System.nanoTime(), done::countDown);
        assertThat(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    private OutputPump settlingPump(boolean threaded) {
        return pump(1_000_000, false, threaded ? Optional.of(single) : Optional.empty());
    }

    /// Not the time of a stream of the caller's, however much the thread has used before.
    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void the_engines_own_time_is_the_containers(boolean threaded, boolean isCallers) throws InterruptedException {
        pace = new CpuPace(Optional.of(CpuQuota.cpus("0.01")));
        pace.spend(230_000_000);
        sink.isCallers = isCallers;
        sink.atEach = () -> burn(40_000_000);
        OutputPump pump = settlingPump(threaded);
        write("a");
        sink.await("a");
        settle();
        if (isCallers) {
            write("b");
            sink.await("ab");
            settle();
        }

        assertThat(pace.pauseNanos() > 0).isEqualTo(!isCallers);
        pump.containerGone();
        assertEnded(pump);
    }

    /// What wakes a thread costs also where nothing is passed on.
    @Test
    void each_wake_is_the_containers() throws InterruptedException {
        long begun = System.nanoTime();
        pace = new CpuPace(Optional.of(CpuQuota.cpus("0.01")));
        pace.spend(250_100_000);
        var woken = new CountDownLatch(20);
        var pipes = new ArrayList<Pipes.Pipe>();
        var pumps = new ArrayList<OutputPump>();
        try {
            for (int i = 0; i < 20; i++) {
                Pipes.Pipe own = Pipes.create();
                pipes.add(own);
                var with = new OutputPump.Surroundings(
                        reactor, threads, pace, new OutputLimit(Bytes.of(1)), () -> {}, () -> {});
                var pump = new OutputPump(
                        StreamFailure.Stream.STDOUT,
                        own.read(),
                        false,
                        with,
                        Optional.of(_ -> woken.countDown()),
                        List.of(sink));
                pump.begin();
                pumps.add(pump);
                Pipes.write(own.write(), new byte[1], 0, 1);
            }
            assertThat(woken.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();

            // 0.1 ms and 20 times 15 us are paid back at a hundredth of the time.
            assertThat(pace.pauseNanos() + System.nanoTime() - begun).isGreaterThanOrEqualTo(40_000_000);
        } finally {
            pumps.forEach(OutputPump::close);
            pipes.forEach(Pipes.Pipe::close);
        }
    }

    // ---- what else the reactor has to do

    @Test
    void a_flood_lets_others_have_the_reactor() throws InterruptedException {
        var seen = new AtomicInteger();
        var other = new CountDownLatch(1);
        sink.atEach = () -> {
            if (sink.calls == 1) {
                reactor.at(System.nanoTime(), () -> {
                    seen.set(sink.calls);
                    other.countDown();
                });
            }
            if (sink.calls < 12) {
                write("more");
            }
        };
        OutputPump pump = pump(false);
        write("first");
        assertThat(other.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        sink.await("first" + "more".repeat(11));

        assertThat(seen.get()).isEqualTo(4);
        pump.close();
    }

    /// While a thread passes on, while the container's share is used up, and when nobody reads any more:
    /// another process may have a copy of the descriptor.
    @ParameterizedTest
    @ValueSource(strings = {"blocked", "paused", "closed", "failed"})
    void a_stream_that_is_not_read_keeps_the_reactor_idle(String why) throws Exception {
        var entered = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        if (why.equals("paused")) {
            pace = new CpuPace(Optional.of(CpuQuota.cpus("0.01")));
            pace.spend(850_000_000);
        }
        sink.atEach = () -> {
            entered.countDown();
            if (why.equals("blocked")) {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            } else if (why.equals("failed")) {
                throw new AssertionError("of the test");
            }
        };
        try (Fd copy = pipe.read().duplicate()) {
            OutputPump pump = settlingPump(why.equals("blocked"));
            if (!why.equals("closed")) {
                write("a");
                assertThat(entered.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
                if (!why.equals("blocked")) {
                    settle();
                }
            } else {
                pump.close();
            }
            write("b");

            assertThat(OwnThreads.areIdle("pump-test")).isTrue();
            assertThat(copy.isOpen()).isTrue();
            pump.close();
            go.countDown();
        }
    }

    // ---- ends that come while it passes on

    /// The container is over its share, too.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void one_that_is_cut_while_it_passes_on_stays_at_its_end(boolean threaded) throws InterruptedException {
        pace = new CpuPace(Optional.of(CpuQuota.cpus("0.01")));
        pace.spend(850_000_000);
        var pump = new AtomicReference<OutputPump>();
        var made = new CountDownLatch(1);
        sink.atEach = () -> {
            try {
                made.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            Objects.requireNonNull(pump.get()).cut();
        };
        pump.set(settlingPump(threaded));
        made.countDown();
        write("a");
        assertThat(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        settle();

        assertEnded(Objects.requireNonNull(pump.get()));
        assertThat(pump.get().failure()).contains(StreamFailure.blocked(StreamFailure.Stream.STDERR));
    }

    /// Nobody can hold up the end of a terminal by writing on.
    @Test
    void a_terminals_last_output_has_a_bound() throws InterruptedException {
        var pump = new AtomicReference<OutputPump>();
        sink.atEach = () -> {
            if (sink.calls == 2) {
                Objects.requireNonNull(pump.get()).containerGone();
            }
            if (sink.calls >= 2 && sink.calls < 1000) {
                write("x".repeat(4096));
            }
        };
        pump.set(pump(100_000_000, true, Optional.empty()));
        write("a");
        sink.await("a");
        write("b");
        assertEnded(Objects.requireNonNull(pump.get()));

        assertThat(sink.bytes.size()).isEqualTo(2 + (1 << 20));
    }

    @Test
    void a_thread_gives_the_memory_back_that_it_read_into() throws InterruptedException {
        var within = new AtomicReference<Pipes.Chunk>();
        Pipes.Chunk mine = threads.takeChunk();
        threads.giveBack(mine);
        sink.atEach = () -> within.set(threads.takeChunk());
        OutputPump pump = settlingPump(true);
        write("a");
        sink.await("a");
        settle();
        pump.close();
        settle();

        assertThat(within.get()).as("it was in use").isNotSameAs(mine);
        assertThat(threads.takeChunk()).isSameAs(mine);
    }
}
