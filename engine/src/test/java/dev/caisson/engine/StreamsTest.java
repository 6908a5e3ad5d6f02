package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.TerminalSize;
import dev.caisson.state.State;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the caller's streams do is the caller's business: a container ends on time, and what was lost is reported.
class StreamsTest extends BusyboxEngine {
    private static final Duration SOON = Duration.ofSeconds(20);

    /// Blocks until the test is over.
    private static final class Blocking extends OutputStream {
        private final CountDownLatch released = new CountDownLatch(1);
        private final CountDownLatch blocked = new CountDownLatch(1);

        @Override
        public void write(int b) {
            blocked.countDown();
            boolean waiting = true;
            while (waiting) {
                try {
                    released.await();
                    waiting = false;
                } catch (InterruptedException e) {
                    // as deaf as a write in native code
                }
            }
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            write(0);
        }

        @Override
        public void close() {
            released.countDown();
        }
    }

    private static final class Failing extends InputStream {
        private final Throwable what;

        private Failing(Throwable what) {
            this.what = what;
        }

        @Override
        public int read() {
            throw StreamsTest.<RuntimeException>sneaky(what);
        }

        @Override
        public int read(byte[] bytes, int from, int length) {
            return read();
        }
    }

    private static OutputStream throwing(Throwable what) {
        return new OutputStream() {
            @Override
            public void write(int b) {
                throw StreamsTest.<RuntimeException>sneaky(what);
            }
        };
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> T sneaky(Throwable what) throws T {
        throw (T) what;
    }

    private ContainerSpec script(String script) {
        return busybox("sh", "-c", script);
    }

    private static Streams copy(OutputStream output, OutputStream errors) {
        return new Streams.Copy(Optional.empty(), output, errors);
    }

    @Test
    void a_consumer_that_blocks_does_not_hold_up_a_deadline() throws Exception {
        try (var slow = new Blocking();
                Container container = engine.start(
                        script("while true; do echo a; done").wallClock(Duration.ofMillis(300)), copy(slow, slow))) {
            RunResult result = container.await(SOON).orElseThrow();

            assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
            assertThat(result.streamFailures()).singleElement().satisfies(failure -> {
                assertThat(failure.stream()).isEqualTo(StreamFailure.Stream.STDOUT);
                assertThat(failure.reason()).isEqualTo(StreamFailure.Reason.BLOCKED);
            });
        }
    }

    @Test
    void a_consumer_that_blocks_does_not_hold_up_a_kill() throws Exception {
        try (var slow = new Blocking();
                Container container = engine.start(script("echo a; sleep 100"), copy(slow, slow))) {
            slow.blocked.await();

            container.kill();

            assertThat(container.await(SOON).orElseThrow().verdict()).isEqualTo(Verdict.KILLED);
        }
    }

    @Test
    void a_consumer_that_blocks_does_not_hold_up_a_kill_after_the_end() throws Exception {
        try (var slow = new Blocking();
                Container container = engine.start(script("echo a"), copy(slow, slow))) {
            slow.blocked.await();
            while (Files.exists(Path.of("/proc/" + container.pid()))) {
                Thread.sleep(5);
            }

            long began = System.nanoTime();
            container.kill();

            assertThat(container.await(SOON).orElseThrow().verdict()).isEqualTo(Verdict.OK);
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(8));
        }
    }

    @Test
    void a_consumer_that_blocks_does_not_hold_up_the_end_of_the_engine() throws Exception {
        try (var slow = new Blocking()) {
            engine.start(script("echo a; sleep 100"), copy(slow, slow));
            engine.start(script("echo a; sleep 100"), copy(slow, slow).kept());
            slow.blocked.await();

            long began = System.nanoTime();
            engine.close();

            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(SOON);
            assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        }
    }

    @Test
    void a_consumer_that_is_slow_gets_all_of_it() throws Exception {
        var taken = new ByteArrayOutputStream();
        var slow = new OutputStream() {
            @Override
            public void write(int b) {
                taken.write(b);
            }

            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                taken.write(bytes, from, length);
            }
        };

        RunResult result = engine.run(script("dd if=/dev/zero bs=1k count=500 2>/dev/null"), copy(slow, slow));

