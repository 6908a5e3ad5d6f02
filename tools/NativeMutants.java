import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Puts one small mistake at a time into a scratch copy of the native program, builds it, and runs its tests as root.
///
/// usage: java NativeMutants.java NATIVE SCRATCH SECONDS SEED [FILE.c...]
///
/// Prints those that no test sees, and last how many were seen, how many of these by their time, were not seen, and were
/// not tried. They are tried in an order that SEED fixes, and what is printed ends at the first that was not tried, so
/// that a part is a random sample of all. Four are tried at once, as the tests wait more than they compute. Results are
/// kept in SCRATCH/results.tsv, by the content of file, line and tests: what did not change is not tried again. Every
/// launch happens in namespaces and with a /dev of its own, because a mistake may well be one that harms the host. It is
/// started in the clone.
final class NativeMutants {
    private static final Pattern NAME = Pattern.compile("\\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\\b");
    /// Not in a row of flags, where FLAG takes it out.
    private static final Pattern ALONE = Pattern.compile("(?<!\\| )" + NAME.pattern() + "(?! \\|(?!\\|))");
    private static final Pattern FLAG = Pattern.compile("(\\s*(?<!\\|)\\|(?!\\|)\\s*)(~?[A-Z][A-Z0-9_]+)\\b|\\b(~?[A-Z][A-Z0-9_]+)(\\s*\\|(?!\\|)\\s*)");
    private static final Pattern COMPARISON = Pattern.compile(" (<=|>=|==|!=|<|>) (?!0\\b(?!x))|(?<=\\w) (==|!=) ");
    private static final Pattern LOGIC = Pattern.compile(" (&&|\\|\\|) ");
    private static final Pattern ARITHMETIC = Pattern.compile(" ([-+]) (?=\\w)");
    private static final Pattern NOT = Pattern.compile("!(?=[a-z(])");
    /// Not -1, which stands for none.
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.\"%\\[-])(0[0-7]+|[1-9]\\d*)(?![\\w.\"\\]])");
    private static final Pattern CONDITION = Pattern.compile("^(\\s*(?:else )?if )\\((.*)\\)(\\s*(?:[{].*|return .*|_exit.*)?)$");
    private static final Pattern CALL = Pattern.compile("^\\t+(?:[a-z_]+\\(.*\\)|[a-z_>.\\[\\]-]+ [|&^+-]?= [^{]*|[a-z_]+->[a-z_]+(?:\\+\\+)?);$");
    private static final Pattern RESULT = Pattern.compile("^(\\t+return )([^;]*<[^;]*|result\\(.*\\)|[a-z_]+\\(.*\\));$");
    /// Names of 0, which 0 stands for as well.
    private static final List<String> ZEROS =
            List.of("PLAN_OK", "O_RDONLY", "STREAM_OUT", "ON_TIMER", "RESTART_NO", "ON_FAILURE_NONE");
    private static final Map<String, String> OPPOSITE = Map.of("<", "<=", "<=", "<", ">", ">=", ">=", ">", "==", "!=", "!=", "==");

    private record Mutant(String file, int line, String original, String changed) {
        /// Without the line's number, which every change above it would move.
        String name() {
            return file + " " + original.strip() + " => " + changed.strip();
        }
    }

    /// What names of tests begin with that are tried first on a file.
    private static final Map<String, String> OWN_TESTS = Map.of("monitor_health.c", "health: ", "monitor_setup.c", "setup: ",
            "files.c", "files: ", "files_paths.c", "files: ", "files_write.c", "files: ", "files_tree.c", "files: ",
            "files_confine.c", "files: ", "exec.c", "exec: ", "enter.c", "exec: ");

    /// Runs a command that may take the host's /dev/null for a pipe, and set its mode.
    private static final Path OWN_DEV = Path.of("tools/in-own-dev").toAbsolutePath();
    private static final int WORKERS = 4;
    private static final String KILLED = "killed";
    /// Its tests did not end in time, twice.
    private static final String ENDLESS = "endless";
    private static final String SURVIVED = "survived";
    private static final String LEFT = "left";

    private final Path source;
    private final Path scratch;
    private final Path results;
    private final long deadline;
    private final long seed;
    /// The files as they were at the start: somebody may go on working on them.
    private final Map<String, String> contents = new HashMap<>();

    private NativeMutants(Path source, Path scratch, long seconds, long seed) {
        this.source = source;
        this.scratch = scratch;
        this.results = scratch.resolve("results.tsv");
        this.seed = seed;
        this.deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    }

    public static void main(String[] args) throws Exception {
        var tool = new NativeMutants(Path.of(args[0]), Path.of(args[1]), Long.parseLong(args[2]), Long.parseLong(args[3]));
        tool.run(List.of(args).subList(4, args.length));
    }

    private void run(List<String> wanted) throws Exception {
        for (Path file : files(source, ".c")) {
            contents.put(file.getFileName().toString(), Files.readString(file));
        }
        String tests = Integer.toHexString(String.join("", contents(source.resolve("test"))).hashCode());
        Map<String, String> known = known();
        List<Mutant> mutants = new ArrayList<>();
        for (String file : contents.keySet().stream().sorted().toList()) {
            if (wanted.isEmpty() || wanted.contains(file)) {
                mutants.addAll(mutants(file, contents.get(file).lines().toList()));
            }
        }
        Collections.shuffle(mutants, new Random(seed));
        var queue = new ConcurrentLinkedQueue<Mutant>(mutants.stream()
                .filter(mutant -> !known.containsKey(key(mutant, tests)))
                .toList());
        if (!queue.isEmpty() && System.nanoTime() < deadline) {
            judge(queue, tests, known);
        }
        report(mutants, tests, known);
    }

    private void judge(java.util.Queue<Mutant> queue, String tests, Map<String, String> known) throws Exception {
        var copies = new ArrayList<Copy>();
        for (int i = 0; i < WORKERS; i++) {
            copies.add(new Copy(scratch.resolve("copy" + i)));
            if (i == 0) {
                copies.getFirst().make(source);
            } else {
                copies.get(i).copy(copies.getFirst());
            }
        }
        copies.getFirst().tryWithoutMistake();
        try (var workers = Executors.newFixedThreadPool(WORKERS)) {
            var done = new ArrayList<Future<?>>();
            for (Copy copy : copies) {
                copy.limit = copies.getFirst().limit;
                done.add(workers.submit(() -> {
                    for (Mutant next; System.nanoTime() < deadline && (next = queue.poll()) != null; ) {
                        note(known, key(next, tests), copy.judge(next, contents.get(next.file())));
                    }
                    return null;
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
        }
    }

    private String key(Mutant mutant, String tests) {
        return Integer.toHexString(contents.get(mutant.file()).hashCode()) + "\t" + tests + "\t" + mutant.name();
    }

    private synchronized void note(Map<String, String> known, String key, String verdict) throws IOException {
        known.put(key, verdict);
        Files.writeString(results, verdict + "\t" + key + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void report(List<Mutant> mutants, String tests, Map<String, String> known) {
        var counts = new HashMap<String, Integer>();
        for (Mutant mutant : mutants) {
            String verdict = counts.containsKey(LEFT) ? LEFT : known.getOrDefault(key(mutant, tests), LEFT);
            counts.merge(verdict, 1, Integer::sum);
            if (verdict.equals(SURVIVED)) {
                System.out.println("line " + (mutant.line() + 1) + "\t" + mutant.name());
            }
        }
        System.out.printf(
                "total\t%d\t%d\t%d\t%d%n",
                counts.getOrDefault(KILLED, 0) + counts.getOrDefault(ENDLESS, 0),
                counts.getOrDefault(ENDLESS, 0),
                counts.getOrDefault(SURVIVED, 0),
                counts.getOrDefault(LEFT, 0));
    }

    private Map<String, String> known() throws IOException {
        var known = new HashMap<String, String>();
        if (Files.exists(results)) {
            for (String line : Files.readAllLines(results)) {
                int tab = line.indexOf('\t');
                known.put(line.substring(tab + 1), line.substring(0, tab));
            }
        }
        return known;
    }

    // ---- the mistakes

    private static List<Mutant> mutants(String file, List<String> lines) {
        var found = new ArrayList<Mutant>();
        boolean comment = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            comment = comment || line.strip().startsWith("/*");
            boolean code = !comment && !line.startsWith("#") && !line.strip().startsWith("//") && line.startsWith("\t");
            if (line.contains("*/")) {
                comment = false;
            }
            if (code) {
                for (String changed : changes(line)) {
                    found.add(new Mutant(file, i, line, changed));
                }
            }
        }
        return found;
    }

    private static List<String> changes(String line) {
        var changes = new LinkedHashSet<String>();
        String code = line.replaceAll("/\\*.*?\\*/", "");
        boolean declares = code.matches("\\s*(static )?(const )?(struct|enum|char|unsigned|int|uint\\w+|long|bool|size_t|ssize_t) [^=(]*;");
        if (declares || code.contains("snprintf(") || code.contains("_Static_assert")) {
            return List.of();
        }
        each(changes, code, FLAG, match -> "");
        each(changes, code, ALONE, match -> match.group().startsWith("SECCOMP_RET_") ? "SECCOMP_RET_LOG" : "0");
        changes.removeIf(changed -> ZEROS.stream().anyMatch(zero -> withNumber(code, zero).contains(changed)));
        // No program is executed with descriptors but 0 to 2, as everything else is closed by range: tests look at them.
        changes.removeIf(changed -> count(changed, "CLOEXEC") < count(code, "CLOEXEC"));
        each(changes, code, COMPARISON, NativeMutants::opposite);
        each(changes, code, LOGIC, match -> match.group(1).equals("&&") ? " || " : " && ");
        each(changes, code, ARITHMETIC, match -> match.group(1).equals("+") ? " - " : " + ");
        each(changes, code, NOT, match -> "");
        each(changes, code, NUMBER, match -> match.group() + " + 1");
        Matcher condition = CONDITION.matcher(code);
        if (condition.matches()) {
            changes.add(condition.group(1) + "(0 && (" + condition.group(2) + "))" + condition.group(3));
        }
        if (CALL.matcher(code).matches()) {
            changes.add(code.substring(0, code.length() - code.stripLeading().length()) + ";");
        }
        Matcher result = RESULT.matcher(code);
        if (result.matches()) {
            changes.add(result.group(1) + "0;");
        }
        changes.remove(code);
        return List.copyOf(changes);
    }

    /// The line with one of these names as the number that it stands for.
    private static List<String> withNumber(String code, String zero) {
        return Pattern.compile("\\b" + zero + "\\b").matcher(code).results()
                .map(match -> code.substring(0, match.start()) + "0" + code.substring(match.end()))
                .toList();
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length;
    }

    /// A result below 0 is an error: whether 0 is one too matters nowhere.
    private static String opposite(Matcher comparison) {
        String operator = comparison.group(1) != null ? comparison.group(1) : comparison.group(2);
        return " " + OPPOSITE.get(operator) + " ";
    }

    private static void each(
            LinkedHashSet<String> changes, String code, Pattern pattern, java.util.function.Function<Matcher, String> other) {
        Matcher matcher = pattern.matcher(code);
        while (matcher.find()) {
            long quotes = code.substring(0, matcher.start()).chars().filter(c -> c == '"').count();
            if (quotes % 2 == 0) {
                changes.add(code.substring(0, matcher.start()) + other.apply(matcher) + code.substring(matcher.end()));
            }
        }
    }

    // ---- one of them, built and run

    /// A copy of the sources, in which there is one mistake at a time.
    private static final class Copy {
        private final Path directory;
        private long limit = 600;
        private boolean late;

        Copy(Path directory) {
            this.directory = directory;
        }

        /// Takes over what another has built.
        void copy(Copy other) throws Exception {
            if (!other.execute(60, "sh", "-c", "rm -rf \"$1\" && cp -a . \"$1\"", "copy", directory.toAbsolutePath().toString())) {
                throw new IllegalStateException(directory + " cannot be written");
            }
        }

        /// What an earlier run has compiled stays, where it was not ended with a mistake in it.
        void make(Path source) throws Exception {
            Files.createDirectories(directory.resolve("build/objects"));
            Files.createDirectories(directory.resolve("test"));
            boolean sameHeaders = true;
            for (Path header : files(source, ".h")) {
                sameHeaders &= isSame(header, directory.resolve(header.getFileName()));
            }
            var made = new ArrayList<Path>();
            for (Path from : files(source, ".c")) {
                Path file = directory.resolve(from.getFileName());
                Path object = objectOf(file);
                if (sameHeaders && isSame(from, file) && Files.exists(object)
                        && Files.getLastModifiedTime(object).compareTo(Files.getLastModifiedTime(file)) > 0) {
                    made.add(file);
                }
            }
            for (Path from : List.of(source, source.resolve("test"))) {
                for (String suffix : List.of(".c", ".h", "Makefile")) {
                    for (Path file : files(from, suffix)) {
                        Path to = directory.resolve(source.relativize(file));
                        Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
                    }
                }
            }
            for (Path file : files(directory, ".c")) {
                if (!made.contains(file) && !object(file)) {
                    throw new IllegalStateException(file + " does not compile");
                }
            }
            if (!make("caisson-init", "build/test_plan", "build/test_init", "build/test_checks", "build/test_monitor")) {
                throw new IllegalStateException("the native program does not build");
            }
        }

        private Path objectOf(Path file) {
            return directory.resolve("build/objects/" + file.getFileName().toString().replace(".c", ".o"));
        }

        private static boolean isSame(Path one, Path other) throws IOException {
            return Files.exists(other) && Files.mismatch(one, other) < 0;
        }

        /// Tests that take much longer than now do not end.
        void tryWithoutMistake() throws Exception {
            long start = System.nanoTime();
            if (!link()) {
                throw new IllegalStateException("the program does not link without a mistake: " + directory.resolve("last.log"));
            }
            if (!test("test_plan") || !test("test_checks") || !test("test_init") || !test("test_monitor")) {
                throw new IllegalStateException("the tests fail without a mistake: " + directory.resolve("last.log"));
            }
            limit = Math.max(90, 4 * TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
        }

        /// What did not end in time is tried once more: the machine may have been busy.
        String judge(Mutant mutant, String content) throws Exception {
            String verdict = attempt(mutant, content);
            if (late) {
                verdict = attempt(mutant, content);
            }
            return late && verdict.equals(KILLED) ? ENDLESS : verdict;
        }

        private String attempt(Mutant mutant, String content) throws Exception {
            late = false;
            Path file = directory.resolve(mutant.file());
            List<String> lines = new ArrayList<>(content.lines().toList());
            lines.set(mutant.line(), mutant.changed());
            Files.write(file, lines);
            try {
                if (mutant.file().startsWith("front")) {
                    boolean built = make("caisson-front", "build/test_front", "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1");
                    return !built ? "no program" : test("test_front") ? SURVIVED : KILLED;
                }
                if (!build(file)) {
                    return "no program";
                }
                boolean decodes = List.of("plan.c", "payloads.c").contains(mutant.file());
                boolean looks = List.of("verify.c", "privileges.c", "devices.c", "paths.c", "monitor_time.c").contains(mutant.file());
                if (decodes && (!make("build/test_plan", "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1") || !test("test_plan"))) {
                    return KILLED;
                }
                if (looks && (!make("build/test_checks", "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1") || !test("test_checks"))) {
                    return KILLED;
                }
                boolean monitors = mutant.file().startsWith("monitor") || mutant.file().equals("kept_mounts.c");
                String own = OWN_TESTS.get(mutant.file());
                if (own != null && !test(monitors ? "test_monitor" : "test_init", own)) {
                    return KILLED;
                }
                // The monitor's containers are made by the same code, and their terminals are typed into.
                return (monitors || test("test_init")) && test("test_monitor") ? SURVIVED : KILLED;
            } finally {
                Files.writeString(file, content);
                object(file);
            }
        }

        /// Compiles this file again and links all; quick and without warnings.
        private boolean build(Path file) throws Exception {
            return object(file) && link();
        }

        /// All but the front end, which is a program of its own.
        private boolean link() throws Exception {
            return execute(60, "sh", "-c", "gcc -static-pie -o build/caisson-init $(ls build/objects/*.o | grep -v /front)");
        }

        private boolean object(Path file) throws Exception {
            String name = file.getFileName().toString();
            return execute(60, "gcc", "-std=c17", "-D_GNU_SOURCE", "-w", "-O1", "-fno-strict-aliasing", "-fPIE", "-c", "-o",
                    "build/objects/" + name.replace(".c", ".o"), name);
        }

        private boolean make(String... arguments) throws Exception {
            var command = new ArrayList<>(List.of("make", "-s"));
            command.addAll(List.of(arguments));
            return execute(300, command.toArray(String[]::new));
        }

        private boolean test(String name, String... filter) throws Exception {
            var command = new ArrayList<>(List.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc",
                    "--net", "--mount-proc", "--propagation", "private", OWN_DEV.toString(), "build/" + name));
            if (name.equals("test_front")) {
                command.add("build/caisson-front");
            }
            if (name.equals("test_init") || name.equals("test_monitor")) {
                command.add("build/caisson-init");
                command.addAll(List.of(filter));
            }
            return execute(limit, command.toArray(String[]::new));
        }

        private boolean execute(long seconds, String... command) throws Exception {
            var builder = new ProcessBuilder(command).directory(directory.toFile());
            builder.environment().put("CAISSON_TESTS_END_AT_FIRST_FAILURE", "1");
            builder.redirectErrorStream(true).redirectOutput(directory.resolve("last.log").toFile());
            Process process = builder.start();
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                late = true;
                return false;
            }
            return process.exitValue() == 0;
        }
    }

    private static List<Path> files(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
    }

    private static List<String> contents(Path directory) throws IOException {
        var contents = new ArrayList<String>();
        for (Path file : files(directory, ".c")) {
            contents.add(Files.readString(file));
        }
        return contents;
    }
}
