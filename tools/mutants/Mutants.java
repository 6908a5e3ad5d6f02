import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Puts one small mistake at a time into classes of Java, and runs the tests that come to it.
///
/// usage: java -cp CLASSPATH Mutants CLONE ROOM SCRATCH SECONDS SEED TAGS ENGINE.txt [CLASS...]
///
/// They are tried in an order that SEED fixes, and what is printed ends at the first that was not tried, so that a part
/// is a random sample of all. ENGINE.txt names the classes of `engine`, wherever they stand, and for each the test classes
/// that are tried on it, besides those of its own room and name; the other rooms are tried without these. Tests with one of TAGS are left out. Which tests come to which line is found out once for each
/// test class. Results are kept in SCRATCH/results.tsv, by the content of the class and of the test that killed it, or of
/// all tests. The tests run in a process of their own, a mistake's classes in a loader of their own. It must be started in
/// mount and process namespaces of its own: a mistake may well be one that harms the host.
final class Mutants {
    private static final String ENGINE = "engine";
    /// So long the tests of a mistake may take together.
    private static final long MOST_TEST_MILLIS = 8_000;
    /// Those of the engine start containers.
    private static final long MOST_ENGINE_MILLIS = 20_000;
    private static final String BY_TIME = "killed by its time";
    /// Test classes of the engine that come to its start and see little of it: attacks, and what it watches.
    private static final String OTHER_SUBJECTS =
            "^(Cve|Denial|Docker|Emulated|Filter|Live|NotifiedRec|Pod|ProjectQuota|PublicArg|RecordedWorkload|Runtime|Syscall|VersionTwo)";

    private final House house;
    private final Path scratch;
    private final long seconds;
    private final long seed;
    private final String tags;
    private final boolean isEngine;
    private final Map<String, Subject> subjects = new LinkedHashMap<>();
    private final Map<String, List<String>> named = new LinkedHashMap<>();
    private final Map<String, String> testHashes = new HashMap<>();
    private final Map<String, String> testRooms = new HashMap<>();
    private final String allTests;
    private final Map<String, Result> known = new HashMap<>();

    /// @param tests a hash of those that the verdict rests on
    private record Result(String verdict, String tests) {}

    public static void main(String[] arguments) throws Exception {
        new Mutants(arguments).run(List.of(arguments).subList(7, arguments.length));
    }

    private Mutants(String[] arguments) throws IOException {
        house = House.of(Path.of(arguments[0]), arguments[1]);
        scratch = Path.of(arguments[2]);
        seconds = Long.parseLong(arguments[3]);
        seed = Long.parseLong(arguments[4]);
        tags = arguments[5];
        isEngine = house.top().equals(ENGINE);
        readNamed(Path.of(arguments[6]));
        if (isEngine) {
            subjects.putAll(Subject.in(house.root(), house.rooms()));
            subjects.keySet().retainAll(named.keySet());
        } else {
            subjects.putAll(Subject.in(house.root(), List.of(house.top())));
            subjects.keySet().removeAll(named.keySet());
        }
        var content = new StringBuilder();
        for (String room : testRooms()) {
            for (Path file : Subject.classFiles(house.root().resolve(room + "/target/test-classes"))) {
                String hash = Subject.hash(Files.readAllBytes(file));
                String test = file.getFileName().toString().replace(".class", "");
                testHashes.put(test, hash);
                testRooms.put(test, room);
                content.append(hash);
            }
        }
        allTests = Subject.hash(content.toString());
        readKnown();
    }

