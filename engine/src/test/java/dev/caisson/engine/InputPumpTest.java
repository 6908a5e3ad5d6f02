package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Input on its way to a program. The test plays the program, at the other end of a pipe.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class InputPumpTest {
    private static final long PATIENCE_SECONDS = 5;

    private final Reactor reactor = new Reactor("pump-test", _ -> {});
    private final StreamThreads threads = new StreamThreads();
    private final Pipes.Pipe pipe = Pipes.create();

    @AfterEach
    void close() {
        reactor.close();
        threads.close();
        pipe.close();
    }

    private InputPump pump(boolean terminal, Streams.Input input) {
        var pump = new InputPump(reactor, pipe.write(), terminal);
        pump.begin(input, threads);
        return pump;
    }

    private static Streams.Input of(InputStream stream) {
        return new Streams.Input.Stream(stream);
    }

    private static Streams.Input of(String text) {
        return new Streams.Input.Memory(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// Reads up to the end, or as many bytes.
    private String read(int most) {
        Pipes.doNotWait(pipe.read());
        var all = new ByteArrayOutputStream();
        byte[] buffer = new byte[1000];
        long last = System.nanoTime();
        while (all.size() < most) {
            int count = Pipes.read(pipe.read(), buffer);
            if (count == 0) {
                break;
            }
            if (count > 0) {
                all.write(buffer, 0, count);
                last = System.nanoTime();
            } else if (System.nanoTime() - last > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                throw new AssertionError("nothing comes behind " + all.size() + " bytes");
            } else {
                LockSupport.parkNanos(100_000);
            }
        }
        return all.toString(StandardCharsets.US_ASCII);
    }

    private static String letters(int count) {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append((char) ('a' + i % 26));
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource({"0,true", "3,true", "300000,true", "0,false", "3,false", "300000,false"})
    void a_program_gets_all_of_its_input_and_the_end(int size, boolean memory) {
        String text = letters(size);
        InputPump pump =
                pump(false, memory ? of(text) : of(new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII))));
        assertThat(read(Integer.MAX_VALUE)).isEqualTo(text);
        assertThat(pump.failure()).isEmpty();
    }

    @Test
    void without_an_input_it_is_at_its_end() {
        pump(false, new Streams.Input.None());
        assertThat(pipe.write().isOpen()).isFalse();
        assertThat(read(Integer.MAX_VALUE)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_stream_that_throws_is_told_and_is_at_its_end(boolean terminal) {
        InputPump pump = pump(terminal, of(new InputStream() {
            private int left = 2;

            @Override
            public int read() throws IOException {
                throw new IOException("no more");
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                if (left-- == 0) {
                    return read();
                }
                bytes[from] = 'x';
                return 1;
            }
        }));
        assertThat(read(Integer.MAX_VALUE)).isEqualTo(terminal ? "xx\4\4" : "xx");
        assertThat(pump.failure()).hasValueSatisfying(failure -> {
            assertThat(failure.stream()).isEqualTo(StreamFailure.Stream.STDIN);
            assertThat(failure.reason()).isEqualTo(StreamFailure.Reason.FAILED);
            assertThat(failure.detail()).contains("no more");
        });
        assertThat(pipe.write().isOpen()).isFalse();
    }

    /// Behind a part of a line the character only sends that; termios(3).
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {"abc,2", "'abc\n',1", "'',1", "-,1"})
    void a_terminals_end_is_a_character(String text, int characters) {
        InputPump pump = pump(true, text == null ? new Streams.Input.None() : of(text));
        assertThat(read(Integer.MAX_VALUE)).isEqualTo((text == null ? "" : text) + "\4".repeat(characters));
        assertThat(pipe.write().isOpen()).isFalse();
        assertThat(pump.failure()).isEmpty();
    }

    @Test
    void a_program_that_reads_no_more_ends_it_without_a_failure() throws InterruptedException {
        pipe.read().close();
        InputPump pump = pump(false, of(new InputStream() {
            @Override
            public int read() {
                return 'x';
            }

            @Override
            public int read(byte[] bytes, int from, int length) {
                return length;
            }
        }));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (pipe.write().isOpen() && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(pipe.write().isOpen()).isFalse();
        assertThat(pump.failure()).isEmpty();

        Pipes.Pipe other = Pipes.create();
        other.read().close();
        var memory = new InputPump(reactor, other.write(), false);
        memory.begin(of("abc"), threads);
        assertThat(other.write().isOpen()).isFalse();
        assertThat(memory.failure()).isEmpty();
    }

    /// Fails like a terminal whose other side has hung up.
    @Test
    void a_terminal_that_is_gone_ends_it_without_a_failure() {
        try (Fd gone = FileSystem.open("/proc/self/mem", FileSystem.O_WRONLY)) { // EIO at address 0
            var pump = new InputPump(reactor, gone, true);
            pump.begin(of("abc"), threads);
            assertThat(gone.isOpen()).isFalse();
            assertThat(pump.failure()).isEmpty();
        }
    }

    @Test
    void a_pipe_that_cannot_be_written_to_is_told() throws InterruptedException {
        try (Fd full = FileSystem.open("/dev/full", FileSystem.O_WRONLY)) {
            var pump = new InputPump(reactor, full, false);
            pump.begin(of(new ByteArrayInputStream(new byte[3])), threads);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (full.isOpen() && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            assertThat(full.isOpen()).isFalse();
            assertThat(pump.failure())
                    .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("ENOSPC"));
        }
    }

    private static boolean isInPump(@Nullable Thread thread) {
        return Arrays.stream(Objects.requireNonNull(thread).getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(InputPump.class.getName()));
    }

    @Test
    void the_end_of_the_container_lets_the_callers_stream_go() throws InterruptedException {
        var calls = new Semaphore(0);
        var in = new AtomicReference<Thread>();
        InputPump pump = pump(false, of(new InputStream() {
            @Override
            public int read() {
                return 'x';
            }

            @Override
            public int read(byte[] bytes, int from, int length) {
                in.set(Thread.currentThread());
                calls.release();
                return length;
            }
        }));
        assertThat(calls.tryAcquire(2, PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        pump.close();
        assertThat(pipe.write().isOpen()).isFalse();
        calls.drainPermits();
        assertThat(calls.tryAcquire(2, 20, TimeUnit.MILLISECONDS))
                .as("it is read on")
                .isFalse();
        for (int i = 0; i < 1000 && isInPump(in.get()); i++) {
            TimeUnit.MILLISECONDS.sleep(2);
        }
        assertThat(isInPump(in.get())).as("its thread is held").isFalse();
        assertThat(pump.failure()).isEmpty();
    }

    @Test
    void a_stream_that_throws_behind_the_end_of_the_container_is_not_told() throws InterruptedException {
        var entered = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var thrown = new CountDownLatch(1);
        InputPump pump = pump(false, of(new InputStream() {
            @Override
            public int read() throws IOException {
                entered.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                thrown.countDown();
                throw new IOException("late");
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                return read();
            }
        }));
        assertThat(entered.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        pump.close();
        go.countDown();
        assertThat(thrown.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        threads.close();
        assertThat(pump.failure()).isEmpty();
    }
}
