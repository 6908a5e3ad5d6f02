package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.HostException;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.Report;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a first process says and how it ends: here a shell that does what the test writes to it, and the test speaks
/// in its place.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class InitWatchTest {
    private static final String REACTOR = "init-watch-test";

    private final Reactor reactor = new Reactor(REACTOR, _ -> {});
    private final Sockets.Pair sockets = Sockets.pair();
    private final Pipes.Pipe orders = Pipes.create();
    private final Fd pidfd = child();
    private final AtomicBoolean hasCalledProgram = new AtomicBoolean();
    private final List<String> happened = new CopyOnWriteArrayList<>();
    private final Semaphore wentOn = new Semaphore(0);
    private final CountDownLatch gone = new CountDownLatch(1);
    private final InitWatch watch = new InitWatch(
            new InitWatch.Init(
                    sockets.ours(),
                    pidfd,
                    () -> {
                        happened.add("goes on");
                        wentOn.release();
                    },
                    hasCalledProgram::get),
            List.of(),
            () -> happened.add("paused"),
            () -> {
                happened.add("gone");
                gone.countDown();
            });

    private Fd child() {
        try (Fd shell = FileSystem.open("/bin/sh", FileSystem.O_RDONLY)) {
            return Processes.open(Processes.spawn(
                    shell, List.of("sh", "-c", "read order <&3; eval \"$order\""), List.of(orders.read())));
        }
    }

    @AfterEach
    void close() {
        reactor.close();
        Processes.signal(pidfd, 9);
        if (!happened.contains("gone") || watch.isLost()) {
            Processes.reap(pidfd);
        }
        pidfd.close();
        sockets.ours().close();
        sockets.theirs().close();
        orders.close();
    }

    private void order(String what) {
        byte[] line = (what + "\n").getBytes(StandardCharsets.US_ASCII);
        assertThat(Pipes.write(orders.write(), line, 0, line.length)).isEqualTo(line.length);
    }

    @SuppressWarnings("EnumOrdinal") // as plan.h has them
    private void say(Report.Kind kind, int status, int detail, Fd... descriptors) {
        ByteBuffer report = ByteBuffer.allocate(Report.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        report.putInt(PlanCodec.MAGIC)
                .putInt(kind.ordinal() + 1)
                .putInt(0)
                .putInt(-1)
                .putInt(status)
                .putInt(detail);
        Sockets.send(sockets.theirs(), report.array(), List.of(descriptors));
    }

    private void awaitGone() throws InterruptedException {
        assertThat(gone.await(10, TimeUnit.SECONDS)).as("an end").isTrue();
        inReactor(() -> true); // what comes behind it
        assertThat(watch.hasEnded()).isTrue();
        assertThat(happened).filteredOn("gone"::equals).hasSize(1);
    }

    private <T> T inReactor(Supplier<T> work) {
        var done = new CompletableFuture<T>();
        reactor.at(System.nanoTime(), () -> done.complete(work.get()));
        return done.join();
    }

    private void awaitEnded() throws InterruptedException {
        while (!Processes.hasEnded(pidfd)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    @Test
    void the_end_that_it_tells_is_the_programs() throws Exception {
        long begun = System.nanoTime();
        watch.begin(reactor);
        assertThat(watch.hasEnded()).isFalse();
        assertThatThrownBy(watch::end).isInstanceOf(IllegalStateException.class);
        say(Report.Kind.EXIT, 3, 1 | 4);
        order("exit 7");
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(3, 0));
        assertThat(watch.told()).map(Report::exitCode).contains(3);
        assertThat(watch.obstacles()).containsExactly(Obstacle.WRITABLE_LAYER_FULL, Obstacle.SET_ID_WITHOUT_EFFECT);
        assertThat(watch.hasDiedEarly()).isFalse();
        assertThat(watch.failure()).isEmpty();
        assertThat(watch.isLost()).isFalse();
        assertThat(watch.endedNanos()).isBetween(begun, System.nanoTime());
        assertThatThrownBy(() -> Processes.reap(pidfd)).as("it was reaped").hasMessageContaining("ECHILD");
    }

    @Test
    void a_signal_that_it_tells_is_the_programs() throws Exception {
        watch.begin(reactor);
        say(Report.Kind.EXIT, 256 + 11, 0);
        order("exit 0");
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(0, 11));
        assertThat(watch.obstacles()).isEmpty();
    }

    /// A program in its place says nothing.
    @Test
    void without_a_word_its_own_end_counts() throws Exception {
        hasCalledProgram.set(true);
        watch.begin(reactor);
        order("exit 7");
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(7, 0));
        assertThat(watch.told()).isEmpty();
        assertThat(watch.obstacles()).isEmpty();
        assertThat(watch.hasDiedEarly()).isFalse();
        assertThat(watch.failure()).isEmpty();
    }

    @Test
    void one_that_ends_without_a_word_before_the_program_has_died_early() throws Exception {
        watch.begin(reactor);
        order("kill -TERM $$");
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(0, 15));
        assertThat(watch.hasDiedEarly()).isTrue();
    }

    @Test
    void an_error_that_it_tells_is_why_the_program_did_not_run() throws Exception {
        watch.begin(reactor);
        say(Report.Kind.ERROR, 2, 0);
        order("exit 1");
        awaitGone();

        assertThat(watch.failure())
                .hasValueSatisfying(
                        why -> assertThat(why).isInstanceOf(HostException.class).hasMessageContaining("ENOENT"));
        assertThat(watch.hasDiedEarly()).isFalse();
        assertThat(watch.isLost()).isFalse();
    }

    @Test
    void one_that_stands_still_is_let_go_on_each_time() throws Exception {
        watch.begin(reactor);
        for (Report.Kind told : List.of(Report.Kind.CONSOLE, Report.Kind.READY, Report.Kind.NAMESPACE)) {
            say(told, 0, 0);
        }
        say(Report.Kind.PAUSED, 0, 0);
        say(Report.Kind.PAUSED, 0, 0);
        assertThat(wentOn.tryAcquire(2, 10, TimeUnit.SECONDS)).isTrue();

        assertThat(happened).containsExactly("paused", "goes on", "paused", "goes on");
        assertThat(watch.told()).isEmpty();
        assertThat(watch.failure()).isEmpty();
    }

    @Test
    void all_that_it_said_before_its_end_is_known_at_its_end() throws Exception {
        say(Report.Kind.READY, 0, 0);
        say(Report.Kind.NAMESPACE, 0, 0);
        say(Report.Kind.RESOLVER, 0, 0);
        say(Report.Kind.EXIT, 3, 0);
        sockets.theirs().close();
        order("exit 0");
        awaitEnded();

        inReactor(() -> {
            watch.begin(reactor); // which reads nothing before it watches both
            return true;
        });
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(3, 0));
    }

    /// It closes its socket with its end, or before: the program's process has it no more.
    @Test
    void a_socket_that_is_at_its_end_is_watched_no_more() throws Exception {
        watch.begin(reactor);
        sockets.theirs().close();
        assertThat(OwnThreads.areIdle(REACTOR)).isTrue();

        order("exit 7");
        awaitGone();
        assertThat(watch.end()).isEqualTo(new Processes.End(7, 0));
        assertThat(OwnThreads.areIdle(REACTOR)).as("behind the end").isTrue();
    }

    // ---- the listener of a program's filter

    /// Sends copies of one end of a pair, as a listener, and closes the test's own.
    private Sockets.Pair sayListener(int copies) {
        Sockets.Pair pair = Sockets.pair();
        say(
                Report.Kind.LISTENER,
                0,
                0,
                Collections.nCopies(copies, pair.theirs()).toArray(Fd[]::new));
        pair.theirs().close();
        return pair;
    }

    private static void assertNobodyHas(Sockets.Pair pair) throws InterruptedException {
        Optional<Sockets.Message> end = Sockets.receiveNow(pair.ours(), 1);
        for (int i = 0; end.isEmpty() && i < 5000; i++) {
            TimeUnit.MILLISECONDS.sleep(1);
            end = Sockets.receiveNow(pair.ours(), 1);
        }
        assertThat(end)
                .hasValueSatisfying(message -> assertThat(message.isEnd()).isTrue());
        pair.ours().close();
    }

    @Test
    void a_listener_is_given_once_to_who_asked_for_it() throws Exception {
        var taken = new LinkedBlockingQueue<Fd>();
        watch.listening(taken::add);
        watch.begin(reactor);
        Sockets.Pair first = sayListener(1);

        try (Fd listener = Objects.requireNonNull(taken.poll(10, TimeUnit.SECONDS))) {
            Sockets.send(listener, new byte[] {7}, List.of());
            assertThat(Sockets.receiveNow(first.ours(), 1).orElseThrow().bytes())
                    .containsExactly(7);
            assertNobodyHas(sayListener(1));
            assertThat(taken).isEmpty();
        }
        assertNobodyHas(first);
    }

    @Test
    void a_listener_that_nobody_asked_for_or_that_is_not_one_is_closed() throws Exception {
        watch.begin(reactor);
        assertNobodyHas(sayListener(1));

        var taken = new LinkedBlockingQueue<Fd>();
        watch.listening(taken::add);
        assertNobodyHas(sayListener(2));
        assertThat(taken).isEmpty();
        assertThat(happened).isEmpty();
    }

    // ---- another process may read what it says

    @Test
    void nothing_is_read_while_it_is_left_to_another_process() throws Exception {
        watch.begin(reactor);
        assertThat(inReactor(watch::pause)).isTrue();
        say(Report.Kind.PAUSED, 0, 0);
        say(Report.Kind.EXIT, 3, 0);
        order("exit 0");
        awaitEnded();
        assertThat(inReactor(() -> true)).isTrue();
        assertThat(happened).isEmpty();
        assertThat(watch.told()).isEmpty();

        inReactor(() -> {
            watch.resume(reactor);
            return true;
        });
        awaitGone();
        assertThat(happened).containsExactly("paused", "goes on", "gone");
        assertThat(watch.end()).isEqualTo(new Processes.End(3, 0));
        watch.resume(reactor);
        assertThat(happened).hasSize(3);
    }

    @Test
    void one_that_is_watched_is_not_watched_twice() throws Exception {
        watch.begin(reactor);
        watch.resume(reactor);
        order("exit 7");
        awaitGone();

        assertThat(watch.end()).isEqualTo(new Processes.End(7, 0));
        assertThat(inReactor(watch::pause)).as("after its end").isFalse();
    }

    @ParameterizedTest
    @EnumSource(
            value = Report.Kind.class,
            names = {"EXIT", "ERROR"})
    void one_that_has_told_its_end_or_an_error_is_not_left_to_another(Report.Kind kind) throws Exception {
        watch.begin(reactor);
        say(kind, 2, 0);
        say(Report.Kind.PAUSED, 0, 0);
        assertThat(wentOn.tryAcquire(10, TimeUnit.SECONDS)).isTrue();

        assertThat(inReactor(watch::pause)).isFalse();
        order("exit 0");
        awaitGone();
    }

    // ---- one that cannot be watched

    @Test
    void one_that_says_what_cannot_be_understood_is_killed() throws Exception {
        watch.begin(reactor);
        Sockets.send(sockets.theirs(), new byte[] {1}, List.of());
        awaitGone();

        assertThat(watch.isLost()).isTrue();
        assertThat(watch.end()).isEqualTo(new Processes.End(0, 9));
        assertThat(watch.failure())
                .hasValueSatisfying(why -> assertThat(why)
                        .isInstanceOfSatisfying(
                                EngineException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_LOST"))
                        .hasMessageContaining("init sent 1 bytes")
                        .hasCauseInstanceOf(HostException.class));
        awaitEnded();
        assertThat(inReactor(watch::pause)).isFalse();
        assertThat(OwnThreads.areIdle(REACTOR)).as("it is watched no more").isTrue();
    }

    @Test
    void an_error_that_it_told_before_it_was_lost_is_what_counts() throws Exception {
        watch.begin(reactor);
        say(Report.Kind.ERROR, 2, 0);
        Sockets.send(sockets.theirs(), new byte[] {1}, List.of());
        awaitGone();

        assertThat(watch.isLost()).isTrue();
        assertThat(watch.failure()).hasValueSatisfying(why -> assertThat(why).isInstanceOf(HostException.class));
    }

    @Test
    void one_that_is_left_while_it_is_read_is_not_told_as_lost() throws Exception {
        var isRead = new Semaphore(0);
        var isLeft = new Semaphore(0);
        var other = new InitWatch(
                new InitWatch.Init(
                        sockets.ours(),
                        pidfd,
                        () -> {
                            isRead.release();
                            isLeft.acquireUninterruptibly();
                            throw new IllegalStateException("a descriptor is closed");
                        },
                        hasCalledProgram::get),
                List.of(),
                () -> happened.add("paused"),
                () -> happened.add("gone"));
        other.begin(reactor);
        say(Report.Kind.PAUSED, 0, 0);
        isRead.acquire();
        other.leave(() -> happened.add("killed"));
        isLeft.release();

        assertThat(inReactor(other::isLost)).isFalse();
        assertThat(happened).containsExactly("paused", "killed");
        assertThat(Processes.hasEnded(pidfd)).isFalse();
    }

    /// Else what it says would be read by one that knows nothing of its end.
    @Test
    void one_whose_end_cannot_be_watched_is_not_watched_at_all() throws Exception {
        var closed = new Fd(pidfd.duplicate().release());
        closed.close();
        var other = new InitWatch(
                new InitWatch.Init(sockets.ours(), closed, wentOn::release, hasCalledProgram::get),
                new ArrayList<>(),
                () -> happened.add("paused"),
                gone::countDown);
        assertThatThrownBy(() -> other.begin(reactor)).isInstanceOf(IllegalStateException.class);
        say(Report.Kind.PAUSED, 0, 0);

        assertThat(wentOn.tryAcquire(50, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(happened).isEmpty();
    }
}
