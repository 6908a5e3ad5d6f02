package dev.caisson.engine;

import dev.caisson.launch.ExecLauncher;
import dev.caisson.launch.FilesLauncher;
import dev.caisson.launch.HostException;
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
            boolean ahead = starting != null;
            begin();
            running = stood(ahead);
            zygote = running;
            launcher = new Launcher(running);
        }
        return running;
    }

    /// @param ahead true if it was begun before anybody waited, so that what refused it may have passed
    private Zygote stood(boolean ahead) {
        CompletableFuture<Zygote> begun = Objects.requireNonNull(starting);
        starting = null;
        try {
            return Zygote.await(begun);
        } catch (HostException e) {
            if (!ahead) {
                throw e;
            }
            return Zygote.await(Zygote.begin(links));
        }
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
