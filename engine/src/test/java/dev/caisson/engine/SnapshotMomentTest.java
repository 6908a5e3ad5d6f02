package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A snapshot is of one moment: none comes of a container that ran on while its files were copied.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SnapshotMomentTest extends BusyboxEngine {
    private static final Path STORE = OPTIONS.data().resolve("images/snapshots");
    private static final int TRIES = 8;

    private final Snapshots snapshots = Snapshots.of(OPTIONS);

    /// It is paused by somebody else, who lets it run on.
    @Test
    void a_snapshot_of_a_container_that_runs_on_meanwhile_is_none() throws Exception {
        DetachedContainer box = engine.create(
                busybox(
                        "sh",
                        "-c",
                        "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); : >/srv/f$i; done; : >/srv/z; exec sleep 1000"),
                DetachedOptions.STANDARD);
        try {
            box.start();
            while (engine.exec(box.name(), Exec.of("sh", "-c", "test -e /srv/z"), Streams.capture())
                            .exitCode()
                    != 0) {
                Thread.onSpinWait();
            }
            for (int tries = 0; tries < TRIES && !isRefused(box, "torn" + tries); tries++) {
                snapshots.remove(snapshots.get("torn" + tries).name()); // it was copied before the container ran on
                assertThat(tries).as("times that it was copied").isLessThan(TRIES - 1);
            }
        } finally {
            box.remove(true);
        }
        assertThat(snapshots.list()).noneMatch(one -> one.name().value().startsWith("torn"));
    }

    private boolean isRefused(DetachedContainer box, String name) throws Exception {
        box.pause();
        Set<Path> before = stored();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Snapshot> copied = threads.submit(() -> snapshots.create(box.name(), name));
            while (before.containsAll(stored()) && !copied.isDone()) {
                Thread.onSpinWait();
            }
            box.resume();
            copied.get();
            return false;
        } catch (ExecutionException e) {
            assertThat(e.getCause())
                    .isInstanceOfSatisfying(
                            CaissonException.class,
                            failure -> assertThat(failure.code()).isEqualTo("FILE_CHANGED"));
            return true;
        }
    }

    private static Set<Path> stored() throws IOException {
        if (!Files.exists(STORE)) {
            return Set.of();
        }
        try (Stream<Path> entries = Files.list(STORE)) {
            return entries.collect(Collectors.toSet());
        }
    }
}
