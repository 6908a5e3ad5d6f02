package dev.caisson.engine;

import dev.caisson.launch.ExecLauncher;
import dev.caisson.launch.FilesLauncher;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Zygote;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The process that makes the others, started when it is first needed; it lives as long as the engine.
final class RunningZygote implements AutoCloseable {
    private final boolean links;
    private @Nullable CompletableFuture<Zygote> starting;
    private @Nullable Zygote zygote;
    private @Nullable Launcher launcher;

    /// @param links true for one that may make network links on the host
    RunningZygote(boolean links) {
        this.links = links;
    }

    /// Begins beside the caller what the first launch waits for.
    synchronized void begin() {
        if (zygote == null && starting == null) {
            starting = Zygote.begin(links);
        }
    }

    synchronized Zygote get() {
        Zygote running = zygote;
        if (running == null) {
            begin();
            CompletableFuture<Zygote> begun = Objects.requireNonNull(starting);
            starting = null;
            running = Zygote.await(begun);
            zygote = running;
            launcher = new Launcher(running);
        }
        return running;
    }

    synchronized Launcher launcher() {
        get();
        return Objects.requireNonNull(launcher);
    }

    synchronized ExecLauncher execLauncher() {
        return new ExecLauncher(get());
    }

    synchronized FilesLauncher filesLauncher() {
        return new FilesLauncher(get());
    }

    /// Ends it; no container is left then.
    @Override
    public synchronized void close() {
        if (starting != null) {
            zygote = starting.exceptionally(_ -> null).join();
        }
        if (zygote != null) {
            zygote.close();
        }
    }
}
