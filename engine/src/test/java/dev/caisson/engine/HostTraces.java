package dev.caisson.engine;

import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Everything of the host that a launch may touch, outside of the process that looks.
///
/// @param groups control groups of the state directory, and the one that holds them
/// @param mounts of this mount namespace that name one of the directories; those of other engines come and go
/// @param links network interfaces that bear our name
/// @param files below the state, data and test directories, but for the places of living engines
/// @param locks held on id ranges
record HostTraces(
        List<String> groups,
        List<String> mounts,
        List<String> links,
        SortedMap<String, String> files,
        List<String> locks) {
    /// @param engines how many engines are open, each with a place of its own in the state directory
    static HostTraces of(EngineOptions options, Path directory, int engines) throws IOException {
        var files = new TreeMap<String, String>();
        int places = 0;
        List<Path> tops = List.of(options.state(), options.data(), directory);
        for (Path top : tops) {
            for (Path path : tree(top)) {
                boolean place = path.startsWith(options.state().resolve("engines"))
                        && path.getNameCount() >= options.state().getNameCount() + 2;
                if (path.equals(options.state().resolve("names.lock"))) {
                    continue; // made by the first that needs it, and empty
                }
                if (path.equals(options.state().resolve("events"))
                        || path.equals(options.state().resolve("events.lock"))) {
                    continue; // the journal grows with each act, up to its bound
                }
                if (path.startsWith(options.data().resolve("secrets"))) {
                    continue; // the store notes who was given a value
                }
                if (path.startsWith(options.networks()) && Files.isRegularFile(path)) {
                    if (!path.endsWith("lock")) { // which counts changes; records may be written anew
                        files.put(path.toString(), Files.readString(path));
                    }
                    continue;
                }
                if (!place) {
                    files.put(path.toString(), look(path));
                } else if (path.endsWith("lock")) {
                    places++;
                } else if (path.getNameCount() > options.state().getNameCount() + 2) {
                    files.put(path.toString(), "a record");
                }
            }
        }
        files.put("engines", Integer.toString(places - engines));
        return new HostTraces(readGroups(options), readMounts(tops), readLinks(), files, readLocks(options));
    }

    private static String look(Path path) throws IOException {
        // Directories of state change their times with every engine that comes and goes.
        String seen = Files.readAttributes(path, "unix:mode,uid,gid,ino").toString();
        return Files.isDirectory(path) ? seen : seen + Files.getLastModifiedTime(path) + Files.size(path);
    }

    private static List<String> readGroups(EngineOptions options) throws IOException {
        if (!Files.isDirectory(options.state())) {
            return List.of();
        }
        String parent = State.cgroupParent(options.state());
        // Only where it can be: groups of others come and go beside it.
        Path all = Path.of("/sys/fs/cgroup");
        try (Stream<Path> hierarchies = Files.list(all)) {
            return Stream.concat(Stream.of(all), hierarchies.filter(top -> !Files.isSymbolicLink(top)))
                    .map(top -> top.resolve(parent))
                    .filter(Files::isDirectory)
                    .flatMap(top -> tree(top).stream().filter(Files::isDirectory))
                    .map(Path::toString)
                    .sorted()
                    .toList();
        }
    }

    private static List<String> readMounts(List<Path> tops) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .filter(line -> tops.stream().anyMatch(top -> line.contains(top.toString())))
                .sorted()
                .toList();
    }

    private static List<String> readLinks() {
        return tree(Path.of("/sys/class/net")).stream()
                .map(Path::toString)
                .filter(link -> link.contains("caisson"))
                .toList();
    }

    /// By the device and inode of the file that is locked, proc_locks(5).
    private static List<String> readLocks(EngineOptions options) throws IOException {
        Path file = options.state().resolve("ranges");
        if (!Files.exists(file)) {
            return List.of();
        }
        long device = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
        String inode = " %02x:%02x:%d "
                .formatted(
                        (device >> 8) & 0xfff,
                        (device & 0xff) | ((device >> 12) & 0xfff00),
                        ((Number) Files.getAttribute(file, "unix:ino")).longValue());
        return Files.readAllLines(Path.of("/proc/locks")).stream()
                .filter(line -> line.contains(inode))
                .toList();
    }

    private static List<Path> tree(Path top) {
        try (Stream<Path> paths = Files.walk(top)) {
            return paths.sorted(Comparator.naturalOrder()).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
