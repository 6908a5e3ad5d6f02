import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A copy of the sources, in which there is one mistake at a time. Everything in it runs in namespaces and with a /dev of
/// its own, because a mistake may well be one that harms the host.
final class Copy {
    /// Programs of tests that have the sources in them, quickest first; each runs only for the files that it is made of.
    private static final List<String> OWN_SOURCES = List.of("test_checks", "test_answers", "test_plan", "test_redact", "test_units", "test_played");
    private static final List<String> BY_TEST = List.of("test_init", "test_monitor");
    /// With input that is made up, from a seed that does not change; after all others.
    private static final List<String> FUZZ = List.of("replay", "fuzz_monitor", "fuzz_files");
    private static final List<String> SECONDS_AND_SEED = List.of("4", "1");
    /// Runs a command that may take the host's /dev/null for a pipe, and set its mode.
    private static final Path OWN_DEV = Path.of("tools/in-own-dev").toAbsolutePath();
    private static final List<String> COMPILE = List.of("gcc", "-std=c17", "-D_GNU_SOURCE", "-w", "-fno-strict-aliasing", "-fPIE");
    private static final String FLAGS = "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1 -fno-strict-aliasing";
    private static final Pattern PROGRAM = Pattern.compile(" -o build/(\\w+) ");
    private static final Pattern FAILED = Pattern.compile("(?m)^FAILED (.*)$");
    private static final int MOST_UNSTEADY = 5;
    private static final int ALARM = 128 + 14;
    private static final long LEAST_SECONDS = 30;

    private final Path directory;
    private final Reach reach;
    /// Programs by the file that they are made of.
    private final Map<String, Set<String>> made;
    private boolean late;

    Copy(Path directory) {
        this.directory = directory.toAbsolutePath();
        this.reach = new Reach();
        this.made = new HashMap<>();
    }

    Copy(Path directory, Copy other) throws Exception {
        this.directory = directory.toAbsolutePath();
        this.reach = other.reach;
        this.made = other.made;
        if (!other.execute(60, Map.of(), "sh", "-c", "rm -rf \"$1\" && cp -a . \"$1\"", "copy", this.directory.toString())) {
            throw new IllegalStateException(directory + " cannot be written");
        }
    }

    // ---- before the first mistake

