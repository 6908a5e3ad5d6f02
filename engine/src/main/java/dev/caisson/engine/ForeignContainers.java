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

/// Running containers of Docker and Podman by name or id, from the files in which these engines keep them.
final class ForeignContainers {
    private static final Path DOCKER = Path.of("/var/lib/docker/containers");
    private static final Path PODMAN_NAMES = Path.of("/var/lib/containers/storage/overlay-containers/containers.json");
    private static final Path PODMAN_RUNNING = Path.of("/run/containers/storage/overlay-containers");
    private static final int SHORTEST_ID = 6;

    private ForeignContainers() {}

    /// The process 1 of each running container that the name or the beginning of an id matches.
    static List<Integer> find(String container) {
        var found = new ArrayList<Integer>();
        docker(container, found);
        podman(container, found);
        return found;
    }

    private static void docker(String container, List<Integer> found) {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(DOCKER)) {
            for (Path directory : directories) {
                dockerContainer(directory, container, found);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // no Docker on this host
        } catch (IOException e) {
            throw unreadable(DOCKER, e);
        }
    }

    private static void dockerContainer(Path directory, String container, List<Integer> found) throws IOException {
        Map<String, String> fields;
        try {
            fields = fields(Files.readString(directory.resolve("config.v2.json")));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return; // one that was removed just now
        }
        boolean named = fields.getOrDefault("Name", "").equals("/" + container);
        pid(fields.getOrDefault("State.Pid", "0"))
                .ifPresent(pid ->
                        add(found, named || matches(directory.getFileName().toString(), container), pid));
    }

    private static void podman(String container, List<Integer> found) {
        try {
            if (!Files.isRegularFile(PODMAN_NAMES)) {
                return;
            }
            try (JsonReader in = JsonStream.builder().build().reader(Files.readString(PODMAN_NAMES))) {
                in.beginArray();
                while (in.hasNextElement()) {
                    Map<String, String> fields = new HashMap<>();
                    object(in, "", fields);
                    String id = fields.getOrDefault("id", "");
                    boolean named = List.of(fields.getOrDefault("names", "").split(" ", -1))
                            .contains(container);
                    Path pidFile = PODMAN_RUNNING.resolve(id).resolve("userdata/pidfile");
                    if ((named || matches(id, container)) && Files.isRegularFile(pidFile)) {
                        pid(Files.readString(pidFile).strip()).ifPresent(pid -> add(found, true, pid));
                    }
                }
            }
        } catch (IOException e) {
            throw unreadable(PODMAN_NAMES, e);
        }
    }

    private static boolean matches(String id, String container) {
        return container.length() >= SHORTEST_ID && id.startsWith(container);
    }

    private static OptionalInt pid(String text) {
        return text.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    }

    private static void add(List<Integer> found, boolean matches, int pid) {
        if (matches && Files.exists(Path.of("/proc/" + pid))) {
            found.add(pid);
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
