package dev.caisson.watch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.KernelText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The processes of a container that is watched: their filters, and who they are. A process inherits its parent's
/// filters and can only add to them, so one that has as many as the container's program has the same; others are read
/// one by one, for which they are stopped for a moment.
final class WatchedProcesses implements AutoCloseable {
    /// The knowledge about a process; without filters if they could not be read.
    record Look(Optional<LiveFilters> filters, Caller caller) {
        private static final Look NOTHING = new Look(Optional.empty(), Caller.UNKNOWN);
    }

    private record Known(int count, Optional<LiveFilters> filters) {}

    private static final int MOST_KNOWN = 256;
    private static final long READING_MILLIS = 1000;

    private final PidNamespace namespace;
    private final LiveFilters containers;
    private final Map<Integer, Known> known = new LinkedHashMap<>();
    private final ExecutorService reader = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("caisson-watched").factory());
    private @Nullable Future<Look> stuck;

    /// @param containers the filters of the container's program
    WatchedProcesses(PidNamespace namespace, LiveFilters containers) {
        this.namespace = namespace;
        this.containers = containers;
    }

    LiveFilters containers() {
        return containers;
    }

    int filters() {
        return containers.filters().size();
    }

    /// Reads about the process of an event, if it is still there and still what it was.
    Look look(DenialEvent event) {
        Future<Look> waiting = stuck;
        if (waiting != null && !waiting.isDone()) {
            return Look.NOTHING;
        }
        Future<Look> reading = reader.submit(() -> read(event));
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return reading.get(READING_MILLIS, TimeUnit.MILLISECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (TimeoutException e) {
            stuck = reading;
            return Look.NOTHING;
        } catch (ExecutionException e) {
            throw new IllegalStateException("reading about a process failed", e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// A thread's number may be another's by now, and the thread may have become another program.
    private Look read(DenialEvent event) {
        try {
            if (!PidNamespace.of(event.thread()).equals(namespace)) {
                return Look.NOTHING;
            }
            Caller caller = Caller.read(event.thread(), event.call().instructionPointer());
            Optional<LiveFilters> filters = filters(event.thread());
            boolean same = caller.process().equals(event.name().strip());
            return new Look(filters, same ? caller : Caller.UNKNOWN);
        } catch (WatchException e) {
            return Look.NOTHING; // it has ended
        }
    }

    private Optional<LiveFilters> filters(int thread) {
        int count = count(thread);
        if (count == filters()) {
            return Optional.of(containers);
        }
        if (count <= 0) {
            return count < 0 ? Optional.empty() : Optional.of(new LiveFilters(thread, java.util.List.of()));
        }
        Known read = known.get(thread);
        if (read == null || read.count() != count) {
            if (known.size() >= MOST_KNOWN) {
                known.clear();
            }
            read = new Known(count, live(thread));
            known.put(thread, read);
        }
        return read.filters();
    }

    private static Optional<LiveFilters> live(int thread) {
        try {
            return Optional.of(LiveFilters.of(thread));
        } catch (WatchException e) {
            return Optional.empty(); // it has ended, or somebody else traces it
        }
    }

    /// @return -1 where the thread has ended, or the kernel, older than Linux 5.9, does not tell
    private static int count(int thread) {
        try {
            for (String line : KernelText.lines(ByteText.read(Path.of("/proc/" + thread + "/status")))
                    .toList()) {
                if (line.startsWith("Seccomp_filters:")) {
                    return Integer.parseInt(
                            line.substring(line.indexOf(':') + 1).strip());
                }
            }
        } catch (IOException e) {
            // it has ended
        }
        return -1;
    }

    @Override
    public void close() {
        reader.shutdown();
    }
}
