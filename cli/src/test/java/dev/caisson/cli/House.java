package dev.caisson.cli;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The house as it stands on disk: its floors, its rooms, their sources and compiled classes.
final class House {
    /// The floors from the ground up. A room may use rooms of lower floors, never of its own or of a
    /// higher one.
    static final List<List<String>> FLOORS = List.of(
            List.of("error"),
            List.of("linux", "text"),
            List.of("image", "containerfile", "seccomp", "secret"),
            List.of("spec", "scan"),
            List.of("cgroup", "gate", "network"),
            List.of("launch"),
            List.of("state"),
            List.of("watch"),
            List.of("engine"),
            List.of("audit", "selftest", "micrometer", "build"),
            List.of("hostaudit"),
            List.of("cli", "server", "oci", "benchmarks"));

    private static final Path ROOT = Path.of(System.getProperty("caisson.root"));
    private static final Pattern MODULE = Pattern.compile("<module>(\\w+)</module>");

    /// One Maven module that is a JPMS module.
    record Room(String name) {
        Path directory() {
            return ROOT.resolve(name);
        }

        Path classes() {
            return directory().resolve("target/classes");
        }

        String packageName() {
            return "dev.caisson." + name;
        }

        Path moduleSource() {
            return directory().resolve("src/main/java/module-info.java");
        }

        List<Path> sources() throws IOException {
            return sources("src/main/java");
        }

        List<Path> tests() throws IOException {
            return sources("src/test/java");
        }

        private List<Path> sources(String below) throws IOException {
            if (!Files.isDirectory(directory().resolve(below))) {
                return List.of();
            }
            try (Stream<Path> files = Files.walk(directory().resolve(below))) {
                return files.filter(file -> file.toString().endsWith(".java")).toList();
            }
        }

        ModuleDescriptor descriptor() throws IOException {
            try (InputStream module = Files.newInputStream(classes().resolve("module-info.class"))) {
                return ModuleDescriptor.read(module);
            }
        }

        /// The floor, 0 for the ground, or -1 where the room has no place yet.
        int floor() {
            for (int floor = 0; floor < FLOORS.size(); floor++) {
                if (FLOORS.get(floor).contains(name)) {
                    return floor;
                }
            }
            return -1;
        }
    }

    private House() {}

    /// The rooms that the root project lists.
    static List<Room> rooms() throws IOException {
        var rooms = new ArrayList<Room>();
        Matcher modules = MODULE.matcher(Files.readString(ROOT.resolve("pom.xml")));
        while (modules.find()) {
            var room = new Room(modules.group(1));
            if (Files.exists(room.moduleSource())) {
                rooms.add(room);
            }
        }
        return rooms;
    }
}
