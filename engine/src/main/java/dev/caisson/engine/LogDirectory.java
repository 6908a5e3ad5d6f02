package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Mounts;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptRun;
import dev.caisson.state.LogReader;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Finds the log of a container in the background: beside what is kept of it, or in memory that its monitor alone
/// holds.
final class LogDirectory {
    /// For the directory itself, and what a file takes over its size.
    private static final int PAGES_MORE = 2;
    private static final int PAGE = 4096;
    /// Each reader keeps the one of a file that is removed meanwhile.
    private static final String INODES = "4096";

    private LogDirectory() {}

    /// Makes the memory for a log, of which the kernel gives no more than its files may have; empty for one on the
    /// disk.
    static Optional<Fd> make(LogFiles files) {
        if (files.place() == LogFiles.Place.DISK) {
            return Optional.empty();
        }
        long bytes = files.count() * (files.most().count() + PAGES_MORE * PAGE);
        return Optional.of(Mounts.memory(
                Map.of("mode", "0700", "size", Long.toString(bytes), "nr_inodes", INODES),
                EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_EXECUTION)));
    }

    /// Opens the log of a container.
    ///
    /// @param kept the directory of what is kept of it, which is closed with the log
    /// @param last how many entries of what is there are read; all if that is empty
    /// @throws EngineException LOG_GONE if it was in memory, and nothing holds it any more
    static LogReader open(DetachedPlace place, Fd kept, OptionalLong last) throws InterruptedException {
        Fd directory = kept;
        try {
            LogFiles files = place.findFile().map(file -> file.options().log()).orElse(LogFiles.STANDARD);
            if (files.place() == LogFiles.Place.MEMORY) {
                Fd memory = inMemory(place);
                kept.close();
                directory = memory;
            }
            return new LogReader(directory, KeptRun.logName(place.id()), files.count(), last);
        } catch (RuntimeException | InterruptedException e) {
            directory.close();
            throw e;
        }
    }

    private static Fd inMemory(DetachedPlace place) throws InterruptedException {
        try (Monitor monitor = place.connect().orElseThrow(() -> gone(place.id()))) {
            return monitor.output().orElseThrow(() -> gone(place.id()));
        } catch (HostException e) {
            if (MonitorFailures.isGone(e)) {
                throw gone(place.id());
            }
            throw e;
        }
    }

    private static EngineException gone(ContainerId id) {
        return new EngineException(
                "LOG_GONE",
                "the log of container " + id.shortForm()
                        + " was in memory alone (--log-driver none), and went with its monitor: run it without that");
    }
}
