package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.HostException;
import dev.caisson.launch.ResolverSockets;
import dev.caisson.launch.Samples;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Sockets;
import dev.caisson.linux.Terminal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests and answers byte by byte, as native/monitor.h has them. The other end of the socket is the test's, and
/// its answer waits there before the request is made.
@SuppressWarnings({"ArrayRecordComponent", "ByteBufferBackingArray"}) // of one case each, never compared
class MonitorTest {
    private static final int REPLY = 0x8000;
    private static final byte[] NONE = {};
    private static final String ID = "0123456789abcdef".repeat(4);

    private final Sockets.Pair pair = Sockets.pair();
    private final Monitor monitor = new Monitor(pair.ours());
    private final List<Fd> opened = new ArrayList<>();
    private int sequence;

    @AfterEach
    void close() {
        monitor.close();
        pair.theirs().close();
        opened.forEach(Fd::close);
    }

    private interface Request {
        void make() throws InterruptedException;
    }

    private void answer(int op, int argument, byte[] payload, Fd... descriptors) {
        send(Wire.message(op | REPLY, 1, sequence++, argument, payload.length, payload), descriptors);
    }

    private void send(byte[] message, Fd... descriptors) {
        Sockets.send(pair.theirs(), message, List.of(descriptors));
    }

    /// A descriptor, and whether all copies of it but the test's own are closed.
    private Sockets.Pair lent() {
        Sockets.Pair lent = Sockets.pair();
        opened.add(lent.ours());
        opened.add(lent.theirs());
        return lent;
    }

    private static boolean isClosed(Sockets.Pair lent) {
        lent.theirs().close();
        Optional<Sockets.Message> end = Sockets.receiveNow(lent.ours(), 1);
        end.ifPresent(Sockets.Message::close);
        return end.isPresent();
    }

