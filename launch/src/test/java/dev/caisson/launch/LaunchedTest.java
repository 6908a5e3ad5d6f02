package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A container whose first process waits for its program: its descriptors, the messages that it gets, its end. That
/// process is a `sleep`, whose control socket the test has.
@Timeout(value = 30, unit = TimeUnit.SECONDS)
@SuppressWarnings("ByteBufferBackingArray") // every buffer is made here
class LaunchedTest {
    private final ScriptedZygote scripted = new ScriptedZygote();
    private final Sockets.Pair control = Sockets.pair();
    private final Zygote.Child child = scripted.child();
    private final Launched launched =
            new Launched(new Zygote.Child(child.pid(), child.pidfd().duplicate()), control.ours());
    private final List<Fd> opened = new ArrayList<>();

    @AfterEach
    void close() {
        launched.close();
        control.theirs().close();
        opened.forEach(Fd::close);
        scripted.close();
    }

    private Fd something() {
        Fd made = scripted.something().duplicate();
        opened.add(made);
        return made;
    }

    private static Report report(Report.Kind kind, int detail) {
        return new Report(kind, 0, -1, 0, detail, 0, 0, 0, List.of());
    }

    /// Hands a descriptor over as one that came with a report.
    private void keep(Report.Kind kind, int detail, Fd... descriptors) {
        launched.keep(report(kind, detail), List.of(descriptors));
    }

    private boolean isLetGo(Fd fd) {
        return !fd.isOpen();
    }

    // ---- what came with reports

    @Test
    void what_comes_with_a_report_is_taken_over() {
        Fd console = something();
        Fd udp = something();
        Fd tcp = something();
        var consoleFile = OpenFiles.file(console);
        var udpFile = OpenFiles.file(udp);
        var tcpFile = OpenFiles.file(tcp);

        assertThat(launched.console()).isEmpty();
        keep(Report.Kind.CONSOLE, 0, console);
        keep(Report.Kind.RESOLVER, 17, udp);
        assertThat(launched.resolver()).isEmpty();
        keep(Report.Kind.RESOLVER, 6, tcp);

        assertThat(isLetGo(console) && isLetGo(udp) && isLetGo(tcp)).isTrue();
        assertThat(launched.console()).map(OpenFiles::file).contains(consoleFile);
        ResolverSockets sockets = launched.resolver().orElseThrow();
        assertThat(OpenFiles.file(sockets.udp())).isEqualTo(udpFile);
        assertThat(OpenFiles.file(sockets.tcp())).isEqualTo(tcpFile);
        launched.close();
        assertThat(OpenFiles.count(consoleFile)).isEqualTo(1);
        assertThat(OpenFiles.count(udpFile)).isEqualTo(1);
        assertThat(OpenFiles.count(tcpFile)).isEqualTo(1);
    }

    @Test
    void one_socket_of_a_kind_is_enough_and_two_descriptors_are_too_many() {
        Fd first = something();
        Fd second = something();
        var file = OpenFiles.file(first);
        keep(Report.Kind.RESOLVER, 6, first);
        keep(Report.Kind.RESOLVER, 6, second);
        keep(Report.Kind.RESOLVER, 17, second, something());
        keep(Report.Kind.CONSOLE, 0, second, something());
        keep(Report.Kind.CONSOLE, 0);
        keep(Report.Kind.EXIT, 0, second);
        keep(Report.Kind.NAMESPACE, 17, second);

        assertThat(second.isOpen()).isTrue();
        assertThat(launched.console()).isEmpty();
        assertThat(launched.resolver()).isEmpty();
        keep(Report.Kind.RESOLVER, 17, second);
        assertThat(OpenFiles.file(launched.resolver().orElseThrow().tcp())).isEqualTo(file);
    }

    @Test
    void the_file_of_the_start_says_whether_the_program_was_called() {
        assertThat(launched.hasCalledProgram()).isFalse();
        for (int called = 0; called <= 2; called++) {
            byte[] content = ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(1)
                    .putInt(called)
                    .array();
            assertThat(hasCalledProgram(content)).as("%d", called).isEqualTo(called == 1);
        }
        assertThat(hasCalledProgram(new byte[] {1, 1, 1, 1, 1, 1, 1}))
                .as("a file that is cut off")
                .isFalse();
    }

    private boolean hasCalledProgram(byte[] content) {
        try (var one = new Launched(new Zygote.Child(child.pid(), child.pidfd().duplicate()), something())) {
            one.keep(report(Report.Kind.READY, 0), List.of(MemoryFile.sealed("start", content)));
            return one.hasCalledProgram();
        }
    }

