package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.Places;
import dev.caisson.state.State;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A monitor that stands still by SIGSTOP: nobody waits for it without end, it goes on where it stood, and its
/// container can be removed.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class StoppedMonitorTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("stopped-monitor"), OwnDirectories.data("stopped-monitor"));
    /// Longer than a monitor that stands still is waited for.
    private static final long MOST_SECONDS = 20;

    private long monitor;

    /// What is asked of the container.
    private interface Act {
        void on(DetachedContainer container) throws Exception;
    }

    @BeforeEach
    void startOne() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.create(ContainerSpec.onHost("sleep", "1000").name("one"), DetachedOptions.STANDARD)
                    .start();
        }
        var among = new KeptDirectory(OPTIONS.data(), OPTIONS.state());
        KeptDirectory.Entry entry = among.find(one().id()).orElseThrow();
        try (var found = new DetachedPlace(OPTIONS, among, entry).monitor()) {
            monitor = found.state().monitorPid();
        }
    }

    @AfterEach
    void removeIt() throws Exception {
        for (DetachedContainer container : DetachedContainer.all(OPTIONS)) {
            container.remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    private static DetachedContainer one() {
        return DetachedContainer.find("one", OPTIONS).orElseThrow();
    }

    private void signal(String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(monitor))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static void assertSilent(Act act) {
        long begun = System.nanoTime();
        assertThatThrownBy(() -> act.on(one())).isInstanceOfSatisfying(HostException.class, e -> {
            assertThat(e.code()).isEqualTo("MONITOR_SILENT");
            assertThat(e.sentence()).contains("is stopped", "kill -CONT", "caisson rm -f");
        });
        assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(MOST_SECONDS));
    }

    @Test
    void what_is_asked_of_it_fails_with_what_to_do_and_works_when_it_goes_on() throws Exception {
        signal("STOP");

        assertSilent(DetachedContainer::pause);
        assertSilent(container -> container.stop(OptionalInt.empty(), Optional.of(Duration.ZERO)));
        assertSilent(container -> container.signal(15));
        assertSilent(container -> container.remove(false));
        assertSilent(DetachedContainer::state);

        signal("CONT");
        one().stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(one().state()).isInstanceOf(ContainerState.Exited.class);
    }

    @Test
    void its_container_is_removed_by_force() throws Exception {
        int program = one().state().pid();
        signal("STOP");

        one().remove(true);

        assertThat(DetachedContainer.find("one", OPTIONS)).isEmpty();
        ProcessEnds.awaitEnd(program);
        ProcessEnds.awaitEnd(monitor);
    }

    /// A connection that was given up stays in the queue until the monitor takes it.
    @Test
    void its_container_is_removed_by_force_when_its_queue_is_full() throws Exception {
        var among = new KeptDirectory(OPTIONS.data(), OPTIONS.state());
        String place = new DetachedPlace(OPTIONS, among, among.find(one().id()).orElseThrow())
                .file()
                .place();
        signal("STOP");
        try (Fd directory = Places.open(OPTIONS.state(), place).orElseThrow()) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 1000; i++) {
                            Sockets.connect(directory, "s", 200).close();
                        }
                    })
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.is(Errno.EAGAIN)).isTrue());
        }

        one().remove(true);

        assertThat(DetachedContainer.find("one", OPTIONS)).isEmpty();
        ProcessEnds.awaitEnd(monitor);
    }
}
