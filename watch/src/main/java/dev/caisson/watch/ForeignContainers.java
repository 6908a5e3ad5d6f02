package dev.caisson.watch;

import dev.caisson.linux.ByteText;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Running containers of Docker and Podman by name or id, from the files in which these engines keep them.
final class ForeignContainers {
    private static final int SHORTEST_ID = 6;

    private final Path docker;
    private final List<Path> podmanNames;
    private final Path podmanRunning;
    private final Path processes;

    /// @param root of the file system that they are looked for in
    ForeignContainers(Path root) {
        docker = root.resolve("var/lib/docker/containers");
        Path podman = root.resolve("var/lib/containers/storage/overlay-containers");
        // those that are removed at their end stand in the second
        podmanNames = List.of(podman.resolve("containers.json"), podman.resolve("volatile-containers.json"));
        podmanRunning = root.resolve("run/containers/storage/overlay-containers");
        processes = root.resolve("proc");
    }

    /// Those of this host.
    static ForeignContainers ofHost() {
        return new ForeignContainers(Path.of("/"));
    }

    /// The process 1 of each running container that the name or the beginning of an id matches.
    List<Integer> find(String container) {
        var found = new ArrayList<Integer>();
        docker(container, found);
        podman(container, found);
        return found;
    }

    private void docker(String container, List<Integer> found) {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(docker)) {
            for (Path directory : directories) {
                dockerContainer(directory, container, found);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // no Docker on this host
        } catch (IOException e) {
            throw unreadable(docker, e);
        }
    }

    private void dockerContainer(Path directory, String container, List<Integer> found) throws IOException {
        Path file = directory.resolve("config.v2.json");
        Object content;
        try {
            content = content(file);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return; // one that was removed just now
        }
        String id = directory.getFileName().toString();
        if (content instanceof Map<?, ?> fields
                && (("/" + container).equals(fields.get("Name")) || matches(id, container))
                && fields.get("State") instanceof Map<?, ?> state
                && state.get("Pid") instanceof Long pid) {
            pid(pid.toString()).ifPresent(process -> add(found, id, process));
        }
    }

    private static @Nullable Object content(Path file) throws IOException {
        try {
            return Json.parse(ByteText.read(file));
        } catch (MalformedJsonException e) {
            throw new WatchException(
                    "CONTAINERS_UNREADABLE", file + " " + e.getMessage() + ": is its engine writing it?", e);
        }
    }

    private void podman(String container, List<Integer> found) {
        var ids = new TreeSet<String>();
        podmanNames.forEach(file -> named(file, container, ids));
        // one that has a directory for its root is in no file of names
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(podmanRunning)) {
            for (Path directory : directories) {
                String id = directory.getFileName().toString();
                if (matches(id, container)) {
                    ids.add(id);
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // none runs
        } catch (IOException e) {
            throw unreadable(podmanRunning, e);
        }
        for (String id : ids) {
            Path pidFile = podmanRunning.resolve(id).resolve("userdata/pidfile");
            try {
                pid(ByteText.read(pidFile).strip()).ifPresent(pid -> add(found, id, pid));
            } catch (NoSuchFileException | NotDirectoryException e) {
                // it does not run
            } catch (IOException e) {
                throw unreadable(pidFile, e);
            }
        }
    }

    private static void named(Path file, String container, Set<String> ids) {
        try {
            if (content(file) instanceof List<?> containers) {
                for (Object one : containers) {
                    if (one instanceof Map<?, ?> fields
                            && fields.get("id") instanceof String id
                            && (isNamed(fields, container) || matches(id, container))) {
                        ids.add(id);
                    }
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // no Podman on this host, or no such container
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static boolean isNamed(Map<?, ?> fields, String container) {
        return fields.get("names") instanceof List<?> names && names.contains(container);
    }

    private static boolean matches(String id, String container) {
        return container.length() >= SHORTEST_ID && id.startsWith(container);
    }

    private static OptionalInt pid(String text) {
        return text.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    }

    /// A pid that an engine has written down can be another process's by now. The kernel says whose it is:
    /// engines name a container's control groups for its id.
    private void add(List<Integer> found, String id, int pid) {
        try {
            if (ByteText.read(processes.resolve(pid + "/cgroup")).contains(id)) {
                found.add(pid);
            }
        } catch (IOException e) {
            // it has ended
        }
    }

    private static WatchException unreadable(Path file, IOException e) {
        return new WatchException("CONTAINERS_UNREADABLE", file + " cannot be read: are you root?", e);
    }
}
