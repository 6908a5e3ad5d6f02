import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Puts one small mistake at a time into a scratch copy of the native program, builds it, and runs its tests as root.
///
/// usage: java NativeMutants.java NATIVE SCRATCH SECONDS SEED [FILE.c...]
///
/// The tests are all that native/check runs: the programs that are made of the changed file, the tests of test_init and
/// test_monitor that may come to the changed line ([Reach]), and last the fuzz targets that have the file. The first that
/// fails ends it.
///
/// Prints the mistakes that no test sees, and last how many were seen, how many of these by their time, were not seen, and were
/// not tried. They are tried in an order that SEED fixes, and what is printed ends at the first that was not tried, so
/// that a part is a random sample of all. Four are tried at once, as the tests wait more than they compute. Results are
/// kept in SCRATCH/results.tsv, by the content of file, line and tests: what did not change is not tried again. It is
/// started in the clone.
final class NativeMutants {
    private static final int WORKERS = 4;
    static final String KILLED = "killed";
    /// Its tests did not end in time, twice.
    static final String ENDLESS = "endless";
    static final String SURVIVED = "survived";
    /// It does not compile, or to the same code.
    static final String NO_MISTAKE = "no mistake";
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
        for (Path file : Copy.files(source, ".c")) {
            contents.put(file.getFileName().toString(), Files.readString(file));
        }
        String tests = Integer.toHexString(String.join("", contents(source.resolve("test"), ".c")).hashCode());
        Map<String, String> known = known();
        List<Mutant> mutants = new ArrayList<>();
        for (String file : contents.keySet().stream().sorted().toList()) {
            if (wanted.isEmpty() || wanted.contains(file)) {
                mutants.addAll(Mutations.of(file, contents.get(file).lines().toList()));
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

    private void judge(Queue<Mutant> queue, String tests, Map<String, String> known) throws Exception {
        var first = new Copy(scratch.resolve("copy0"));
        first.build(source);
        first.learn(scratch.toAbsolutePath().resolve("reach-" + fingerprint()));
        var copies = new ArrayList<>(List.of(first));
        for (int i = 1; i < WORKERS; i++) {
            copies.add(new Copy(scratch.resolve("copy" + i), first));
        }
        try (var workers = Executors.newFixedThreadPool(WORKERS)) {
            var done = new ArrayList<Future<?>>();
            for (Copy copy : copies) {
                done.add(workers.submit(() -> {
                    for (Mutant next; System.nanoTime() < deadline && (next = queue.poll()) != null; ) {
                        String verdict = copy.judge(next, contents.get(next.file()));
                        note(known, key(next, tests), verdict);
                        System.err.printf("%tT %s\t%s, line %d%n", System.currentTimeMillis(), verdict, next.name(), next.line() + 1);
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

    private String fingerprint() throws IOException {
        var all = new ArrayList<String>();
        for (Path directory : List.of(source, source.resolve("test"))) {
            all.addAll(contents(directory, ".c"));
            all.addAll(contents(directory, ".h"));
        }
        return Integer.toHexString(all.hashCode());
    }

    private static List<String> contents(Path directory, String suffix) throws IOException {
        var contents = new ArrayList<String>();
        for (Path file : Copy.files(directory, suffix)) {
            contents.add(Files.readString(file));
        }
        return contents;
    }
}