        assertThat(result.streamFailures()).isEmpty();
        assertThat(taken.size()).isEqualTo(500 * 1024);
    }

    @Test
    void a_consumer_that_throws_closes_the_pipe() throws Exception {
        for (Throwable what : List.of(
                new IOException("gone"),
                new IllegalStateException("gone"),
                new AssertionError("gone"),
                new Throwable("gone"))) {
            RunResult result = engine.run(
                    script("while echo a; do :; done").wallClock(Duration.ofSeconds(60)),
                    copy(throwing(what), OutputStream.nullOutputStream()));

            assertThat(result.verdict()).as("%s", what).isIn(Verdict.SIGNAL, Verdict.EXIT);
            assertThat(result.streamFailures())
                    .containsExactly(new StreamFailure(
                            StreamFailure.Stream.STDOUT, StreamFailure.Reason.FAILED, what.toString()));
        }
    }

    @Test
    void an_input_that_throws_is_at_its_end() throws Exception {
        for (Throwable what : List.of(new IOException("gone"), new AssertionError("gone"), new Throwable("gone"))) {
            var input = new Failing(what);

            RunResult result = engine.run(
                    script("cat; echo end").wallClock(Duration.ofSeconds(60)),
                    Streams.capture().input(input));

            assertThat(result.stdout()).isEqualTo("end\n");
            assertThat(result.streamFailures())
                    .containsExactly(new StreamFailure(
                            StreamFailure.Stream.STDIN, StreamFailure.Reason.FAILED, what.toString()));
        }
    }

    @Test
    void the_end_of_a_terminals_input_is_the_end_of_a_file() throws Exception {
        ContainerSpec reading = script("cat >/tmp/read; echo end; cat /tmp/read")
                .terminal(new TerminalSize(24, 80))
                .wallClock(Duration.ofSeconds(60));

        RunResult failed = engine.run(reading, Streams.capture().input(new Failing(new IOException("gone"))));
        RunResult ended = engine.run(reading, Streams.capture().input("one\ntwo"));

        assertThat(failed.verdict()).isEqualTo(Verdict.OK);
        assertThat(failed.stdout()).endsWith("end\r\n");
        assertThat(failed.streamFailures())
                .extracting(StreamFailure::stream)
                .containsExactly(StreamFailure.Stream.STDIN);
        assertThat(ended.verdict()).isEqualTo(Verdict.OK);
        assertThat(ended.stdout()).endsWith("end\r\none\r\ntwo");
    }

    @Test
    void input_comes_from_memory_and_from_a_stream() throws Exception {
        byte[] much = new byte[3 << 20];
        Arrays.fill(much, (byte) 'a');

        assertThat(engine.run(script("cat"), Streams.capture().input("käse\n")).stdout())
                .isEqualTo("käse\n");
        assertThat(engine.run(script("cat"), Streams.capture().input(new byte[0]))
                        .stdout())
                .isEmpty();
        assertThat(engine.run(script("cat"), Streams.capture().input(much))
                        .output()
                        .bytes())
                .isEqualTo(much);
        assertThat(engine.run(script("cat"), Streams.capture().input(new ByteArrayInputStream(much)))
                        .output()
                        .bytes())
                .isEqualTo(much);
        assertThat(engine.run(script("cat"), Streams.capture().input("kept").kept())
                        .stdout())
                .isEqualTo("kept");
        assertThat(engine.run(script("head -c 3; true"), Streams.capture().input(much))
                        .stdout())
                .isEqualTo("aaa");
        KeptContainer.all(OPTIONS).forEach(KeptContainer::remove);
    }

    @Test
    void a_program_that_does_not_read_its_input_ends() throws Exception {
        RunResult result = engine.run(script("true"), Streams.capture().input(new byte[1 << 20]));

        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(result.streamFailures()).isEmpty();
    }

    @Test
    void the_output_limit_of_a_spec_holds_for_all_streams() throws Exception {
        ContainerSpec much = script("while true; do echo a; done").outputLimit(Bytes.kibibytes(64));
        var output = new ByteArrayOutputStream();

        RunResult copied = engine.run(much, copy(output, OutputStream.nullOutputStream()));
        RunResult captured = engine.run(much);
        RunResult stricter = engine.run(
                much.outputLimit(Bytes.mebibytes(1)),
                new Streams.Copy(
                        Optional.empty(),
                        OutputStream.nullOutputStream(),
                        OutputStream.nullOutputStream(),
                        Bytes.kibibytes(1)));

        assertThat(List.of(copied.verdict(), captured.verdict(), stricter.verdict()))
                .containsOnly(Verdict.OUTPUT);
        assertThat(output.size()).isEqualTo(64 * 1024);
        assertThat(captured.output().bytes()).hasSize(64 * 1024);
    }

    @Test
    void the_output_limit_counts_both_streams_together() throws Exception {
        RunResult result =
                engine.run(script("while true; do echo a; echo b >&2; done").outputLimit(Bytes.kibibytes(64)));

        assertThat(result.verdict()).isEqualTo(Verdict.OUTPUT);
        assertThat(result.output().bytes().length + result.errors().bytes().length)
                .isEqualTo(64 * 1024);
    }

    /// What holds the pipe here stands for a second container, which got it over a shared volume.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_pipe_that_another_process_holds_does_not_hold_up_the_end(boolean captured) throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        ContainerSpec spec = script(
                        "echo before; touch /data/ready; while [ ! -e /data/go ]; do sleep 0.01; done; echo last")
                .mount(new Mount.Bind(volume, InRootPath.parse("/data"), false, false));
        var output = new ByteArrayOutputStream();
        try (Container container =
                engine.start(spec, captured ? Streams.capture() : copy(output, OutputStream.nullOutputStream()))) {
            while (!Files.exists(volume.resolve("ready"))) {
                Thread.sleep(5);
            }
            Process holder = new ProcessBuilder(
                            "sh", "-c", "exec 3>/proc/" + program(container.pid()) + "/fd/1; echo held; exec sleep 100")
                    .start();
            try {
                assertThat(holder.getInputStream().read()).isEqualTo('h');
                Files.createFile(volume.resolve("go"));

                RunResult result = container.await(SOON).orElseThrow();

                assertThat(result.verdict()).isEqualTo(Verdict.OK);
                assertThat(captured ? result.stdout() : output.toString(StandardCharsets.UTF_8))
                        .isEqualTo("before\nlast\n");
            } finally {
                holder.destroyForcibly();
            }
        }
    }

    /// By SCM_RIGHTS over a socket of the volume: perl-base has no sendmsg, so it is called by its number.
    private static final String MESSAGE =
            "use Socket; my ($send, $receive) = `uname -m` =~ /x86_64/ ? (46, 47) : (211, 212);"
                    + " socket(S, AF_UNIX, SOCK_STREAM, 0) or die; my $byte = 'x'; my $vector = pack('PJ', $byte, 1);"
                    + " my $control = pack('JiiiI', 20, 1, 1, 1, 0);"
                    + " my $message = pack('JIx4PJPJix4', 0, 0, $vector, 1, $control, 24, 0); $| = 1;";

    @Test
    void a_pipe_that_another_container_got_over_a_shared_volume_does_not_hold_up_the_end() throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        var mount = new Mount.Bind(volume, InRootPath.parse("/data"), false, false);
        String receives = MESSAGE + " bind(S, pack_sockaddr_un('/data/s')) && listen(S, 1) && accept(C, S) or die;"
                + " syscall($receive, fileno(C), $message, 0) == 1 or die; open(F, '>', '/data/held'); sleep 100";
        String sends = MESSAGE + " print \"before\\n\"; select(undef, undef, undef, 0.01)"
                + " until connect(S, pack_sockaddr_un('/data/s'));"
                + " syscall($send, fileno(S), $message, 0) == 1 or die;"
                + " select(undef, undef, undef, 0.01) until -e '/data/held'; print \"last\\n\"";
        try (Container holder =
                engine.start(ContainerSpec.onHost("perl", "-e", receives).mount(mount), Streams.capture())) {
            RunResult result =
                    engine.run(ContainerSpec.onHost("perl", "-e", sends).mount(mount));

            assertThat(result.stdout()).isEqualTo("before\nlast\n");
            assertThat(result.verdict()).isEqualTo(Verdict.OK);
            assertThat(holder.await(Duration.ZERO)).isEmpty();
        }
    }

    private static String program(int init) throws IOException {
        return Files.readString(Path.of("/proc/" + init + "/task/" + init + "/children"))
                .strip();
    }

    @Test
    void idle_containers_cost_no_threads() throws Exception {
        var containers = new ArrayList<Container>();
        try {
            containers.add(engine.start(script("echo a; cat"), idle()));
            Thread.sleep(200);
            int before = Thread.getAllStackTraces().size();
            for (int i = 0; i < 20; i++) {
                containers.add(engine.start(script("echo a; cat"), idle()));
            }
            Thread.sleep(6000); // threads that have nothing to do end after five seconds

            assertThat(Thread.getAllStackTraces().size() - before).isLessThan(10);
        } finally {
            containers.forEach(Container::close);
        }
    }

    private static Streams idle() throws IOException {
        return new Streams.Copy(
                Optional.of(new PipedInputStream(new PipedOutputStream())),
                OutputStream.nullOutputStream(),
                OutputStream.nullOutputStream());
    }

    @Test
    void a_container_ends_with_its_block_and_tells_whoever_depends_on_it() throws Exception {
        Container container = engine.start(script("sleep 100"), Streams.capture());
        var exit = container.onExit().thenApply(RunResult::verdict);
        try (container) {
            assertThat(container.await(Duration.ofMillis(10))).isEmpty();
        }

        assertThat(exit.get()).isEqualTo(Verdict.KILLED);
        assertThat(container.await(Duration.ofDays(1_000_000)).orElseThrow().verdict())
                .isEqualTo(Verdict.KILLED);
        assertThat(Path.of("/proc/" + container.pid())).doesNotExist();
    }

    @Test
    void what_depends_on_an_end_does_not_hold_up_others() throws Exception {
        var release = new CountDownLatch(1);
        try {
            for (int i = 0; i < 12; i++) {
                var _ = engine.start(script("true"), Streams.capture()).onExit().thenRun(() -> {
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
            }

            assertThat(engine.start(script("true"), Streams.capture()).await(SOON))
                    .isPresent();
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {200_000L, 100_000_000_000_000L})
    void a_deadline_that_never_comes_is_one(long days) throws Exception {
        Duration never = days > 1_000_000 ? Duration.ofSeconds(Long.MAX_VALUE) : Duration.ofDays(days);

        assertThat(engine.run(script("true").wallClock(never).cpuTime(never)).verdict())
                .isEqualTo(Verdict.OK);
    }
}
