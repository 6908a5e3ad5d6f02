package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// Waits for processes of the host that others kill: one closes its files and leaves its group before it has ended.
final class ProcessEnds {
    private ProcessEnds() {}

    static void awaitEnd(long pid) throws InterruptedException {
        long begun = System.nanoTime();
        while (isThere(pid)) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(20));
            Thread.sleep(5);
        }
    }

    /// One that has ended may wait long until the host's process 1 reaps it.
    private static boolean isThere(long pid) {
        try {
            return !Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException e) {
            return false;
        }
    }
}
