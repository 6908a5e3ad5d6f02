package dev.caisson.launch;

import static dev.caisson.launch.ScriptedZygote.IDS;
import static dev.caisson.launch.ScriptedZygote.expected;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.MemoryFile;
import dev.caisson.spec.MacAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is asked of the zygote, byte by byte as native/plan.h has it, and what is made of its answers.
@Timeout(60)
class ZygoteTest {
    private static final Set<Namespace> NAMESPACES = EnumSet.of(Namespace.PID, Namespace.CGROUP, Namespace.TIME);
    private static final long FLAGS = 0x2000_0080L;
    private static final String FORBIDDEN = ": the engine needs root with CAP_SYS_ADMIN over the host, and no security"
            + " module or seccomp filter that denies it this, such as by SystemCallFilter= of a systemd unit";

    private final ScriptedZygote scripted = new ScriptedZygote();
    private final Zygote zygote = scripted.zygote;
    private final Fd one = scripted.something();
    private final Fd two = scripted.something();
    private final Fd three = scripted.something();
    private final Map<String, Object> file = OpenFiles.file(one);

    @AfterEach
    void close() {
        scripted.close();
    }

    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private void assertAsked(ByteBuffer expected, Fd... descriptors) {
        try (ScriptedZygote.Request asked = scripted.asked(expected)) {
            assertThat(asked.files())
                    .isEqualTo(Arrays.stream(descriptors).map(OpenFiles::file).toList());
        }
        assertThat(descriptors).allMatch(Fd::isOpen);
    }

    // ---- requests

    @Test
    void a_user_namespace_is_asked_for_by_its_ids() {
        scripted.answer(one);
        try (Fd given = zygote.userNamespace(IDS)) {
            assertThat(OpenFiles.file(given)).isEqualTo(file);
        }
        assertThat(OpenFiles.count(file)).isEqualTo(1);
        assertAsked(expected(1, 0));
    }

    @Test
    void a_process_is_asked_for_with_its_namespaces_its_socket_its_group_and_the_network_of_another() {
        zygote.child(IDS, NAMESPACES, one, Optional.empty(), Optional.empty());
        assertAsked(expected(2, 1).putLong(16, FLAGS), one);
        zygote.child(IDS, NAMESPACES, one, Optional.of(two), Optional.empty());
        assertAsked(expected(2, 2).putLong(16, FLAGS), one, two);
        zygote.child(IDS, NAMESPACES, one, Optional.of(two), Optional.of(three));
        assertAsked(expected(2, 3).putLong(16, FLAGS), one, two, three);
        zygote.hostChild(IDS, NAMESPACES, one, Optional.of(two));
        assertAsked(expected(11, 2).putLong(16, FLAGS), one, two);
    }

    @Test
    void a_process_that_enters_is_asked_for_with_its_score() {
        zygote.exec(IDS, one, Optional.empty(), 700);
        assertAsked(expected(5, 1).putInt(48, 700), one);
        zygote.exec(IDS, one, Optional.of(two), -5);
        assertAsked(expected(5, 2).putInt(48, -5), one, two);
    }

    @Test
    void a_root_is_in_memory_with_its_bounds_unless_an_upper_comes_with_its_layers() {
        LaunchPlan plan = plan();
        zygote.root(plan, List.of(one, two));
        assertAsked(
                expected(3, 2)
                        .putShort(24, (short) 2)
                        .putShort(26, (short) 1)
                        .putShort(28, (short) 2)
                        .putLong(32, 1L << 33)
                        .putLong(40, 77),
                one,
                two);
        zygote.root(plan, List.of(one, two, three));
        assertAsked(
                expected(3, 3).putShort(24, (short) 3).putShort(26, (short) 1).putShort(28, (short) 2),
                one,
                two,
                three);
    }

    private static LaunchPlan plan() {
        return new LaunchPlan(
                IDS,
                EnumSet.of(Namespace.NETWORK),
                new LaunchPlan.RootAssembly(2, 1L << 33, 77),
                List.of(new SlotSource.Root()),
                List.of());
    }

