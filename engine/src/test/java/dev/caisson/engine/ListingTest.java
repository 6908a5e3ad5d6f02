package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Listings of containers in each state, also with killed monitors and with files that are gone, cut or foreign.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ListingTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("listing"), OwnDirectories.data("listing"));
    private static final String FOR_EVER = "while :; do sleep 1; done";

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    private static DetachedContainer created(String name, DetachedOptions wanted, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.create(ContainerSpec.onHost("sh", "-c", script).name(name), wanted);
        }
    }

    private static DetachedContainer running(String name) throws Exception {
        DetachedContainer made = created(name, DetachedOptions.STANDARD, FOR_EVER);
        made.start();
        return made;
    }

    private static Listing.One one(DetachedContainer container) {
        return Listing.of(OPTIONS).containers().stream()
                .filter(found -> found.id().equals(container.id()))
                .findFirst()
                .orElseThrow();
    }

    private static ContainerState listed(DetachedContainer container) {
        return one(container).state().orElseThrow();
    }

    private static MonitorState told(DetachedContainer container) throws Exception {
        return DetachedPlace.find(container.name(), OPTIONS)
                .orElseThrow()
                .told()
                .orElseThrow();
    }

    private static Path place(DetachedContainer container) {
        String place = DetachedPlace.find(container.name(), OPTIONS)
                .orElseThrow()
                .file()
                .place();
        return OPTIONS.state().resolve("engines").resolve(place);
    }

    private static void signal(int pid, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + signal, Integer.toString(pid))
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }

    /// The monitor answers nobody: its socket has no name.
    private static void hideSocket(DetachedContainer container) throws Exception {
        Files.move(place(container).resolve("s"), place(container).resolve("hidden"));
    }

    private static void showSocket(DetachedContainer container) throws Exception {
        Files.move(place(container).resolve("hidden"), place(container).resolve("s"));
    }

    @Test
    void it_has_what_the_monitor_says_and_does_not_ask_it() throws Exception {
        DetachedContainer made = created("web", DetachedOptions.STANDARD, FOR_EVER);
        assertThat(listed(made)).isInstanceOf(ContainerState.Created.class);

        made.start();
        ContainerState state = made.state();
        hideSocket(made);
        assertThat(listed(made)).isEqualTo(state).isInstanceOf(ContainerState.Running.class);
        assertThat(one(made).held()).isTrue();
        assertThat(one(made).isRunning()).isTrue();
        showSocket(made);

        made.pause();
        assertThat(listed(made)).isEqualTo(made.state()).isInstanceOf(ContainerState.Paused.class);
        made.resume();
        made.stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
        assertThat(listed(made)).isEqualTo(made.state()).isInstanceOf(ContainerState.Exited.class);
        assertThat(one(made).result()).isEqualTo(made.result()).isPresent();
        assertThat(one(made).ended()).isPresent();
        assertThat(one(made).isRunning()).isFalse();
    }

    @Test
    void one_whose_monitor_stands_still_holds_up_nobody() throws Exception {
        DetachedContainer made = running("web");
        int monitor = told(made).monitorPid();
        signal(monitor, "STOP");
        try {
            long begun = System.nanoTime();
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(5));
        } finally {
            signal(monitor, "CONT");
        }
    }

    @Test
    void one_whose_monitor_was_killed_does_not_run() throws Exception {
        DetachedContainer made = running("web");
        int monitor = told(made).monitorPid();

        signal(monitor, "KILL");
        while (made.hasMonitor()) {
            Thread.sleep(5);
        }

        assertThat(place(made).resolve("status")).exists();
        assertThat(listed(made)).isEqualTo(new ContainerState.Lost(ContainerState.Lost.Cause.MONITOR_KILLED));
        assertThat(one(made).held()).isFalse();
        assertThat(one(made).isRunning()).isFalse();
    }

    /// As that of a killed monitor, copied by somebody: whole, and nobody's.
    @Test
    void a_status_that_is_cut_foreign_or_missing_is_not_believed() throws Exception {
        DetachedContainer made = created("web", DetachedOptions.STANDARD, FOR_EVER);
        Path status = place(made).resolve("status");
        byte[] asCreated = Files.readAllBytes(status);
        made.start();
        Path kept = Files.move(status, place(made).resolve("kept"));
        try {
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);

            Files.write(status, asCreated); // nobody holds it
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
            Files.delete(status);

            Files.createDirectory(status);
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
            Files.delete(status);

            assertThat(new ProcessBuilder("mkfifo", status.toString()).start().waitFor())
                    .isZero();
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
            Files.delete(status);

            Files.createSymbolicLink(status, Path.of("kept"));
            assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
            Files.delete(status);
        } finally {
            Files.deleteIfExists(status);
            Files.move(kept, status);
        }
        try (FileChannel file = FileChannel.open(status, StandardOpenOption.WRITE)) {
            file.truncate(100); // held by the monitor, and cut
        }
        assertThat(listed(made)).isInstanceOf(ContainerState.Running.class);
        made.pause(); // and written again as a whole
        assertThat(Files.size(status)).isEqualTo(asCreated.length);
        assertThat(listed(made)).isInstanceOf(ContainerState.Paused.class);
        made.resume();
    }

    @Test
    void the_process_that_a_policy_has_started_is_written_down() throws Exception {
        DetachedContainer made =
                created("web", DetachedOptions.STANDARD.restart(RestartPolicy.parse("always")), FOR_EVER);
        made.start();
        int first = told(made).pid();
        signal(first, "KILL");
        while (told(made).pid() == first || told(made).pid() == 0) {
            Thread.sleep(5);
        }

        Leftovers.clear(OPTIONS);

        DetachedPlace place = DetachedPlace.find("web", OPTIONS).orElseThrow();
        assertThat(place.record().pid()).isEqualTo(told(made).pid());
        place.save(place.record().restarted(1, 1));
        Leftovers.clear(OPTIONS); // once for each start
        assertThat(place.record().pid()).isEqualTo(1);
    }

    @Test
    void one_that_was_to_be_removed_at_its_end_is_removed() throws Exception {
        DetachedContainer made = created("web", DetachedOptions.STANDARD.removedAtEnd(true), "sleep 0.3");
        made.start();
        Leftovers.clear(OPTIONS);
        assertThat(DetachedContainer.find("web", OPTIONS)).isPresent();
        while (!(made.state() instanceof ContainerState.Exited)) {
            Thread.sleep(5);
        }

        Leftovers.clear(OPTIONS);

        assertThat(DetachedContainer.find("web", OPTIONS)).isEmpty();
    }

    @Test
    void one_that_is_renamed_meanwhile_is_there_once_and_one_that_is_removed_is_no_error() throws Exception {
        var options = new EngineOptions(OwnDirectories.state("listing-names"), OwnDirectories.data("listing-names"));
        Files.createDirectories(options.data());
        var among = new KeptDirectory(options.data(), options.state());
        var id = new ContainerId("ab".repeat(32));
        var other = new ContainerId("cd".repeat(32));
        var origin = new KeptFile.Origin("host", List.of("true"), Map.of(), Instant.now());
        var first = new KeptDirectory.Entry(id, Optional.of("a"), false);
        among.make(first, origin).close();
        var done = new AtomicBoolean();
        Thread renames = Thread.ofPlatform().start(() -> {
            KeptDirectory.Entry entry = first;
            for (int i = 0; !done.get(); i++) {
                entry = among.rename(entry, i % 2 == 0 ? "b" : "a");
                var more = new KeptDirectory.Entry(other, Optional.of("c"), false);
                among.make(more, origin).close();
                among.remove(more);
            }
        });
        try {
            for (int i = 0; i < 2_000; i++) {
                assertThat(Listing.of(options).containers())
                        .filteredOn(one -> one.id().equals(id))
                        .extracting(one -> one.origin().image())
                        .containsExactly("host");
            }
        } finally {
            done.set(true);
            renames.join();
        }
    }
}