    private void readNamed(Path list) throws IOException {
        for (String line : Files.readAllLines(list)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] words = line.split("[: ]+");
                named.put(words[0], List.of(words).subList(1, words.length));
            }
        }
    }

    private TreeSet<String> testRooms() {
        var rooms = new TreeSet<String>(List.of(house.top()));
        subjects.values().forEach(subject -> rooms.add(subject.room()));
        return rooms;
    }

    private void readKnown() throws IOException {
        Path file = scratch.resolve("results.tsv");
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                String[] parts = line.split("\t", 3);
                known.put(parts[2], new Result(parts[0], parts[1]));
            }
        }
    }

    private void run(List<String> wanted) throws Exception {
        var mutants = new ArrayList<Subject.Mutant>();
        for (String name : wanted.isEmpty() ? subjects.keySet() : wanted) {
            if (subjects.containsKey(name)) {
                mutants.addAll(subjects.get(name).mutants());
            } else {
                System.err.println("not among the classes of " + house.top() + ": " + name);
            }
        }
        Collections.shuffle(mutants, new Random(seed));
        if (seconds > 0) {
            tryAll(mutants);
        }
        report(mutants);
    }

    private void tryAll(List<Subject.Mutant> mutants) throws Exception {
        List<String> arguments = List.of(house.top(), tags, isEngine ? OTHER_SUBJECTS : "^$", String.join(",", subjects.keySet()));
        try (var worker = new WorkerProcess(house, scratch, arguments)) {
            Set<Subject> tried = mutants.stream().map(Subject.Mutant::subject).collect(Collectors.toSet());
            Coverage coverage = Coverage.of(worker, scratch.resolve("coverage-without-" + tags.replace(',', '-')),
                    isEngine ? MOST_ENGINE_MILLIS : MOST_TEST_MILLIS,
                    test -> tried.stream().anyMatch(subject -> isTriedOn(subject, test)));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            for (Subject.Mutant mutant : mutants) {
                if (System.nanoTime() >= end) {
                    return;
                }
                if (result(mutant) == null) {
                    String verdict = judge(worker, coverage, mutant);
                    var result = new Result(verdict, tests(verdict));
                    known.put(key(mutant), result);
                    Files.writeString(scratch.resolve("results.tsv"), verdict + "\t" + result.tests() + "\t" + key(mutant) + "\n",
                            StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                }
            }
        }
    }

    /// Of the engine's own tests, most of which start containers and are slow, those that are named for a class.
    private boolean isTriedOn(Subject subject, String test) {
        return !isEngine
                || test.matches(Pattern.quote(subject.name()) + "Tests?")
                || named.getOrDefault(subject.name(), List.of()).contains(test)
                || !subject.room().equals(ENGINE) && subject.room().equals(testRooms.get(test));
    }

    private String judge(WorkerProcess worker, Coverage coverage, Subject.Mutant mutant) throws Exception {
        List<String> chosen = coverage.tests(
                mutant, preferred(mutant.subject().name()), test -> isTriedOn(mutant.subject(), test));
        if (chosen.isEmpty()) {
            return "uncovered";
        }
        String answer = Worker.LATE;
        for (int attempt = 1; attempt <= 2 && answer.equals(Worker.LATE); attempt++) { // the machine may have been busy
            answer = ask(worker, coverage, mutant, chosen, attempt);
        }
        if (answer.equals(Worker.LATE)) {
            return BY_TIME;
        }
        String[] words = answer.split(" ", 4);
        if (words.length < 4 || !words[3].startsWith("[engine:")) {
            return answer;
        }
        coverage.killed(mutant.subject(), words[3]);
        return "killed by " + words[2];
    }

    /// Test classes that have seen mistakes in a class, the more the earlier, and those that are named for it.
    private List<String> preferred(String subject) {
        var seen = new HashMap<String, Integer>();
        known.forEach((key, result) -> {
            if (key.contains("\t" + subject + ".java ") && result.verdict().startsWith("killed by ")) {
                seen.merge(result.verdict().substring("killed by ".length()), 1, Integer::sum);
            }
        });
        var preferred = new ArrayList<String>();
        seen.keySet().stream().sorted(Comparator.comparing(seen::get).reversed()).forEach(preferred::add);
        named.getOrDefault(subject, List.of()).stream().filter(name -> !seen.containsKey(name)).forEach(preferred::add);
        return preferred;
    }

    private String ask(WorkerProcess worker, Coverage coverage, Subject.Mutant mutant, List<String> chosen, int patience) throws Exception {
        var question = new StringBuilder("mutant\t" + mutant.subject().name() + "\t" + mutant.number());
        long sum = 0;
        for (String test : chosen) {
            boolean ofEngine = ENGINE.equals(testRooms.get(Coverage.className(test)));
            long limit = patience * (5 * coverage.millis(test) + (ofEngine ? 20_000 : 3_000));
            question.append('\t').append(limit).append(' ').append(test);
            sum += limit;
        }
        String answer = worker.ask(question.toString(), sum);
        return answer == null ? Worker.LATE : answer;
    }

    /// What is known of it and still true: who kills a mistake once does so again, while one that survives is tried again
    /// when any test is another.
    private Result result(Subject.Mutant mutant) {
        Result result = known.get(key(mutant));
        return result != null && result.tests().equals(tests(result.verdict())) ? result : null;
    }

    private static String key(Subject.Mutant mutant) {
        return mutant.subject().hash() + "\t" + mutant.name();
    }

    private String tests(String verdict) {
        return testHashes.getOrDefault(verdict.replaceFirst("^killed by ", ""), allTests);
    }

    private void report(List<Subject.Mutant> mutants) {
        var counts = new TreeMap<String, Integer>();
        int late = 0;
        for (Subject.Mutant mutant : mutants) {
            Result result = counts.containsKey("left") ? null : result(mutant);
            String verdict = result == null ? "left" : result.verdict();
            counts.merge(verdict.replaceAll(" .*", ""), 1, Integer::sum);
            late += BY_TIME.equals(verdict) ? 1 : 0;
            if (result != null && !verdict.startsWith("killed")) {
                System.out.println("line " + mutant.line() + " " + verdict + "\t" + mutant.name());
            }
        }
        System.out.printf("total\t%d\t%d\t%d\t%d%n", counts.getOrDefault("killed", 0), late,
                counts.getOrDefault("survived", 0) + counts.getOrDefault("uncovered", 0), counts.getOrDefault("left", 0));
    }
}