    /// Takes the sources over; objects of an earlier run stay if their sources are the same.
    void build(Path source) throws Exception {
        Files.createDirectories(directory.resolve("build/objects"));
        Files.createDirectories(directory.resolve("test/corpus"));
        boolean sameHeaders = true;
        for (Path header : files(source, ".h")) {
            sameHeaders &= isSame(header, directory.resolve(header.getFileName()));
        }
        var objects = new ArrayList<Path>();
        for (Path from : files(source, ".c")) {
            Path file = directory.resolve(from.getFileName());
            Path object = objectOf(file);
            if (sameHeaders && isSame(from, file) && Files.exists(object)
                    && Files.getLastModifiedTime(object).compareTo(Files.getLastModifiedTime(file)) > 0) {
                objects.add(file);
            }
        }
        for (Path from : List.of(source, source.resolve("test"), source.resolve("test/corpus"))) {
            for (Path file : files(from, "")) {
                Path to = directory.resolve(source.relativize(file));
                if (!isSame(file, to)) {
                    Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING); // newer than what was made of another
                }
            }
        }
        for (Path file : files(directory, ".c")) {
            if (!objects.contains(file) && !object(file.getFileName().toString())) {
                throw new IllegalStateException(file + " does not compile");
            }
        }
        var all = new ArrayList<String>(List.of("caisson-init", "caisson-front", "build/test_front"));
        Stream.of(OWN_SOURCES, BY_TEST, FUZZ).flatMap(List::stream).forEach(name -> all.add("build/" + name));
        if (!make(all) || !link()) {
            throw new IllegalStateException("the native program does not build: " + directory.resolve("last.log"));
        }
        for (Path file : files(directory, ".c")) {
            made.put(file.getFileName().toString(), programsOf(file));
        }
    }

    /// Learns from one run of all tests which of them reach what, unless `kept` has it. A test that fails without a mistake,
    /// as a few may on a busy machine, would see one everywhere: it is left out, and named.
    void learn(Path kept) throws Exception {
        Path program = kept.resolve("program");
        Path map = kept.resolve("map");
        for (String test : BY_TEST) {
            Path blocks = kept.resolve(test + ".lines");
            if (!Files.exists(blocks)) {
                Files.createDirectories(kept);
                if (!Files.exists(program)) {
                    buildWithCoverage(program, map);
                }
                Files.write(map, new byte[1 << 22]);
                var variables = Map.of("CAISSON_TESTS_COVERAGE", map.toString());
                boolean passed = execute(900, variables, inOwnPlace("build/" + test, program.toString()));
                Set<String> failed = FAILED.matcher(Files.readString(directory.resolve("last.log"))).results()
                        .map(match -> match.group(1))
                        .collect(Collectors.toSet());
                if (!passed && (failed.isEmpty() || failed.size() > MOST_UNSTEADY)) {
                    throw new IllegalStateException("the tests fail without a mistake: " + directory.resolve("last.log"));
                }
                failed.forEach(name -> System.err.println("left out, as it fails without a mistake: " + name));
                Files.write(blocks, Files.readAllLines(Path.of(map + ".lines")).stream()
                        .filter(line -> !failed.contains(line.substring(0, line.indexOf('\t'))))
                        .toList());
            }
            List<String> lines = Files.readAllLines(blocks);
            reach.add(test, lines, Reach.places(program, lines));
        }
        for (String test : OWN_SOURCES) {
            if (!run(test, 600)) {
                throw new IllegalStateException(test + " fails without a mistake: " + directory.resolve("last.log"));
            }
        }
    }

    private void buildWithCoverage(Path program, Path map) throws Exception {
        var command = new ArrayList<>(List.of("sh", "-c", "set -e; out=$1 map=$2; shift 2; "
                + "\"$@\" -O0 -DCOVERAGE=\"\\\"$map\\\"\" -c -o build/coverage.o test/coverage.c; "
                + "\"$@\" -O0 -g -fsanitize-coverage=trace-pc -static-pie -o \"$out\" $(ls *.c | grep -v ^front) build/coverage.o",
                "build", program.toString(), map.toString()));
        command.addAll(COMPILE);
        boolean done = execute(300, Map.of(), command.toArray(String[]::new));
        if (!done) {
            throw new IllegalStateException("the program with coverage does not build: " + directory.resolve("last.log"));
        }
    }

    // ---- one mistake

    /// What did not end in time is tried once more: the machine may have been busy.
    String judge(Mutant mutant, String content) throws Exception {
        String verdict = attempt(mutant, content);
        if (late) {
            verdict = attempt(mutant, content);
        }
        return late && verdict.equals(NativeMutants.KILLED) ? NativeMutants.ENDLESS : verdict;
    }

    private String attempt(Mutant mutant, String content) throws Exception {
        late = false;
        Set<String> programs = made.get(mutant.file());
        Path file = directory.resolve(mutant.file());
        List<String> lines = new ArrayList<>(content.lines().toList());
        List<List<Reach.Test>> groups = reach.groups(mutant, lines);
        byte[] object = Files.readAllBytes(objectOf(file));
        lines.set(mutant.line(), mutant.changed());
        Files.write(file, lines);
        try {
            if (!object(mutant.file()) || Arrays.equals(object, Files.readAllBytes(objectOf(file))) || !link()) {
                return NativeMutants.NO_MISTAKE;
            }
            if (mutant.file().startsWith("front")) {
                boolean killed = !make(List.of("caisson-front", "build/test_front", FLAGS)) || !run("test_front", 120, "build/caisson-front");
                return killed ? NativeMutants.KILLED : NativeMutants.SURVIVED;
            }
            boolean seen = OWN_SOURCES.stream().filter(programs::contains).anyMatch(test -> !makeAndRun(test));
            for (int i = 0; i < groups.size() && !seen; i++) {
                seen = !run(groups.get(i));
            }
            seen = seen || FUZZ.stream().filter(programs::contains).anyMatch(test -> !makeAndRun(test));
            return seen ? NativeMutants.KILLED : NativeMutants.SURVIVED;
        } finally {
            Files.writeString(file, content);
            object(mutant.file());
        }
    }


    private boolean run(List<Reach.Test> tests) throws Exception {
        long longest = tests.stream().mapToLong(Reach.Test::millis).max().orElse(0) / 1000;
        long all = tests.stream().mapToLong(Reach.Test::millis).sum() / 1000;
        Path list = directory.resolve("tests.list");
        Files.write(list, tests.stream().map(Reach.Test::name).toList());
        var variables = Map.of("CAISSON_TESTS_END_AT_FIRST_FAILURE", "1", "CAISSON_TESTS_LIST", list.toString(),
                "CAISSON_TESTS_SECONDS", Long.toString(LEAST_SECONDS + 4 * longest));
        return execute(2 * LEAST_SECONDS + 4 * all, variables, inOwnPlace("build/" + tests.getFirst().program(), "build/caisson-init"));
    }

    private boolean makeAndRun(String test) {
        try {
            List<String> corpus = files(directory.resolve("test/corpus"), "").stream().map(Path::toString).toList();
            List<String> arguments = test.equals("replay") ? corpus : FUZZ.contains(test) ? SECONDS_AND_SEED : List.of();
            return make(List.of("build/" + test, FLAGS)) && run(test, LEAST_SECONDS, arguments.toArray(String[]::new));
        } catch (Exception e) {
            throw new IllegalStateException(test + " cannot be run", e);
        }
    }

    private boolean run(String program, long seconds, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("build/" + program));
        command.addAll(List.of(arguments));
        return execute(seconds, Map.of("CAISSON_TESTS_END_AT_FIRST_FAILURE", "1"), inOwnPlace(command.toArray(String[]::new)));
    }

    // ---- programs

    /// The programs that make would build again after a change of this file, while all are up to date.
    private Set<String> programsOf(Path file) throws Exception {
        var goals = new ArrayList<>(List.of("-n", "-W", file.getFileName().toString()));
        Stream.of(OWN_SOURCES, FUZZ).flatMap(List::stream).forEach(name -> goals.add("build/" + name));
        if (!make(goals)) {
            throw new IllegalStateException("make does not say what is made of " + file);
        }
        return PROGRAM.matcher(Files.readString(directory.resolve("last.log"))).results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }

    /// All but the front end, which is a program of its own.
    private boolean link() throws Exception {
        return execute(60, Map.of(), "sh", "-c", "gcc -static-pie -o build/caisson-init $(ls build/objects/*.o | grep -v /front)");
    }

    /// Quick, and without warnings.
    private boolean object(String file) throws Exception {
        var command = new ArrayList<>(COMPILE);
        command.addAll(List.of("-O1", "-c", "-o", objectOf(Path.of(file)).toString(), file));
        return execute(60, Map.of(), command.toArray(String[]::new));
    }

    private Path objectOf(Path file) {
        return directory.resolve("build/objects/" + file.getFileName().toString().replace(".c", ".o"));
    }

    private boolean make(List<String> arguments) throws Exception {
        var command = new ArrayList<>(List.of("make", "-s"));
        command.addAll(arguments);
        return execute(300, Map.of(), command.toArray(String[]::new));
    }

    private static String[] inOwnPlace(String... command) {
        return Stream.concat(
                        Stream.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--mount-proc",
                                "--propagation", "private", OWN_DEV.toString()),
                        Stream.of(command))
                .toArray(String[]::new);
    }

    private boolean execute(long seconds, Map<String, String> variables, String... command) throws Exception {
        var builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().putAll(variables);
        builder.redirectErrorStream(true).redirectOutput(directory.resolve("last.log").toFile());
        Process process = builder.start();
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            late = true;
            return false;
        }
        late |= process.exitValue() == ALARM;
        return process.exitValue() == 0;
    }

    private static boolean isSame(Path one, Path other) throws IOException {
        return Files.exists(other) && Files.mismatch(one, other) < 0;
    }

    /// Regular files of a directory, by their suffix.
    static List<Path> files(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix) && Files.isRegularFile(file)).sorted().toList();
        }
    }
}