    private void assertAsked(int op, int argument, byte[] payload) {
        try (Sockets.Message asked = Sockets.receiveNow(pair.theirs(), 65_536).orElseThrow()) {
            ByteBuffer in = ByteBuffer.wrap(asked.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(in.getShort(0)).as("op").isEqualTo((short) op);
            assertThat(in.getInt(4)).as("sequence").isEqualTo(sequence - 1);
            assertThat(in.getInt(8)).as("argument").isEqualTo(argument);
            assertThat(asked.bytes()).isEqualTo(Wire.message(op, 1, sequence - 1, argument, payload.length, payload));
        }
    }

    private void assertRefused(int op, int errno, Request request) throws InterruptedException {
        answer(op, errno, NONE);
        assertCode("MONITOR_REFUSED", request::make);
        Sockets.receiveNow(pair.theirs(), 65_536).orElseThrow().close();
    }

    private static void assertCode(String code, ThrowingCallable request) {
        assertThatThrownBy(request)
                .isInstanceOfSatisfying(
                        HostException.class,
                        refused -> assertThat(refused.code()).isEqualTo(code));
    }

    private static byte[] running() {
        return Wire.state(Wire.RUNNING, 0, -1);
    }

    @Test
    void requests_without_a_body_are_answered_with_the_state() throws InterruptedException {
        record Case(int op, int argument, boolean refusable, Callable<MonitorState> request) {}
        var policy = new MonitorPolicy(
                MonitorPolicy.Restart.NO, 0, 15, Duration.ofSeconds(10), Optional.empty(), Optional.empty());
        var put = Wire.buffer(MonitorPolicy.BYTES);
        policy.put(put);
        record Body(int op, byte[] payload, Callable<MonitorState> request) {}

        for (Case each : List.of(
                new Case(3, 0, true, monitor::state),
                new Case(5, 0, true, monitor::go),
                new Case(8, 0, true, () -> monitor.pause(false)),
                new Case(8, 1, true, () -> monitor.pause(true)),
                new Case(9, 0, true, monitor::resume),
                new Case(12, 0, true, () -> monitor.watch(false, false)),
                new Case(12, 1, true, () -> monitor.watch(true, false)),
                new Case(12, 2, true, () -> monitor.watch(false, true)))) {
            answer(each.op(), 0, running());
            assertThat(call(each.request()).phase()).isEqualTo(MonitorState.Phase.RUNNING);
            assertAsked(each.op(), each.argument(), NONE);
            assertRefused(each.op(), Errno.EINVAL, () -> call(each.request()));
        }
        for (Body each : List.of(
                new Body(6, Wire.ints(9, 1_500), () -> monitor.stop(9, Duration.ofMillis(1_500))),
                new Body(6, Wire.ints(0, -1), () -> monitor.stop(0, Duration.ofDays(60))),
                new Body(13, put.array(), () -> monitor.set(policy)))) {
            answer(each.op(), 0, running());
            assertThat(call(each.request()).phase()).isEqualTo(MonitorState.Phase.RUNNING);
            assertAsked(each.op(), 0, each.payload());
            assertRefused(each.op(), Errno.EPERM, () -> call(each.request()));
        }
    }

    private static <T> T call(Callable<T> request) throws InterruptedException {
        try {
            return request.call();
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_start_says_whether_it_holds_and_keeps_the_answer_as_it_is() throws InterruptedException {
        Sockets.Pair process = lent();
        answer(4, 0, running(), process.theirs());
        assertThat(monitor.start().succeeded()).isTrue();
        assertAsked(4, 0, NONE);
        assertThat(isClosed(process)).isTrue();

        answer(4, Errno.EALREADY, running());
        assertThat(monitor.hold().wasStarted()).isTrue();
        assertAsked(4, 1, NONE);
    }

    @Test
    void a_signal_may_be_the_last_and_meets_nobody_or_is_refused() throws InterruptedException {
        answer(7, 0, NONE);
        assertThat(monitor.signal(15, false)).isTrue();
        assertAsked(7, 15, NONE);
        answer(7, 0, NONE);
        assertThat(monitor.signal(9, true)).isTrue();
        assertAsked(7, 9 | 1 << 16, NONE);
        answer(7, Errno.ESRCH, NONE);
        assertThat(monitor.signal(1, false)).isFalse();
        assertAsked(7, 1, NONE);
        assertRefused(7, Errno.EPERM, () -> monitor.signal(1, false));
    }

    @Test
    void input_is_taken_in_whole_or_in_part_or_is_closed() throws InterruptedException {
        byte[] bytes = {1, 2, 3, 4, 5, 6, 7};
        answer(10, 0, NONE);
        assertThat(monitor.write(bytes)).isEqualTo(7);
        assertAsked(10, 0, bytes);
        answer(10, 0, Wire.ints(5));
        assertThat(monitor.write(bytes)).isEqualTo(5);
        assertAsked(10, 0, bytes);
        answer(10, 0, new byte[] {9, 9, 9});
        assertThat(monitor.write(bytes)).isEqualTo(7);
        assertAsked(10, 0, bytes);
        answer(10, Errno.EPIPE, NONE);
        assertThat(monitor.write(bytes)).isEqualTo(-1);
        assertAsked(10, 0, bytes);
        answer(10, 0, NONE);
        monitor.endInput();
        assertAsked(10, 1, NONE);
        assertRefused(10, Errno.EIO, () -> monitor.write(bytes));
    }

    @Test
    void a_container_without_a_terminal_has_no_size() throws InterruptedException {
        answer(11, 0, NONE);
        monitor.resize(new Terminal.Size(3, 5));
        assertAsked(11, 3 << 16 | 5, NONE);
        answer(11, Errno.ENOTTY, NONE);
        monitor.resize(new Terminal.Size(1, 1));
        assertAsked(11, 1 << 16 | 1, NONE);
        assertRefused(11, Errno.EIO, () -> monitor.resize(new Terminal.Size(1, 1)));
    }

    @Test
    void a_lease_is_renewed_for_a_millisecond_at_least() throws InterruptedException {
        answer(14, 0, NONE);
        assertThat(monitor.renew(Duration.ofSeconds(3))).isTrue();
        assertAsked(14, 3_000, NONE);
        answer(14, 0, NONE);
        assertThat(monitor.renew(Duration.ZERO)).isTrue();
        assertAsked(14, 1, NONE);
        answer(14, 0, NONE);
        assertThat(monitor.renew(Duration.ofDays(1_000))).isTrue();
        assertAsked(14, Integer.MAX_VALUE, NONE);
        answer(14, Errno.EINVAL, NONE);
        assertThat(monitor.renew(Duration.ofSeconds(1))).isFalse();
        assertAsked(14, 1_000, NONE);
        assertRefused(14, Errno.EPERM, () -> monitor.renew(Duration.ofSeconds(1)));
    }

    @Test
    void only_a_removal_by_force_ends_a_container_that_runs() throws InterruptedException {
        answer(15, 0, NONE);
        assertThat(monitor.remove(false)).isTrue();
        assertAsked(15, 0, NONE);
        answer(15, 0, NONE);
        assertThat(monitor.remove(true)).isTrue();
        assertAsked(15, 1, NONE);
        answer(15, Errno.EBUSY, NONE);
        assertThat(monitor.remove(false)).isFalse();
        assertAsked(15, 0, NONE);
        assertRefused(15, Errno.EIO, () -> monitor.remove(false));
    }

    @Test
    void a_program_and_its_terminal_are_handed_over_by_their_id() throws InterruptedException {
        byte[] id = HexFormat.of().parseHex(ID);
        Sockets.Pair handed = lent();
        answer(16, 0, NONE);
        monitor.programs().adopt(ID, handed.theirs());
        assertHanded(16, id, handed);
        assertRefused(16, Errno.EBUSY, () -> monitor.programs().adopt(ID, pair.theirs()));

        handed = lent();
        answer(17, 0, NONE);
        assertThat(monitor.programs().read(ID, handed.theirs())).isTrue();
        assertHanded(17, id, handed);
        answer(17, Errno.ESRCH, NONE);
        assertThat(monitor.programs().read(ID, pair.theirs())).isFalse();
        assertAsked(17, 0, id);
        answer(17, Errno.EOPNOTSUPP, NONE);
        assertCode("MONITOR_VERSION", () -> monitor.programs().read(ID, pair.theirs()));
        assertAsked(17, 0, id);
        assertRefused(17, Errno.EBUSY, () -> monitor.programs().read(ID, pair.theirs()));
    }

    @Test
    void a_filter_is_answered_unless_there_are_too_many_or_the_monitor_is_too_old() throws InterruptedException {
        answer(18, Errno.EINVAL, NONE);
        assertThat(monitor.programs().answersOneMore()).isTrue();
        assertAsked(18, 0, NONE);
        for (int errno : new int[] {Errno.EBUSY, Errno.EOPNOTSUPP}) {
            answer(18, errno, NONE);
            assertThat(monitor.programs().answersOneMore()).isFalse();
            assertAsked(18, 0, NONE);
        }
        answer(18, Errno.EBUSY, NONE);
        monitor.programs().requireAnswersOthers();
        assertAsked(18, 0, NONE);
        answer(18, Errno.EOPNOTSUPP, NONE);
        assertCode("MONITOR_VERSION", () -> monitor.programs().requireAnswersOthers());
        assertAsked(18, 0, NONE);

        Sockets.Pair handed = lent();
        answer(18, 0, NONE);
        assertThat(monitor.programs().answer(handed.theirs())).isTrue();
        assertHanded(18, NONE, handed);
        for (int errno : new int[] {Errno.EBUSY, Errno.ESRCH}) {
            answer(18, errno, NONE);
            assertThat(monitor.programs().answer(pair.theirs())).isFalse();
            assertAsked(18, 0, NONE);
        }
        answer(18, Errno.EOPNOTSUPP, NONE);
        assertCode("MONITOR_VERSION", () -> monitor.programs().answer(pair.theirs()));
        assertAsked(18, 0, NONE);
        assertRefused(18, Errno.EPERM, () -> monitor.programs().answer(pair.theirs()));
    }

    /// Asserts that one descriptor came with a request, and that it stayed the sender's too.
    private void assertHanded(int op, byte[] payload, Sockets.Pair handed) {
        assertThat(handed.theirs().isOpen()).isTrue();
        try (Sockets.Message asked = Sockets.receiveNow(pair.theirs(), 65_536).orElseThrow()) {
            assertThat(asked.bytes()).isEqualTo(Wire.message(op, 1, sequence - 1, 0, payload.length, payload));
            assertThat(asked.descriptors()).hasSize(1);
            Sockets.send(asked.descriptors().getFirst(), new byte[] {7}, List.of());
        }
        try (Sockets.Message through = Sockets.receiveNow(handed.ours(), 8).orElseThrow()) {
            assertThat(through.bytes()).containsExactly(7);
        }
    }

    @Test
    void tables_and_namespaces_are_handed_over() throws InterruptedException {
        Sockets.Pair handed = lent();
        answer(23, 0, NONE);
        monitor.redact(handed.theirs());
        assertHanded(23, NONE, handed);
        assertRefused(23, Errno.EINVAL, () -> monitor.redact(pair.theirs()));
        handed = lent();
        answer(29, 0, NONE);
        monitor.network(handed.theirs());
        assertHanded(29, NONE, handed);
        assertRefused(29, Errno.EBUSY, () -> monitor.network(pair.theirs()));
        handed = lent();
        answer(19, 0, NONE);
        monitor.networkOwner(handed.theirs());
        assertHanded(19, NONE, handed);
        assertRefused(19, Errno.EINVAL, () -> monitor.networkOwner(pair.theirs()));
        answer(19, Errno.EOPNOTSUPP, NONE); // one of an earlier build
        monitor.networkOwner(pair.theirs());
        assertAsked(19, 0, NONE);
    }

    @Test
    void a_program_is_taken_for_ours_only_if_it_is_sealed_and_alone() throws InterruptedException {
        byte[] content = {1, 2, 3};
        try (Fd other = MemoryFile.sealed("other", content)) {
            answer(32, 0, NONE, other);
            assertThat(monitor.program()).isEmpty();
            assertAsked(32, 0, NONE);
        }
        Sockets.Pair extra = lent();
        answer(32, 0, NONE, extra.theirs(), extra.theirs());
        assertThat(monitor.program()).isEmpty();
        assertAsked(32, 0, NONE);
        assertThat(isClosed(extra)).isTrue();
    }

    @Test
    void a_plan_and_mounts_come_as_one_descriptor_each() throws InterruptedException {
        record Case(int op, int argument, Callable<Fd> request) {}
        for (Case each : List.of(new Case(27, 0, monitor::plan), new Case(24, 7, () -> monitor.mount(7)))) {
            Sockets.Pair lent = lent();
            answer(each.op(), 0, NONE, lent.theirs());
            try (Fd given = call(each.request())) {
                assertAsked(each.op(), each.argument(), NONE);
                assertThat(isClosed(lent)).isFalse();
                assertThat(given.isOpen()).isTrue();
            }
            for (int errno : new int[] {Errno.EOPNOTSUPP, Errno.EINVAL}) {
                answer(each.op(), errno, NONE);
                assertCode("MONITOR_VERSION", () -> call(each.request()));
                assertAsked(each.op(), each.argument(), NONE);
            }
            assertRefused(each.op(), Errno.ESRCH, () -> call(each.request()));
            Sockets.Pair two = lent();
            answer(each.op(), 0, NONE, two.theirs(), two.theirs());
            assertCode("MONITOR_PROTOCOL", () -> call(each.request()));
            assertAsked(each.op(), each.argument(), NONE);
            assertThat(isClosed(two)).isTrue();
            Sockets.Pair refused = lent();
            answer(each.op(), Errno.EPERM, NONE, refused.theirs());
            assertCode("MONITOR_REFUSED", () -> call(each.request()));
            assertAsked(each.op(), each.argument(), NONE);
            assertThat(isClosed(refused)).isTrue();
        }
    }

    @Test
    void layers_end_at_the_first_that_is_not_there_or_at_the_most() throws InterruptedException {
        Sockets.Pair first = lent();
        Sockets.Pair second = lent();
        answer(25, 0, NONE, first.theirs());
        answer(25, 0, NONE, second.theirs());
        answer(25, Errno.EINVAL, NONE);
        List<Fd> layers = monitor.layers(9);
        opened.addAll(layers);
        assertThat(layers).hasSize(2).allMatch(Fd::isOpen);
        for (int i = 0; i < 3; i++) {
            assertAskedAt(i - 3, 25, i);
        }

        Sockets.Pair only = lent();
        answer(25, 0, NONE, only.theirs());
        List<Fd> one = monitor.layers(1);
        opened.addAll(one);
        assertThat(one).hasSize(1);
        assertAsked(25, 0, NONE);

        Sockets.Pair lost = lent();
        answer(25, 0, NONE, lost.theirs());
        answer(25, Errno.EIO, NONE);
        assertCode("MONITOR_REFUSED", () -> monitor.layers(9));
        assertThat(isClosed(lost)).isTrue();
    }

    private void assertAskedAt(int back, int op, int argument) {
        try (Sockets.Message asked = Sockets.receiveNow(pair.theirs(), 65_536).orElseThrow()) {
            assertThat(asked.bytes()).isEqualTo(Wire.message(op, 1, sequence + back, argument, 0, NONE));
        }
    }

    @Test
    void a_resolver_is_two_sockets_or_none() throws InterruptedException {
        Sockets.Pair udp = lent();
        Sockets.Pair tcp = lent();
        answer(26, 0, NONE, udp.theirs());
        answer(26, 0, NONE, tcp.theirs());
        ResolverSockets both = monitor.resolver().orElseThrow();
        opened.add(both.udp());
        opened.add(both.tcp());
        assertAskedAt(-2, 26, 17);
        assertAskedAt(-1, 26, 6);
        Sockets.send(both.udp(), new byte[] {17}, List.of());
        Sockets.send(both.tcp(), new byte[] {6}, List.of());
        assertThat(Sockets.receiveNow(udp.ours(), 8).orElseThrow().bytes()).containsExactly(17);
        assertThat(Sockets.receiveNow(tcp.ours(), 8).orElseThrow().bytes()).containsExactly(6);

        answer(26, Errno.ESRCH, NONE);
        assertThat(monitor.resolver()).isEmpty();
        assertAsked(26, 17, NONE);

        Sockets.Pair ended = lent();
        answer(26, 0, NONE, ended.theirs());
        answer(26, Errno.ESRCH, NONE);
        assertThat(monitor.resolver()).isEmpty();
        assertThat(isClosed(ended)).isTrue();

        Sockets.Pair broken = lent();
        answer(26, 0, NONE, broken.theirs());
        answer(26, Errno.EIO, NONE);
        assertCode("MONITOR_REFUSED", monitor::resolver);
        assertThat(isClosed(broken)).isTrue();
    }

    @Test
    void another_plan_is_taken_is_too_early_or_cannot_be_taken() throws InterruptedException {
        answer(28, 0, running());
        assertThat(monitor.relink(Samples.plan()).orElseThrow().generation()).isEqualTo(3);
        try (Sockets.Message asked = Sockets.receiveNow(pair.theirs(), 65_536).orElseThrow()) {
            byte[] links = new byte[4 + 64 * 8];
            assertThat(asked.bytes()).isEqualTo(Wire.message(28, 1, 0, 0, links.length, links));
            assertThat(asked.descriptors()).hasSize(1);
        }
        answer(28, Errno.EBUSY, NONE);
        assertThat(monitor.relink(Samples.plan())).isEmpty();
        for (int errno : new int[] {Errno.EOPNOTSUPP, Errno.EPERM}) {
            answer(28, errno, NONE);
            assertCode("MONITOR_VERSION", () -> monitor.relink(Samples.plan()));
        }
        answer(28, Errno.EIO, NONE);
        assertCode("MONITOR_REFUSED", () -> monitor.relink(Samples.plan()));
    }

    @Test
    void notices_that_come_with_an_answer_wait_and_each_stands_once() throws InterruptedException {
        Sockets.Pair with = lent();
        send(Wire.message(0x4001, 1, 0, 0, 0, NONE), with.theirs());
        send(Wire.message(0x4002, 1, 0, 0, 0, NONE));
        send(Wire.message(0x4001, 1, 0, 0, 0, NONE));
        send(Wire.message(0x4003, 1, 0, 0, 0, NONE));
        answer(3, 0, running());
        assertThat(monitor.state().pid()).isEqualTo(12);
        assertThat(isClosed(with)).isTrue();

        assertThat(monitor.notice(Duration.ZERO)).contains(Monitor.Topic.LOG);
        assertThat(monitor.notice(Duration.ZERO)).contains(Monitor.Topic.STATE);
        assertThat(monitor.notice(Duration.ZERO)).contains(Monitor.Topic.INPUT);
        assertThat(monitor.notice(Duration.ZERO)).isEmpty();
        send(Wire.message(0x4002, 1, 0, 0, 0, NONE));
        assertThat(monitor.notice(Duration.ofSeconds(10))).contains(Monitor.Topic.STATE);
    }

    @Test
    void an_answer_of_another_request_is_refused() {
        Sockets.Pair with = lent();
        send(Wire.message(3 | REPLY, 1, 1, 0, 128, running()), with.theirs());
        assertCode("MONITOR_PROTOCOL", monitor::state);
        assertThat(isClosed(with)).isTrue();
        send(Wire.message(5 | REPLY, 1, 1, 0, 128, running()));
        assertCode("MONITOR_PROTOCOL", monitor::state);
        send(Wire.message(3, 1, 2, 0, 128, running()));
        assertCode("MONITOR_PROTOCOL", monitor::state);
        send(Wire.message(0x4003 | REPLY, 1, 3, 0, 128, running()));
        assertCode("MONITOR_PROTOCOL", monitor::state);
    }

    @Test
    void a_message_that_is_cut_or_of_another_version_or_length_is_refused() {
        Sockets.Pair with = lent();
        send(new byte[15], with.theirs());
        assertCode("MONITOR_PROTOCOL", monitor::state);
        assertThat(isClosed(with)).isTrue();
        send(Wire.message(3 | REPLY, 2, 1, 0, 0, NONE));
        assertCode("MONITOR_VERSION", monitor::state);
        send(Wire.message(3 | REPLY, 1, 2, 0, 1, NONE));
        assertCode("MONITOR_PROTOCOL", monitor::state);
        send(Wire.message(3 | REPLY, 1, 3, 0, 0, new byte[1]));
        assertCode("MONITOR_PROTOCOL", monitor::state);
        send(Wire.message(3 | REPLY, 1, 4, 0, 127, new byte[127]));
        assertCode("MONITOR_PROTOCOL", monitor::state);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_monitor_that_has_gone_is_told(boolean asked) {
        if (asked) {
            Sockets.hangUp(pair.theirs());
        } else {
            pair.theirs().close();
        }
        assertCode("MONITOR_GONE", monitor::state);
        assertCode("MONITOR_GONE", () -> monitor.notice(Duration.ofSeconds(10)));
    }

    @Test
    void an_interrupt_ends_the_wait_for_a_notice() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> monitor.notice(Duration.ofSeconds(10))).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void closing_ends_the_connection() {
        monitor.close();
        assertThat(Sockets.receiveNow(pair.theirs(), 8).orElseThrow().isEnd()).isTrue();
    }
}