    @Test
    void covers_and_devices_are_asked_for() {
        zygote.cover(IDS, List.of(one, two, three));
        assertAsked(expected(3, 3).putShort(24, (short) 4).putShort(28, (short) 3), one, two, three);
        zygote.device(IDS, two);
        assertAsked(expected(4, 1), two);
    }

    @Test
    void links_come_behind_the_request() {
        var link = new Link("cv1", "cn1", "eth0", 9, 1500, MacAddress.parse("02:00:00:00:00:01"), true);
        zygote.links(IDS, new Zygote.Child(5, one), List.of(link));
        ByteBuffer expected = expected(10, 1, 52 + Link.ALL_BYTES);
        expected.put(52, Link.encode(List.of(link)));
        assertAsked(expected, one);
    }

    // ---- answers

    @Test
    void answers_belong_to_requests_in_their_order_whoever_reads_them() {
        Zygote.Answer first = zygote.device(IDS, one);
        Zygote.Answer second = zygote.device(IDS, one);
        scripted.answer(two);
        scripted.answer(three);
        try (Fd later = second.descriptor();
                Fd earlier = first.descriptor()) {
            assertThat(OpenFiles.file(later)).isEqualTo(OpenFiles.file(three));
            assertThat(OpenFiles.file(earlier)).isEqualTo(OpenFiles.file(two));
        }
    }

    @Test
    void a_process_comes_with_its_number() {
        Zygote.Answer asked = zygote.exec(IDS, two, Optional.empty(), 0);
        scripted.answerChild(new Zygote.Child(4321, one));
        Zygote.Child child = asked.child();
        assertThat(child.pid()).isEqualTo(4321);
        assertThat(OpenFiles.file(child.pidfd())).isEqualTo(file);
        child.pidfd().close();
    }

    @Test
    void one_descriptor_is_taken_and_none_or_two_are_refused() {
        scripted.answer();
        assertCode("ZYGOTE_PROTOCOL", () -> zygote.userNamespace(IDS));
        scripted.answer(one, one);
        assertCode("ZYGOTE_PROTOCOL", () -> zygote.userNamespace(IDS));
        assertThat(OpenFiles.count(file)).isEqualTo(1);
    }

    @Test
    void what_nobody_takes_is_closed() {
        Zygote.Answer done = zygote.device(IDS, two);
        Zygote.Answer closed = zygote.device(IDS, two);
        scripted.answer(one);
        scripted.answer(one);
        done.done();
        assertThat(OpenFiles.count(file)).isEqualTo(1);
        closed.close();
        assertThat(OpenFiles.count(file)).isEqualTo(1);
    }

    @Test
    void a_refusal_names_its_stage_and_takes_the_status_of_a_child_that_was_killed() {
        Zygote.Child killed = scripted.child("0");
        long copies = OpenFiles.count(OpenFiles.file(killed.pidfd()));
        Zygote.Answer asked = zygote.exec(IDS, two, Optional.empty(), 0);
        scripted.refuse(4, Errno.EPERM, killed.pidfd());
        assertThatThrownBy(asked::child)
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_FAILED"))
                .hasMessage("the kernel refused writing the id maps (EPERM): the engine needs root with"
                        + " CAP_SYS_ADMIN over the host, and no security module or seccomp filter that denies it this,"
                        + " such as by SystemCallFilter= of a systemd unit");
        assertThat(ScriptedZygote.isReaped(killed)).isTrue();
        assertThat(OpenFiles.count(OpenFiles.file(killed.pidfd()))).isEqualTo(copies);
        Zygote.Answer done = zygote.device(IDS, two);
        scripted.refuse(9, Errno.ENOENT);
        assertCode("ZYGOTE_FAILED", done::done);
    }

