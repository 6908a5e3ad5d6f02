import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Lines and methods of classes by test, as a run without mistakes shows them. Kept in a file for each test class.
final class Coverage {
    private static final long MOST_CLASS_MILLIS = 240_000;
    private static final int NAMED_IN_A_TURN = 4;
    private static final Pattern CLASS = Pattern.compile("\\[class:(?:\\w+\\.)*([\\w$]+)]");

    private final long mostMillis;
    private final Map<String, Set<String>> tests = new HashMap<>();
    private final Map<String, Long> millis = new HashMap<>();
    /// Lately, of the tests of a subject, the one that saw the mistake.
    private final Map<String, String> killers = new HashMap<>();
    private final Map<String, Map<String, Double>> weights = new HashMap<>();

    private Coverage(long mostMillis) {
        this.mostMillis = mostMillis;
    }

    /// @param mostMillis so long tests of a mistake may take, if it is not one test alone
    /// @param directory where it is kept: another for other tags
    /// @param tried which test classes are looked at, by their simple names
    static Coverage of(WorkerProcess worker, Path directory, long mostMillis, Predicate<String> tried) throws Exception {
        var coverage = new Coverage(mostMillis);
        Files.createDirectories(directory);
        for (String test : worker.ask("tests", 60_000).split(" ")) {
            if (!tried.test(test.replaceAll("=.*|\\w+\\.", ""))) {
                continue;
            }
            Path file = directory.resolve(test.replaceAll(".*\\.", "").replace('=', '-'));
            if (!Files.exists(file)) {
                Path partial = directory.resolve("partial");
                Files.deleteIfExists(partial);
                String answer = worker.ask("cover\t" + test.replaceAll("=.*", "") + "\t" + partial, MOST_CLASS_MILLIS);
                System.err.println(LocalTime.now().withNano(0) + " " + test + ": " + (answer == null ? "does not end" : answer));
                if (answer == null || !Files.exists(partial)) {
                    Files.writeString(file, "");
                } else {
                    Files.move(partial, file);
                }
            }
            coverage.read(file);
        }
        return coverage;
    }

    private void read(Path file) throws IOException {
        for (String line : Files.readAllLines(file)) {
            String[] parts = line.split("\t");
            millis.put(parts[0], Long.parseLong(parts[1]));
            for (String covered : parts.length > 2 ? parts[2].split(" ") : new String[0]) {
                tests.computeIfAbsent(covered, _ -> new HashSet<>()).add(parts[0]);
            }
        }
    }

    /// First the one that saw the last mistake in this class, and the class's own tests. Then one of each test class in turn, those
    /// before and several that are named for it: of a test class first the test that reaches most of the class that others do not. For a bounded time.
    List<String> tests(Subject.Mutant mutant, List<String> named, Predicate<String> tried) {
        Subject subject = mutant.subject();
        Set<String> reaching = tests.getOrDefault(
                subject.place(mutant.line()), tests.getOrDefault(subject.place(mutant.method()), Set.of()));
        Map<String, Double> weights = weights(subject);
        Comparator<String> order = Comparator.<String>comparingInt(test -> rank(test, subject, named))
                .thenComparing(Comparator.<String>comparingDouble(test -> weights.getOrDefault(test, 0.0) / (100 + millis(test))).reversed());
        var turns = new HashMap<String, Integer>();
        var turn = new HashMap<String, Integer>();
        List<String> sorted = reaching.stream().filter(test -> tried.test(className(test))).sorted(order).toList();
        for (String test : sorted) {
            int rank = rank(test, subject, named);
            int before = turns.merge(className(test), 1, Integer::sum) - 1;
            turn.put(test, rank < 0 ? -1 : rank < named.size() ? before / NAMED_IN_A_TURN : before);
        }
        var chosen = new ArrayList<String>();
        long sum = 0;
        for (String test : sorted.stream().sorted(Comparator.comparing(turn::get)).toList()) {
            if (sum + millis.get(test) <= mostMillis || chosen.isEmpty()) {
                sum += millis.get(test);
                chosen.add(test);
            }
        }
        return chosen;
    }

    /// What each test reaches of a class: a line counts the less the more tests come to it.
    private Map<String, Double> weights(Subject subject) {
        return weights.computeIfAbsent(subject.name(), _ -> {
            var found = new HashMap<String, Double>();
            String prefix = subject.name() + ":";
            tests.forEach((place, reaching) -> {
                if (place.startsWith(prefix)) {
                    reaching.forEach(test -> found.merge(test, 1.0 / reaching.size(), Double::sum));
                }
            });
            return found;
        });
    }

    private int rank(String test, Subject subject, List<String> named) {
        String testClass = className(test);
        if (test.equals(killers.get(subject.name()))) {
            return -2;
        }
        int place = named.indexOf(testClass);
        return testClass.matches(Pattern.quote(subject.name()) + "Tests?") ? -1 : place < 0 ? named.size() : place;
    }

    void killed(Subject subject, String test) {
        killers.put(subject.name(), test);
    }

    long millis(String test) {
        return millis.get(test);
    }

    /// The simple name of the class in a test's unique id.
    static String className(String test) {
        var matcher = CLASS.matcher(test);
        return matcher.find() ? matcher.group(1) : "";
    }
}
