package dev.caisson.gate;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.KernelText;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import dev.caisson.text.Json;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// The command line of a gate's process: the JVM that this process runs in and the classes that a gate needs, and the
/// files that these are in, which are all that the process sees.
record GateProgram(List<String> arguments) {
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final String C_LIBRARY = "libc.so.6";
    private static final Map<String, String> LOADERS =
            Map.of("amd64", "/lib64/ld-linux-x86-64.so.2", "aarch64", "/lib/ld-linux-aarch64.so.1");
    /// One class of each room that a gate uses.
    private static final List<Class<?>> ROOMS =
            List.of(GateMain.class, Fd.class, SecretValue.class, Gate.class, CaissonException.class, Json.class);

    private static final List<String> MODE = List.of("caisson-init", "gate");
    private static final List<String> JVM = List.of(
            "-XX:+UseSerialGC",
            "-Xms8m",
            "-Xmx160m",
            "-Xss512k",
            "-XX:ReservedCodeCacheSize=48m",
            "-XX:-UsePerfData",
            "-XX:+DisableAttachMechanism",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-CreateCoredumpOnCrash",
            "-Xshare:auto");

    /// Returns the program for this JVM.
    /// @throws GateException GATE_PROGRAM if it, or Caisson's classes, cannot be found in files
    static GateProgram ofThisJvm() {
        return of(Path.of(System.getProperty("java.home")));
    }

    /// @param home of the JVM that is started
    static GateProgram of(Path home) {
        try {
            return new Places(home.toRealPath()).program();
        } catch (IOException e) {
            throw new GateException(
                    "GATE_PROGRAM",
                    "the files of this JVM cannot be read for the process of gates: " + e.getMessage(),
                    e);
        }
    }

    /// Returns its command line.
    ///
    /// @param joins how many descriptors behind the socket it joins its control group by
    List<String> arguments(int joins) {
        var all = new ArrayList<>(arguments);
        all.addAll(MODE.size(), List.of("join", Integer.toString(joins)));
        return all;
    }

    private static final class Places {
        private final Path home;
        private final Set<Path> bound = new LinkedHashSet<>();
        private final Map<Path, Path> links = new LinkedHashMap<>();

        Places(Path home) {
            this.home = home;
        }

        GateProgram program() throws IOException {
            Path java = home.resolve("bin/java");
            if (!Files.isExecutable(java)) {
                throw GateException.program("this JVM has no " + java + ", which would be started for gates");
            }
            bound.add(home);
            outside();
            Set<Path> libraries = libraries();
            List<String> classes = classes();
            var all = new ArrayList<String>();
            all.addAll(MODE);
            bound.stream()
                    .filter(path -> bound.stream().noneMatch(other -> !other.equals(path) && path.startsWith(other)))
                    .forEach(path -> all.addAll(List.of("bind", path.toString())));
            links.forEach((link, target) -> all.addAll(List.of("link", link.toString(), target.toString())));
            var search = new LinkedHashSet<String>();
            search.add(home.resolve("lib").toString());
            libraries.forEach(directory -> search.add(directory.toString()));
            all.addAll(List.of("env", "LD_LIBRARY_PATH=" + String.join(":", search), "env", "LC_ALL=C.UTF-8"));
            all.addAll(List.of("run", java.toString()));
            all.addAll(JVM);
            all.addAll(classes);
            return new GateProgram(List.copyOf(all));
        }

        /// Adds what links of the JVM's own files lead to outside of its directory, and what links of those lead to.
        /// Some distributions keep a JVM's settings and its authorities in /etc.
        private void outside() throws IOException {
            var left = new ArrayDeque<>(List.of(home.resolve("conf"), home.resolve("lib")));
            while (!left.isEmpty()) {
                try (Stream<Path> all = Files.walk(left.remove())) {
                    for (Path link : all.filter(Files::isSymbolicLink).toList()) {
                        if (Files.exists(link) && !link.toRealPath().startsWith(home) && add(target(link))) {
                            left.add(link.toRealPath());
                        }
                    }
                }
            }
        }

        private static Path target(Path link) throws IOException {
            return link.resolveSibling(Files.readSymbolicLink(link)).normalize();
        }

        /// @return whether the place that it leads to is not there yet
        private boolean add(Path path) throws IOException {
            Path real = path.toRealPath();
            if (!real.equals(path)) {
                links.put(path, real);
            }
            return bound.add(real);
        }

        /// Adds the system's libraries that this JVM uses, with the names by which they are looked for.
        ///
        /// @return their directories
        private Set<Path> libraries() throws IOException {
            var mapped = new LinkedHashSet<Path>();
            for (String line : KernelText.lines(ByteText.read(MAPS)).toList()) {
                String[] fields = line.split("\\s+", 6);
                if (fields.length == 6 && fields[1].contains("x") && fields[5].startsWith("/")) {
                    Path file = Path.of(fields[5]);
                    if (Files.isRegularFile(file)) {
                        mapped.add(file.toRealPath());
                    }
                }
            }
            Path system = mapped.stream()
                    .filter(file -> file.endsWith(C_LIBRARY))
                    .findFirst()
                    .map(Path::getParent)
                    .orElseThrow(() -> GateException.program("this JVM does not use the GNU C library"));
            Path loader = Path.of(LOADERS.get(System.getProperty("os.arch")));
            add(loader);
            for (Path file : mapped) {
                if (system.equals(file.getParent())) {
                    bound.add(file);
                    names(file);
                }
            }
            return Set.of(system);
        }

        private void names(Path file) throws IOException {
            String name = file.getFileName().toString();
            int end = name.indexOf(".so");
            if (end < 0) {
                return;
            }
            Path directory = file.getParent();
            try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, name.substring(0, end) + ".so*")) {
                for (Path other : all) {
                    if (Files.isSymbolicLink(other)
                            && Files.exists(other)
                            && other.toRealPath().equals(file)) {
                        links.put(other, file);
                    }
                }
            }
        }

        private List<String> classes() throws IOException {
            var places = new LinkedHashSet<String>();
            for (Class<?> one : ROOMS) {
                CodeSource source = one.getProtectionDomain().getCodeSource();
                URL place = source == null ? null : source.getLocation();
                if (place == null
                        || !(place.getProtocol().equals("file")
                                || place.getProtocol().equals("jrt"))) {
                    throw GateException.program("Caisson's classes are in " + place + ", which no other JVM can read");
                }
                if (place.getProtocol().equals("jrt")) {
                    return List.of(
                            "--enable-native-access=dev.caisson.linux",
                            "-m",
                            "dev.caisson.gate/" + GateMain.class.getName());
                }
                try {
                    Path real = Path.of(place.toURI()).toRealPath();
                    bound.add(real);
                    places.add(real.toString());
                } catch (URISyntaxException e) {
                    throw new IOException(e);
                }
            }
            return List.of(
                    "--enable-native-access=ALL-UNNAMED", "-cp", String.join(":", places), GateMain.class.getName());
        }
    }
}