    @Test
    void an_answer_with_more_descriptors_than_there_is_room_for_is_told_and_does_not_stand_for_the_next() {
        scripted.send(new byte[16], one, one, one, one, one, one, one, one, one, one, one);
        scripted.answer(two);
        assertThatThrownBy(() -> zygote.userNamespace(IDS))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("OPEN_FILES"))
                .hasMessageContaining("ulimit -n");
        assertThat(OpenFiles.count(file)).isEqualTo(1);
        try (Fd next = zygote.userNamespace(IDS)) {
            assertThat(OpenFiles.file(next)).isEqualTo(OpenFiles.file(two));
        }
        Zygote.Answer closed = zygote.device(IDS, two);
        scripted.send(new byte[17]);
        closed.close();
    }

    @Test
    void a_request_that_cannot_be_sent_waits_for_no_answer() {
        Fd closed = two.duplicate();
        closed.close();
        assertThatThrownBy(() -> zygote.device(IDS, closed)).isInstanceOf(IllegalStateException.class);
        scripted.answer(one);
        try (Fd next = zygote.userNamespace(IDS)) {
            assertThat(OpenFiles.file(next)).isEqualTo(file);
        }
    }

    @Test
    void a_zygote_that_is_gone_is_told_to_who_asks_and_to_who_waits() {
        Zygote.Answer waiting = zygote.device(IDS, one);
        Zygote.Answer closed = zygote.device(IDS, one);
        scripted.send(new byte[15], one);
        assertCode("ZYGOTE_GONE", waiting::descriptor);
        assertThat(OpenFiles.count(file)).isEqualTo(1);
        scripted.end();
        closed.close();
        assertThatThrownBy(() -> zygote.device(IDS, one))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_GONE"))
                .hasMessageContaining("(EPIPE)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1|EINVAL|22|reading the request|",
                "2|EINVAL|22|assembling the root file system|",
                "3|ENOSPC|28|cloning|: the host's limit of namespaces is reached, see /proc/sys/user/max_*_namespaces",
                "3|EAGAIN|11|cloning|: the host's limit of processes is reached",
                "3|EPERM|1|cloning|" + FORBIDDEN,
                "3|EINVAL|22|cloning|",
                "4|ENOSPC|28|writing the id maps|",
                "4|EAGAIN|11|writing the id maps|",
                "5|EPERM|1|building its private root|" + FORBIDDEN,
                "5|ENOENT|2|building its private root|: the engine's own /dev has to have null, zero, full, random, urandom"
                        + " and tty",
                "6|EPERM|1|making a device node|: the engine's own control group has to let it make nodes of that"
                        + " device",
                "6|ENODEV|19|making a device node|",
                "7|EINVAL|22|stage 7|",
                "8|EOPNOTSUPP|95|keeping a mount|",
                "9|ENODEV|19|making network links|: the bridge of a network is not there, start the container again",
                "9|EOPNOTSUPP|95|making network links|: the bridge of a network is not there, start the container"
                        + " again",
                "9|EPERM|1|making network links|: the engine needs CAP_NET_ADMIN over the host",
                "9|EINVAL|22|making network links|",
                "10|EINVAL|22|stage 10|",
                "0|EINVAL|22|stage 0|",
            })
    void each_stage_has_its_words_and_what_to_do(int stage, String name, int errno, String where, String advice) {
        HostException refused = ZygoteStages.refused(stage, errno);
        assertThat(refused.code()).isEqualTo("ZYGOTE_FAILED");
        assertThat(refused)
                .hasMessage("the kernel refused " + where + " (" + name + ")" + (advice == null ? "" : advice));
    }

    @Test
    void who_waits_for_one_that_did_not_start_is_told_why() {
        var why = new HostException("ZYGOTE_START", "why");
        assertThatThrownBy(() -> Zygote.await(CompletableFuture.failedFuture(why)))
                .isSameAs(why);
        assertThatThrownBy(() -> Zygote.await(CompletableFuture.failedFuture(new IllegalStateException())))
                .isInstanceOf(CompletionException.class);
        assertThat(Zygote.await(CompletableFuture.completedFuture(zygote))).isSameAs(zygote);
    }

    @Test
    void its_first_word_says_whether_it_has_started() {
        scripted.answer();
        zygote.awaitStart();
        scripted.refuse(5, Errno.EPERM);
        assertThatThrownBy(zygote::awaitStart).hasMessageContaining("building its private root (EPERM)");
    }

    // ---- the process

    @Test
    @Tag("root")
    void it_lives_until_it_is_closed_also_if_threads_are_interrupted() throws IOException {
        Set<String> sockets = OpenFiles.sockets();
        Zygote started = Zygote.start();
        Path process = Path.of("/proc/" + started.pid());
        try (started;
                Zygote _ = Zygote.await(Zygote.begin(true))) {
            assertThat(arguments(started)).containsExactly("caisson-init", "zygote");
            assertThat(keepers()).hasSizeGreaterThanOrEqualTo(2);
            for (Thread keeper : keepers()) {
                assertThat(keeper.isDaemon()).isTrue();
                keeper.interrupt();
            }
            started.userNamespace(IDS).close();
            Thread.currentThread().interrupt();
        }
        assertThat(Thread.interrupted()).isTrue();
        assertThat(process).doesNotExist();
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
    }

    @Test
    void one_that_does_not_start_leaves_no_process_and_nothing_open() {
        Set<String> sockets = OpenFiles.sockets();
        long children = ProcessHandle.current().children().count();
        var absent = new HostException("PROGRAM_ABSENT", "none");
        assertThatThrownBy(() -> Zygote.await(Zygote.begin(false, () -> {
                    throw absent;
                })))
                .isSameAs(absent);
        var cause = new ErrnoException("memfd_create", Errno.EPERM);
        assertThatThrownBy(() -> Zygote.await(Zygote.begin(false, () -> {
                    throw cause;
                })))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_START"))
                .hasMessageContaining("memfd_create")
                .hasCause(cause);
        var memory = new OutOfMemoryError("no memory");
        assertThatThrownBy(() -> Zygote.await(Zygote.begin(false, () -> {
                    throw memory;
                })))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_START"))
                .hasMessageContaining("no memory")
                .hasCause(memory);
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
        assertCode(
                "ZYGOTE_GONE",
                () -> Zygote.await(Zygote.begin(false, () -> FileSystem.open("/bin/true", FileSystem.O_RDONLY))));
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
        assertThat(ProcessHandle.current().children().count()).isEqualTo(children);
    }

    /// The kernel ends containers with the thread that started their zygote: it must not end before the engine does.
    @Test
    @Tag("root")
    void the_thread_of_one_that_is_killed_stays_until_it_is_closed() throws Exception {
        Path process;
        try (Zygote killed = Zygote.start()) {
            process = Path.of("/proc/" + killed.pid());
            ProcessHandle.of(killed.pid()).orElseThrow().destroyForcibly();
            while (!Files.readString(process.resolve("stat")).contains(") Z ")) {
                Thread.sleep(2);
            }
            Thread.sleep(20);
            assertThat(process).exists();
            assertThat(keepers()).isNotEmpty();
        }
        assertThat(process).doesNotExist();
    }

    @Test
    @Tag("root")
    void only_one_with_links_may_make_them() throws IOException {
        try (Zygote linking = Zygote.await(Zygote.begin(true))) {
            assertThat(arguments(linking)).containsExactly("caisson-init", "zygote", "links");
        }
        assertThat(Thread.interrupted()).isFalse();
    }

    private static List<String> arguments(Zygote zygote) throws IOException {
        return List.of(
                Files.readString(Path.of("/proc/" + zygote.pid() + "/cmdline")).split("\0"));
    }

    private static List<Thread> keepers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("caisson-zygote"))
                .toList();
    }

    @Test
    void only_the_very_program_is_taken_for_it() {
        try (Fd program = Zygote.executable();
                Fd other = MemoryFile.sealed("caisson-init", new byte[] {1})) {
            assertThat(Zygote.isExecutable(program)).isTrue();
            assertThat(Zygote.isExecutable(other)).isFalse();
        }
    }
}
