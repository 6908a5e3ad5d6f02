package dev.caisson.engine;

import io.avaje.json.JsonReader;
import io.avaje.json.stream.JsonStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

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
        Map<String, String> fields;
        try {
            fields = fields(Files.readString(directory.resolve("config.v2.json")));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return; // one that was removed just now
        }
        String id = directory.getFileName().toString();
        if (fields.getOrDefault("Name", "").equals("/" + container) || matches(id, container)) {
            pid(fields.getOrDefault("State.Pid", "0")).ifPresent(pid -> add(found, id, pid));
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
                pid(Files.readString(pidFile).strip()).ifPresent(pid -> add(found, id, pid));
            } catch (NoSuchFileException | NotDirectoryException e) {
                // it does not run
            } catch (IOException e) {
                throw unreadable(pidFile, e);
            }
        }
    }

    private static void named(Path file, String container, Set<String> ids) {
        try (JsonReader in = JsonStream.builder().build().reader(Files.readString(file))) {
            in.beginArray();
            while (in.hasNextElement()) {
                Map<String, String> fields = new HashMap<>();
                object(in, "", fields);
                String id = fields.getOrDefault("id", "");
                boolean named =
                        List.of(fields.getOrDefault("names", "").split(" ", -1)).contains(container);
                if (!id.isEmpty() && (named || matches(id, container))) {
                    ids.add(id);
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // no Podman on this host, or no such container
        } catch (IOException e) {
            throw unreadable(file, e);
        }
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
            if (Files.readString(processes.resolve(pid + "/cgroup")).contains(id)) {
                found.add(pid);
            }
        } catch (IOException e) {
            // it has ended
        }
    }

    private static Map<String, String> fields(String json) {
        Map<String, String> fields = new HashMap<>();
        try (JsonReader in = JsonStream.builder().build().reader(json)) {
            object(in, "", fields);
        }
        return fields;
    }

    /// Texts, numbers and lists of texts, by their path.
    private static void object(JsonReader in, String path, Map<String, String> fields) {
        in.beginObject();
        while (in.hasNextField()) {
            String field = path + in.nextField();
            switch (in.currentToken()) {
                case STRING -> fields.put(field, in.readString());
                case NUMBER -> fields.put(field, in.readDecimal().toPlainString());
                case BEGIN_OBJECT -> {
                    if (path.isEmpty() && field.equals("State")) {
                        object(in, "State.", fields);
                    } else {
                        in.skipValue();
                    }
                }
                case BEGIN_ARRAY -> {
                    if (field.equals("names")) {
                        fields.put(field, String.join(" ", texts(in)));
                    } else {
                        in.skipValue();
                    }
                }
                default -> in.skipValue();
            }
        }
        in.endObject();
    }

    private static List<String> texts(JsonReader in) {
        var texts = new ArrayList<String>();
        in.beginArray();
        while (in.hasNextElement()) {
            texts.add(in.readString());
        }
        in.endArray();
        return texts;
    }

    private static EngineException unreadable(Path file, IOException e) {
        return new EngineException("CONTAINERS_UNREADABLE", file + " cannot be read: are you root?", e);
    }
}
