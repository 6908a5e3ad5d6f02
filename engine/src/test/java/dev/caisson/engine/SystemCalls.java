package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What an act of a process of its own asks of the kernel, as strace(1) writes it down: the calls that make a file
/// last, in their order.
final class SystemCalls {
    private static final Path STRACE = Path.of("/usr/bin/strace");
    private static final String CALLS = "fsync,fdatasync,syncfs,renameat2,write,pwrite64,copy_file_range";
    private static final Pattern LINE = Pattern.compile("\\d+ +([a-z0-9_]+)\\((.*)\\) += (-?\\d+).*");
    private static final Pattern PLACE = Pattern.compile("\\d+<([^>]*)>(?:\\(deleted\\))?");

    /// A call that did not fail.
    /// @param paths of its descriptors; of a new name the old one, then the new one
    record Call(String name, List<String> paths) {
        boolean isOf(String path) {
            return paths.contains(path);
        }
    }

    private SystemCalls() {}

    static boolean canBeSeen() {
        return Files.isExecutable(STRACE);
    }

    /// Runs a class's `main`.
    /// @param log a file that does not exist yet
    static List<Call> of(Path log, Class<?> main, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                STRACE.toString(),
                "-f",
                "--seccomp-bpf",
                "-qqq",
                "-y",
                "-s",
                "4096",
                "-o",
                log.toString(),
                "-e",
                "trace=" + CALLS,
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath(),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return read(log);
    }

    private static List<Call> read(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return joined(lines).stream().flatMap(line -> call(line).stream()).toList();
        }
    }

    /// Puts calls together that strace wrote in two pieces, at the place of the second.
    private static List<String> joined(Stream<String> lines) {
        var begun = new HashMap<String, String>();
        var whole = new ArrayList<String>();
        lines.forEach(line -> {
            String thread = line.substring(0, line.indexOf(' '));
            int unfinished = line.indexOf(" <unfinished ...>");
            int resumed = line.indexOf(" resumed>");
            if (unfinished >= 0) {
                begun.put(thread, line.substring(0, unfinished));
            } else if (resumed >= 0) {
                whole.add(begun.getOrDefault(thread, thread) + line.substring(resumed + " resumed>".length()));
            } else {
                whole.add(line);
            }
        });
        return whole;
    }

    private static Optional<Call> call(String line) {
        Matcher parts = LINE.matcher(line);
        if (!parts.matches() || parts.group(3).startsWith("-")) {
            return Optional.empty();
        }
        String name = parts.group(1);
        List<String> places = new ArrayList<>();
        Matcher place = PLACE.matcher(parts.group(2));
        while (place.find()) {
            places.add(place.group(1));
        }
        if (name.equals("renameat2")) {
            Matcher names = Pattern.compile("\"([^\"]*)\"").matcher(parts.group(2));
            List<String> renamed = new ArrayList<>();
            for (String directory : places) {
                assertThat(names.find()).as(line).isTrue();
                renamed.add(directory + "/" + names.group(1));
            }
            places = renamed;
        }
        return Optional.of(new Call(name, places));
    }

    static String classPath() throws URISyntaxException {
        var paths = new ArrayList<String>();
        paths.add(Path.of(SystemCalls.class.getResource("SystemCalls.class").toURI())
                .resolve("../../../..")
                .normalize()
                .toString());
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }
}
