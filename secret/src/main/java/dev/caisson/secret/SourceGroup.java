package dev.caisson.secret;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.KernelText;
import dev.caisson.linux.MountInfo;
import dev.caisson.linux.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// A control group of one program and all that it starts: whoever leaves its parent or session stays in it. A host
/// without a cgroup2(7) that this process may write has none.
final class SourceGroup {
    private static final System.Logger LOG = System.getLogger(SourceGroup.class.getName());
    private static final int SIGKILL = 9;
    private static final int RANDOM = 8;
    private static final int TRIES = 500;
    private static final int PAUSE_MILLIS = 2;

    private final Path above;
    private final Path directory;

    private SourceGroup(Path above, Path directory) {
        this.above = above;
        this.directory = directory;
    }

    /// Makes one below the group of this process.
    static Optional<SourceGroup> make() {
        try {
            Optional<Path> own = own();
            if (own.isEmpty()) {
                return Optional.empty();
            }
            Path made = own.get().resolve("caisson-source-" + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM)));
            return Optional.of(new SourceGroup(own.get(), Files.createDirectory(made)));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a program that brings a value gets no control group", e);
            return Optional.empty();
        }
    }

    /// Returns the directory of this process's group.
    private static Optional<Path> own() throws IOException {
        Optional<String> path = KernelText.lines(ByteText.read(Path.of("/proc/self/cgroup")))
                .filter(line -> line.startsWith("0::/") && !line.contains(".."))
                .map(line -> line.substring("0::/".length()))
                .findFirst();
        List<MountInfo> mounts = MountInfo.parse(ByteText.read(Path.of("/proc/self/mountinfo")));
        return mounts.stream()
                .filter(mount -> mount.type().equals("cgroup2") && mount.root().equals("/"))
                .map(mount -> Path.of(mount.point()))
                .findFirst()
                .flatMap(top -> path.map(top::resolve));
    }

    /// Moves a process into it, which has started nothing yet. One that the kernel does not move stays where it is, as
    /// in a threaded group.
    void add(long pid) {
        try {
            Files.writeString(directory.resolve("cgroup.procs"), Long.toString(pid));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a program that brings a value is in no control group of its own", e);
        }
    }

    /// Kills all processes of it, also those that are started meanwhile.
    void kill() {
        try {
            Path killed = directory.resolve("cgroup.kill"); // since Linux 5.14
            if (Files.exists(killed)) {
                Files.writeString(killed, "1");
            }
            for (int i = 0; i < TRIES && !processes().isEmpty(); i++) {
                processes().forEach(SourceGroup::kill);
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "processes of " + directory + " could not be killed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void kill(String pid) {
        try (Fd process = Processes.open(Integer.parseInt(pid))) {
            boolean _ = Processes.signal(process, SIGKILL);
        } catch (ErrnoException e) {
            // it has ended
        }
    }

    private List<String> processes() throws IOException {
        try {
            return KernelText.lines(ByteText.read(directory.resolve("cgroup.procs")))
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /// Removes it; what is left in it, as an agent that a program starts, goes on in the group above.
    void remove() {
        try {
            for (int i = 0; i < TRIES && !processes().isEmpty(); i++) {
                for (String pid : processes()) {
                    Files.writeString(above.resolve("cgroup.procs"), pid);
                }
            }
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, directory + " could not be removed", e);
        }
    }
}