    @Test
    void the_file_of_the_start_is_closed_with_the_rest() {
        Fd start = something();
        var file = OpenFiles.file(start);
        keep(Report.Kind.READY, 0, start);
        assertThat(isLetGo(start)).isTrue();
        assertThat(OpenFiles.count(file)).isEqualTo(2);
        launched.close();
        assertThat(OpenFiles.count(file)).isEqualTo(1);
        assertThat(launched.pidfd().isOpen()).isFalse();
        assertThat(launched.control().isOpen()).isFalse();
    }

    @Test
    void it_knows_its_process_and_how_long_its_phases_took() {
        assertThat(launched.pid()).isEqualTo(child.pid());
        assertThat(OpenFiles.file(launched.pidfd())).isEqualTo(OpenFiles.file(child.pidfd()));
        assertThat(launched.phaseMicros()).isEmpty();
        launched.isReady(List.of(3, 4));
        assertThat(launched.phaseMicros()).containsExactly(3, 4);
    }

    // ---- what it is told

    private void assertTold(int word) {
        try (Sockets.Message told = Sockets.receiveNow(control.theirs(), 16).orElseThrow()) {
            assertThat(told.bytes()).containsExactly(word);
        }
    }

    @Test
    void each_start_is_a_word_of_its_own() {
        assertThat(launched.start()).isTrue();
        assertTold(1);
        assertThat(launched.startAsking()).isTrue();
        assertTold(4);
        assertThat(launched.startAlone(false)).isTrue();
        assertTold(3);
        assertThat(launched.startAlone(true)).isTrue();
        assertTold(5);
    }

    @Test
    void one_that_has_died_is_not_started_and_another_failure_is_told() {
        control.theirs().close();
        assertThat(launched.start()).isFalse();
        assertThat(launched.startAlone(true)).isFalse();

        try (Fd file = MemoryFile.sealed("no socket", new byte[1]);
                var odd =
                        new Launched(new Zygote.Child(child.pid(), child.pidfd().duplicate()), file)) {
            assertThatThrownBy(odd::start).isInstanceOf(ErrnoException.class).hasMessageContaining("88"); // ENOTSOCK
        }
    }

    // ---- its end

    @Test
    void one_that_is_abandoned_is_killed_reaped_and_closed() {
        launched.abandon();
        assertThat(ScriptedZygote.isReaped(child)).isTrue();
        assertThat(launched.control().isOpen()).isFalse();
        assertThat(launched.pidfd().isOpen()).isFalse();
    }

    @Test
    void somebody_else_may_have_reaped_it() {
        Processes.signal(child.pidfd(), 9);
        Processes.reap(child.pidfd());
        launched.abandon();
        assertThat(launched.control().isOpen()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void a_failure_is_explained_by_a_death_that_came_before_it(boolean dead) {
        if (dead) {
            Processes.signal(child.pidfd(), 9);
        }
        var failure = new IllegalStateException("it");
        RuntimeException told = launched.abandon(failure);
        if (dead) {
            assertThat(told)
                    .isInstanceOfSatisfying(
                            LaunchException.class, e -> assertThat(e.code()).isEqualTo("INIT_DIED"));
            assertThat(told.getSuppressed()).containsExactly(failure);
        } else {
            assertThat(told).isSameAs(failure);
            assertThat(told.getSuppressed()).isEmpty();
        }
        assertThat(ScriptedZygote.isReaped(child)).isTrue();
        assertThat(launched.control().isOpen()).isFalse();
    }

    @Test
    void one_that_is_left_runs_on_and_is_reaped_at_its_end() throws InterruptedException {
        Zygote.Child brief = scripted.child("0.2");
        Sockets.Pair own = Sockets.pair();
        opened.add(own.theirs());
        Fd pidfd = brief.pidfd().duplicate();
        var left = new Launched(new Zygote.Child(brief.pid(), pidfd), own.ours());
        left.leave();
        assertThat(own.ours().isOpen()).isFalse();
        Optional<Sockets.Message> end = Sockets.receiveNow(own.theirs(), 1);
        assertThat(end)
                .hasValueSatisfying(message -> assertThat(message.isEnd()).isTrue());
        for (int i = 0; i < 10_000 && pidfd.isOpen(); i++) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertThat(pidfd.isOpen()).isFalse();
        assertThat(ScriptedZygote.isReaped(brief)).isTrue();
    }
}
