import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Shows which tests of test_init and test_monitor reach a line, as a run without mistakes has shown it.
///
/// A mistake is tried with all tests that enter its function: no test can see a function that it does not call, but for
/// what an earlier test left behind. What runs before the first test, such as the start of the zygote, is part of all of
/// them; and so is a line outside of functions. First come those that reach the line itself, and of these the quickest.
final class Reach {
    /// One test; `where` holds each function as `file function`, and each line at which a basic block begins as `file:line`.
    record Test(String program, String name, long millis, Set<String> where) {}

    private static final long MOST_MILLIS_AT_ONCE = 6_000;
    private static final Pattern PLACE = Pattern.compile("(?:.*/)?([^/]+\\.[ch]):(\\d+).*");
    private static final Pattern FUNCTION = Pattern.compile("^[a-z_].*?\\b(\\w+)\\(.*");

    private final List<Test> tests = new ArrayList<>();
    /// Lines by file at which a basic block begins, of those that any test reaches.
    private final Map<String, TreeSet<Integer>> starts = new HashMap<>();
    private final Map<String, Set<String>> always = new HashMap<>();

    /// @param blocks lines of a test's name, its milliseconds and its addresses, as `take_coverage` in native/test/check.c writes them
    /// @param places what addr2line prints for each address
    void add(String program, List<String> blocks, Map<String, List<String>> places) {
        for (String line : blocks) {
            String[] fields = line.split("\t", -1);
            var where = new HashSet<String>();
            for (String address : fields[2].split(" ")) {
                List<String> place = places.getOrDefault(address, List.of());
                Matcher at = PLACE.matcher(place.isEmpty() ? "" : place.get(1));
                if (at.matches()) {
                    where.add(at.group(1) + " " + place.get(0));
                    where.add(at.group(1) + ":" + at.group(2));
                    starts.computeIfAbsent(at.group(1), file -> new TreeSet<>()).add(Integer.parseInt(at.group(2)));
                }
            }
            if (fields[0].isEmpty()) {
                always.put(program, where);
            } else {
                tests.add(new Test(program, fields[0], Long.parseLong(fields[1]), where));
            }
        }
    }

    long millis() {
        return tests.stream().mapToLong(Test::millis).sum();
    }

    /// The tests that may see a mistake, in groups that are run one after the other, each of one program.
    List<List<Test>> groups(Mutant mutant, List<String> lines) {
        String function = functionAt(lines, mutant.line());
        String entered = mutant.file() + " " + function;
        var known = starts.getOrDefault(mutant.file(), new TreeSet<>());
        Integer start = known.floor(mutant.line() + 1);
        String reached = mutant.file() + ":" + start;
        var all = new ArrayList<>(tests.stream().filter(test -> function == null || has(test, entered)).toList());
        Predicate<Test> near = test -> start != null && has(test, reached);
        all.sort(Comparator.comparing((Test test) -> !near.test(test)).thenComparing(Test::millis));
        var groups = new ArrayList<List<Test>>();
        long millis = 0;
        for (int from = 0, to = 0; to < all.size(); from = to) {
            for (millis = 0; to < all.size() && (to == from || millis < MOST_MILLIS_AT_ONCE) && near.test(all.get(to)) == near.test(all.get(from)); to++) {
                millis += all.get(to).millis();
            }
            for (String program : List.of("test_init", "test_monitor")) {
                List<Test> group = all.subList(from, to).stream().filter(test -> test.program().equals(program)).toList();
                if (!group.isEmpty()) {
                    groups.add(group);
                }
            }
        }
        return groups;
    }

    private boolean has(Test test, String place) {
        return test.where().contains(place) || always.getOrDefault(test.program(), Set.of()).contains(place);
    }

    /// The function that has this line, or null outside of all: its name stands in the last line above that is not indented.
    private static String functionAt(List<String> lines, int line) {
        for (int i = line; i >= 0; i--) {
            String text = lines.get(i);
            if (!text.isEmpty() && !Character.isWhitespace(text.charAt(0)) && !text.startsWith("{")) {
                Matcher function = FUNCTION.matcher(text);
                return function.matches() && !text.contains("=") && !text.endsWith(";") ? function.group(1) : null;
            }
        }
        return null;
    }

    /// What addr2line prints for the addresses of these lines, by address: a function, and a file with a line.
    static Map<String, List<String>> places(Path program, List<String> blocks) throws IOException, InterruptedException {
        var addresses = new TreeSet<String>();
        for (String line : blocks) {
            addresses.addAll(List.of(line.split("\t", -1)[2].split(" ")));
        }
        addresses.remove("");
        Path in = Files.createTempFile("addresses", ""), out = Files.createTempFile("places", "");
        try {
            Files.write(in, addresses);
            int status = new ProcessBuilder("addr2line", "-f", "-e", program.toString())
                    .redirectInput(in.toFile()).redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start().waitFor();
            List<String> lines = Files.readAllLines(out);
            if (status != 0 || lines.size() != 2 * addresses.size()) {
                throw new IllegalStateException("addr2line ended with " + status + " after " + lines.size() + " lines");
            }
            var places = new HashMap<String, List<String>>();
            int i = 0;
            for (String address : addresses) {
                places.put(address, List.of(lines.get(2 * i), lines.get(2 * i + 1)));
                i++;
            }
            return places;
        } finally {
            Files.delete(in);
            Files.delete(out);
        }
    }
}
