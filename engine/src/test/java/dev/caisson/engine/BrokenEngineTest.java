package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.State;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// An engine in trouble ends its containers and says so.
class BrokenEngineTest extends BusyboxEngine {
    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void an_engine_that_can_watch_nothing_any_more_kills_its_containers_and_says_so() throws Exception {
        var slow = new CountDownLatch(1);
        Container quiet = engine.start(busybox("sleep", "100"), Streams.capture());
        Container loud = engine.start(
                busybox("sh", "-c", "while true; do echo a; done"),
                new Streams.Copy(Optional.empty(), OutputStream.nullOutputStream(), OutputStream.nullOutputStream()));
        RunningExec inside = loud.startExec(Exec.of("sleep", "100"), Streams.capture());
        try {
            engine.reactor().breakForTest();
            quiet.signal(0);

            assertCode("ENGINE_BROKEN", () -> quiet.await(Duration.ofSeconds(20)));
            assertCode("ENGINE_BROKEN", () -> loud.await(Duration.ofSeconds(20)));
            assertCode("ENGINE_BROKEN", () -> inside.await(Duration.ofSeconds(20)));
            assertCode("ENGINE_BROKEN", () -> engine.run(busybox("true")));
            assertCode("ENGINE_BROKEN", () -> quiet.exec(Exec.of("true")));
            assertCode("ENGINE_BROKEN", () -> engine.session(ContainerSpec.of(Image.directory(root))));
            assertThat(Path.of("/proc/" + quiet.pid())).doesNotExist();
            assertThat(Path.of("/proc/" + loud.pid())).doesNotExist();
        } finally {
            slow.countDown();
            engine.close();
        }
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    @Test
    void who_waits_for_a_place_or_is_being_launched_is_told_that_the_engine_broke() throws Exception {
        engine.close();
        engine = Engine.open(OPTIONS.runs(1));
        var standing = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var told = new CompletableFuture<Container>();
        Thread.ofPlatform()
                .start(() -> completeBy(
                        told,
                        () -> engine.start(
                                busybox("sleep", "100"), Streams.capture(), ProgressListener.none(), container -> {
                                    standing.countDown();
                                    awaitUninterrupted(release);
                                })));
        standing.await();
        var queued = new CompletableFuture<RunResult>();
        Thread.ofPlatform().start(() -> completeBy(queued, () -> engine.run(busybox("true"))));
        while (engine.queued() == 0) {
            Thread.sleep(1);
        }

        breakEngine();

        assertCode("ENGINE_BROKEN", () -> result(queued));
        release.countDown();
        assertCode("ENGINE_BROKEN", () -> result(told));
        assertThat(engine.containers()).isEmpty();
        engine.close();
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    @Test
    void a_container_that_is_being_launched_when_the_engine_breaks_is_ended() throws Exception {
        engine.close();
        engine = new Engine(OPTIONS, new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == Moment.VERIFIED) {
                    engine.broke(new OutOfMemoryError("of the test"));
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        });

        assertCode("ENGINE_BROKEN", () -> engine.start(busybox("sleep", "100"), Streams.capture()));

        assertThat(engine.containers()).isEmpty();
        engine.close();
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    /// In the thread that breaks it, which handles no event meanwhile.
    private void breakEngine() {
        engine.reactor().at(System.nanoTime(), () -> engine.broke(new OutOfMemoryError("of the test")));
    }

    private static <T> void completeBy(CompletableFuture<T> told, Callable<T> work) {
        try {
            told.complete(work.call());
        } catch (Exception e) {
            told.completeExceptionally(e);
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static <T> T result(CompletableFuture<T> told) throws Exception {
        try {
            return told.get(10, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    /// A program begins beside the end of its engine, and is seen by that or told of it.
    @Test
    void a_program_that_begins_while_the_engine_breaks_does_not_run_on() throws Exception {
        Container container = engine.start(busybox("sleep", "100"), Streams.capture());
        var unexpected = new ConcurrentLinkedQueue<Throwable>();
        var begun = new CountDownLatch(8);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        RunningExec exec = container.startExec(Exec.of("sleep", "100"), Streams.capture());
                        begun.countDown();
                        if (exec.await(Duration.ofMillis(20)).isPresent()) {
                            unexpected.add(new AssertionError("sleep has ended"));
                        }
                    }
                } catch (EngineException e) {
                    if (!e.code().equals("ENGINE_BROKEN")) {
                        unexpected.add(e);
                    }
                } catch (Exception e) {
                    unexpected.add(e);
                }
            }));
        }
        begun.await();

        breakEngine();

        for (Thread thread : threads) {
            assertThat(thread.join(Duration.ofSeconds(20))).isTrue();
        }
        assertThat(unexpected).isEmpty();
        engine.close();
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
    }

    @Test
    void an_error_in_a_handler_does_not_end_the_reactor() throws Exception {
        var told = new AtomicReference<Throwable>();
        var later = new CountDownLatch(1);
        Reactor reactor = engine.reactor();
        try (var pipe = dev.caisson.linux.Pipes.create()) {
            var failed = new CountDownLatch(1);
            long key = reactor.watch(
                    pipe.read(),
                    () -> {
                        throw new OutOfMemoryError("of the test");
                    },
                    e -> {
                        told.set(e);
                        failed.countDown();
                    });
            dev.caisson.linux.Pipes.write(pipe.write(), new byte[] {1}, 0, 1);
            assertThat(failed.await(10, TimeUnit.SECONDS)).isTrue();
            reactor.forget(key, pipe.read());
        }
        reactor.at(System.nanoTime(), later::countDown);

        assertThat(told.get()).isInstanceOf(OutOfMemoryError.class);
        assertThat(later.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(shell("true").isOk()).isTrue();
    }

    @Test
    void a_deadline_whose_first_try_fails_is_tried_again() throws Exception {
        var tries = new CountDownLatch(3);

        engine.reactor().at(System.nanoTime(), () -> {
            tries.countDown();
            if (tries.getCount() > 0) {
                throw new OutOfMemoryError("of the test");
            }
        });

        assertThat(tries.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void an_error_of_an_observer_reaches_the_caller_and_leaves_nothing() throws Exception {
        shell("true");
        shell("true");
        Traces before = Traces.of(OPTIONS);
        for (int i = 0; i < 12; i++) { // more than there are threads
            assertThatThrownBy(() ->
                            engine.start(busybox("sleep", "100"), Streams.capture(), ProgressListener.none(), _ -> {
                                throw new StackOverflowError("of the test");
                            }))
                    .isInstanceOf(StackOverflowError.class);
        }

        assertThat(engine.containers()).isEmpty();
        assertThat(shell("true").isOk()).isTrue();
        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }

    @Test
    void captured_output_of_all_runs_together_has_a_bound() throws Exception {
        engine.close();
        engine = Engine.open(OPTIONS.capturedOutput(Bytes.mebibytes(4)));
        var containers = new ArrayList<Container>();
        for (int i = 0; i < 4; i++) {
            containers.add(engine.start(
                    busybox("sh", "-c", "dd if=/dev/zero bs=1M count=3 2>/dev/null; sleep 100"), Streams.capture()));
        }
        try {
            int full = 0;
            for (Container container : containers) {
                Optional<RunResult> result = container.await(Duration.ofSeconds(3));
                full += result.isPresent() ? 1 : 0;
                result.ifPresent(known -> assertThat(known.verdict()).isEqualTo(Verdict.OUTPUT));
            }

            assertThat(full).isBetween(1, 4);
        } finally {
            containers.forEach(Container::close);
        }
        // what has ended has given its share back
        assertThat(engine.run(busybox("dd", "if=/dev/zero", "bs=1M", "count=3")).verdict())
                .isEqualTo(Verdict.OK);
    }

    @Test
    void an_observer_that_does_not_return_does_not_hold_up_the_end_of_the_engine() throws Exception {
        var standing = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var refused = new AtomicReference<Throwable>();
        Thread launcher = Thread.ofPlatform().start(() -> {
            try {
                engine.start(busybox("sleep", "100"), Streams.capture(), ProgressListener.none(), _ -> {
                    standing.countDown();
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
            } catch (Exception e) {
                refused.set(e);
            }
        });
        standing.await();

        long began = System.nanoTime();
        engine.close();

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        release.countDown();
        launcher.join();
        assertThat(refused.get())
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("ENGINE_CLOSED"));
    }

    @Test
    void what_a_closed_engine_keeps_is_not_handed_out() throws Exception {
        Engine closed = Engine.open(OPTIONS);
        closed.close();
        var calls = Map.<String, ThrowingCallable>of(
                "workspaces", closed::workspaces,
                "volumes", closed::volumes,
                "snapshots", closed::snapshots,
                "files", () -> closed.files("none"));
        calls.forEach((name, call) -> assertThatThrownBy(call)
                .as(name)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("ENGINE_CLOSED")));
    }

    @Test
    void closing_meanwhile_is_told_as_that_and_nothing_else() throws Exception {
        for (int round = 0; round < 5; round++) {
            var unexpected = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
            var threads = new ArrayList<Thread>();
            Engine closing = Engine.open(OPTIONS);
            for (int i = 0; i < 6; i++) {
                Thread.Builder builder = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
                threads.add(builder.start(() -> {
                    try {
                        while (true) {
                            closing.run(busybox("true"));
                        }
                    } catch (EngineException e) {
                        if (!e.code().equals("ENGINE_CLOSED")) {
                            unexpected.add(e);
                        }
                    } catch (Throwable e) {
                        unexpected.add(e);
                    }
                }));
            }
            TimeUnit.MILLISECONDS.sleep(100 + 40L * round);
            closing.close();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(unexpected).isEmpty();
        }
    }
}
