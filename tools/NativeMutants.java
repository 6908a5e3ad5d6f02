import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Puts one small mistake at a time into a scratch copy of the native program, builds it, and runs its tests as root.
///
/// usage: java NativeMutants.java NATIVE SCRATCH SECONDS [FILE.c...]
///
/// Results are kept in SCRATCH/results.tsv, by the content of file, line and tests: what did not change is not tried
/// again. Every launch happens in namespaces of its own, because a mistake may well be one that harms the host.
final class NativeMutants {
    private static final Pattern NAME = Pattern.compile("\\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\\b");
    private static final Pattern FLAG = Pattern.compile("(\\s*\\|\\s*)(~?[A-Z][A-Z0-9_]+)\\b|\\b(~?[A-Z][A-Z0-9_]+)(\\s*\\|\\s*)");
    private static final Pattern COMPARISON = Pattern.compile(" (<=|>=|==|!=|<|>) (?!0\\b(?!x))|(?<=\\w) (==|!=) ");
    private static final Pattern LOGIC = Pattern.compile(" (&&|\\|\\|) ");
    private static final Pattern ARITHMETIC = Pattern.compile(" ([-+]) (?=\\w)");
    private static final Pattern NOT = Pattern.compile("!(?=[a-z(])");
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.\"%\\[])(0[0-7]+|[1-9]\\d*)(?![\\w.\"\\]])");
    private static final Pattern CONDITION = Pattern.compile("^(\\s*(?:else )?if )\\((.*)\\)(\\s*(?:[{].*|return .*|_exit.*)?)$");
    private static final Pattern CALL = Pattern.compile("^\\t+(?:[a-z_]+\\(.*\\)|[a-z_>.\\[\\]-]+ [|&^+-]?= [^{]*|[a-z_]+->[a-z_]+(?:\\+\\+)?);$");
    private static final Pattern RESULT = Pattern.compile("^(\\t+return )([^;]*<[^;]*|result\\(.*\\)|[a-z_]+\\(.*\\));$");
    private static final Map<String, String> OPPOSITE = Map.of("<", "<=", "<=", "<", ">", ">=", ">=", ">", "==", "!=", "!=", "==");

    private record Mutant(Path file, int line, String original, String changed) {
        /// Without the line's number, which every change above it would move.
        String name() {
            return file.getFileName() + " " + original.strip() + " => " + changed.strip();
        }
    }

    private final Path source;
    private final Path scratch;
    private final Path results;
    private final long deadline;
    /// The files as they were at the start: somebody may go on working on them.
    private final Map<Path, String> contents = new HashMap<>();

    private NativeMutants(Path source, Path scratch, long seconds) {
        this.source = source;
        this.scratch = scratch;
        this.results = scratch.resolve("results.tsv");
        this.deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    }

    public static void main(String[] args) throws Exception {
        var tool = new NativeMutants(Path.of(args[0]), Path.of(args[1]), Long.parseLong(args[2]));
        tool.run(List.of(args).subList(3, args.length));
    }

    private void run(List<String> wanted) throws Exception {
        copy();
        for (Path file : files(scratch.resolve("native"), ".c")) {
            contents.put(source.resolve(file.getFileName()), Files.readString(file));
        }
        if (!make("caisson-init") || !make("build/test_plan") || !make("build/test_init") || !make("build/test_checks")) {
            throw new IllegalStateException("the native program does not build");
        }
        if (!test("test_plan") || !test("test_checks") || !test("test_init")) {
            throw new IllegalStateException("the tests fail without a mistake");
        }
        String tests = Integer.toHexString(String.join("", contents(source.resolve("test"))).hashCode());
        Map<String, String> known = known();
        List<Mutant> mutants = new ArrayList<>();
        for (Path file : contents.keySet().stream().sorted().toList()) {
            if (wanted.isEmpty() || wanted.contains(file.getFileName().toString())) {
                mutants.addAll(mutants(file, contents.get(file).lines().toList()));
            }
        }
        Collections.shuffle(mutants, new Random(1)); // a part of them is a sample of all
        for (Mutant mutant : mutants) {
            String content = Integer.toHexString(contents.get(mutant.file()).hashCode());
            String key = content + "\t" + tests + "\t" + mutant.name();
            if (System.nanoTime() > deadline) {
                break;
            }
            if (!known.containsKey(key)) {
                String verdict = judge(mutant);
                known.put(key, verdict);
                Files.writeString(results, verdict + "\t" + key + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                if (!verdict.equals("killed")) {
                    System.out.println("line " + (mutant.line() + 1) + "\t" + mutant.name());
                }
            }
        }
        report(mutants, tests, known);
    }

    private void report(List<Mutant> mutants, String tests, Map<String, String> known) {
        var counts = new HashMap<String, Integer>();
        for (Mutant mutant : mutants) {
            String content = Integer.toHexString(contents.get(mutant.file()).hashCode());
            counts.merge(known.getOrDefault(content + "\t" + tests + "\t" + mutant.name(), "left"), 1, Integer::sum);
        }
        System.out.printf(
                "total\t%d\t%d\t%d%n",
                counts.getOrDefault("killed", 0), counts.getOrDefault("survived", 0), counts.getOrDefault("left", 0));
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

    private static List<Mutant> mutants(Path file, List<String> lines) {
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
        each(changes, code, NAME, match -> match.group().startsWith("SECCOMP_RET_") ? "SECCOMP_RET_LOG" : "0");
        changes.removeIf(changed -> changed.length() < code.length() && code.replace("PLAN_OK", "0").equals(changed)); // the same
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

    private String judge(Mutant mutant) throws Exception {
        Path copy = scratch.resolve("native").resolve(mutant.file().getFileName());
        List<String> lines = new ArrayList<>(contents.get(mutant.file()).lines().toList());
        lines.set(mutant.line(), mutant.changed());
        Files.write(copy, lines);
        try {
            if (!build(copy)) {
                return "no program";
            }
            String file = copy.getFileName().toString();
            boolean decodes = List.of("plan.c", "payloads.c", "reader.h").contains(file);
            boolean looks = List.of("verify.c", "privileges.c", "devices.c", "paths.c").contains(file);
            if (decodes && (!make("build/test_plan", "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1") || !test("test_plan"))) {
                return "killed";
            }
            if (looks && (!make("build/test_checks", "CFLAGS=-std=c17 -D_GNU_SOURCE -w -O1") || !test("test_checks"))) {
                return "killed";
            }
            return test("test_init") ? "survived" : "killed";
        } finally {
            Files.writeString(copy, contents.get(mutant.file()));
            object(copy);
        }
    }

    /// Compiles this file again and links all; quick and without warnings.
    private boolean build(Path copy) throws Exception {
        if (!object(copy)) {
            return false;
        }
        return execute(60, "sh", "-c", "gcc -static-pie -o build/caisson-init build/objects/*.o");
    }

    private boolean object(Path file) throws Exception {
        String name = file.getFileName().toString();
        return execute(60, "gcc", "-std=c17", "-D_GNU_SOURCE", "-w", "-O1", "-fno-strict-aliasing", "-fPIE", "-c", "-o",
                "build/objects/" + name.replace(".c", ".o"), name);
    }

    private boolean make(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("make", "-s"));
        command.addAll(List.of(arguments));
        return execute(120, command.toArray(String[]::new));
    }

    private boolean test(String name) throws Exception {
        var command = new ArrayList<>(List.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc",
                "--net", "--mount-proc", "--propagation", "private", "build/" + name));
        if (name.equals("test_init")) {
            command.add("build/caisson-init");
        }
        return execute(90, command.toArray(String[]::new));
    }

    private boolean execute(int seconds, String... command) throws Exception {
        var builder = new ProcessBuilder(command).directory(scratch.resolve("native").toFile());
        builder.environment().put("CAISSON_TESTS_END_AT_FIRST_FAILURE", "1");
        builder.redirectErrorStream(true).redirectOutput(scratch.resolve("last.log").toFile());
        Process process = builder.start();
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            return false;
        }
        return process.exitValue() == 0;
    }

    // ---- the copy

    private void copy() throws Exception {
        Path copy = scratch.resolve("native");
        Files.createDirectories(copy.resolve("build/objects"));
        Files.createDirectories(copy.resolve("test"));
        for (Path directory : List.of(source, source.resolve("test"))) {
            for (String suffix : List.of(".c", ".h", "Makefile")) {
                for (Path file : files(directory, suffix)) {
                    Path to = copy.resolve(source.relativize(file));
                    Files.copy(file, to, java.nio.file.StandardCopyOption.REPLACE_EXISTING, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        for (Path file : files(copy, ".c")) {
            if (!object(file)) {
                throw new IllegalStateException(file + " does not compile");
            }
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
