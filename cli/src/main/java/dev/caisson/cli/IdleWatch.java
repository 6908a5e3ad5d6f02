package dev.caisson.cli;

import dev.caisson.cli.front.Server;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.OwnProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Stops a resident engine that had neither a command nor a container that needs it for some time. Keeps its log short
/// meanwhile, which lies in memory and which nobody else rotates.
final class IdleWatch implements AutoCloseable {
    static final long MOST_LOG_BYTES = 1 << 20;

    /// The share of its patience after which it looks again.
    private static final int LOOKS = 20;

    private static final long SHORTEST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 30_000;
    private static final long QUIET_NANOS = 10_000_000_000L;

    private final Thread thread;

    private IdleWatch(Thread thread) {
        this.thread = thread;
    }

    /// Begins.
    /// @param patience empty to watch the log alone
    static IdleWatch of(Optional<Duration> patience, Server server, NetworkKeeper keeper, Path log) {
        var watch = new IdleWatch(Thread.ofPlatform()
                .daemon()
                .name("caisson-idle-watch")
                .unstarted(() -> watch(patience.map(Duration::toNanos).orElse(Long.MAX_VALUE), server, keeper, log)));
        watch.thread.start();
        return watch;
    }

    private static void watch(long patience, Server server, NetworkKeeper keeper, Path log) {
        long pause =
                Math.clamp(Duration.ofNanos(patience).toMillis() / LOOKS, SHORTEST_PAUSE_MILLIS, LONGEST_PAUSE_MILLIS);
        long neededAt = System.nanoTime();
        long clearedAt = server.usedAt() - 1; // once for what the warm-up left
        try {
            while (true) {
                Thread.sleep(pause);
                long now = System.nanoTime();
                if (keeper.isNeeded()) {
                    neededAt = now;
                }
                long usedAt = server.usedAt();
                if (now - usedAt >= QUIET_NANOS && usedAt - clearedAt > 0) {
                    System.gc(); // gives what commands needed back to the kernel
                    OwnProcess.trim();
                    clearedAt = now;
                }
                shorten(log);
                if (now - usedAt >= patience && now - neededAt >= patience) {
                    server.stop();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // it ends for another reason
        }
    }

    /// Whoever writes appends, so what is written next stands at the beginning.
    static void shorten(Path log) {
        try (Fd file = FileSystem.open(log.toString(), FileSystem.O_WRONLY)) {
            if (FileSystem.status(file).size() > MOST_LOG_BYTES) {
                FileContent.resize(file, 0);
            }
        } catch (ErrnoException e) {
            // it was started by hand, and has none
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
