package dev.caisson.engine;

import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptRun;
import dev.caisson.state.State;
import java.util.Optional;

/// How much a container has written, into its root and its log.
final class WrittenBytes {
    /// The first mount that a monitor's zygote keeps is the container's root: native/zygote.h, Parts.
    private static final String KEPT_ROOT = "/root/k/0";

    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private WrittenBytes() {}

    /// Returns the bytes in its writable layer; 0 if that is gone with it.
    static long of(ContainerStatus container, EngineOptions options) {
        String id = container.id().value();
        Optional<DetachedPlace> place = DetachedPlace.find(id, options);
        if (place.isPresent()) {
            return monitor(place.get()).map(WrittenBytes::keptBy).orElse(0L);
        }
        return State.runningIn(options.state()).stream()
                .filter(record -> record.id().equals(id))
                .map(ContainerRecord::pid)
                .findFirst()
                .map(pid -> used("/proc/" + pid + "/root"))
                .orElse(0L);
    }

    private static Optional<Integer> monitor(DetachedPlace place) {
        return Failures.uninterrupted(() -> {
                    Optional<Monitor> found = place.connect();
                    if (found.isEmpty()) {
                        return Optional.<Integer>empty();
                    }
                    try (Monitor monitor = found.get()) {
                        return Optional.of(monitor.state().monitorPid());
                    }
                })
                .flatMap(known -> known);
    }

    /// The zygote is the child of the monitor that has kept something.
    private static long keptBy(int monitor) {
        String path = "/proc/" + monitor + "/task/" + monitor + "/children";
        try (Fd file = FileSystem.open(path, FileSystem.O_RDONLY)) {
            for (String child : KernelText.read(file).strip().split(" ", -1)) {
                long used = child.isEmpty() ? 0 : used("/proc/" + child + KEPT_ROOT);
                if (used > 0) {
                    return used;
                }
            }
            return 0;
        } catch (ErrnoException e) {
            return gone(e);
        }
    }

    private static long used(String root) {
        try (Fd file = FileSystem.open(root, FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return FileSystemSpace.of(file).usedBytes();
        } catch (ErrnoException e) {
            return gone(e);
        }
    }

    private static long gone(ErrnoException e) {
        if (e.is(Errno.ENOENT) || e.is(Errno.ESRCH)) {
            return 0;
        }
        throw e;
    }

    /// Returns the bytes of its log files.
    static long ofLog(ContainerStatus container, EngineOptions options) {
        ContainerId id = container.id();
        var among = new KeptDirectory(options.data(), options.state());
        Optional<Fd> directory = among.find(id).flatMap(among::open);
        if (directory.isEmpty()) {
            return 0;
        }
        try (Fd own = directory.get()) {
            return DirectoryEntries.of(own).stream()
                    .filter(name -> name.startsWith(KeptRun.logName(id)))
                    .mapToLong(name -> size(own, name))
                    .sum();
        }
    }

    private static long size(Fd directory, String name) {
        return FileSystem.find(directory, name, FileSystem.O_PATH, BENEATH)
                .map(found -> {
                    try (Fd file = found) {
                        return FileSystem.status(file).size();
                    }
                })
                .orElse(0L);
    }
}
