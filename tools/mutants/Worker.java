import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.classfile.ClassFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.platform.engine.CancellationToken;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherExecutionRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs tests, against classes with a mistake or such as tell their lines. Answers a line for each line that it reads.
final class Worker {
    /// At the end of an answer: something goes on in this process, which the next mistake must not be blamed for.
    static final String DIRTY = "\tdirty";
    /// An answer: a test did not end.
    static final String LATE = "late";

    /// Loaders of so many are held by what loads once.
    private static final int MOST_MUTANTS = 200;
    private static final Pattern TEST = Pattern.compile("^[A-Z]\\w*Tests?\\.class$");

    private final Path scratch;
    private final House house;
    private final String[] excludedTags;
    private final Pattern excludedTests;
    private final Map<String, Subject> subjects;
    private final Map<String, List<Change>> changes = new HashMap<>();
    private final Launcher launcher = LauncherFactory.create();
    private final PrintStream answers = System.out;
    private int tried;
    /// Of the test that runs, by nanoTime; 0 if none does.
    private volatile long deadline;

    /// arguments: CLONE SCRATCH ROOM TAG,... PATTERN SUBJECT,...
    public static void main(String[] arguments) throws Exception {
        new Worker(arguments).serve();
    }

    private Worker(String[] arguments) throws IOException {
        scratch = Path.of(arguments[1]);
        house = House.of(Path.of(arguments[0]), arguments[2]);
        excludedTags = arguments[3].split(",");
        excludedTests = Pattern.compile(arguments[4]);
        subjects = new LinkedHashMap<>(Subject.in(house.root(), house.rooms()));
        subjects.keySet().retainAll(Set.of(arguments[5].split(",")));
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    }

    private void serve() throws Exception {
        var reader = new BufferedReader(new InputStreamReader(System.in));
        System.setIn(InputStream.nullInputStream());
        Thread.ofPlatform().daemon().start(this::watch);
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            String[] words = line.split("\t");
            String answer;
            try {
                answer = switch (words[0]) {
                    case "tests" -> String.join(" ", testClasses());
                    case "cover" -> cover(words[1], Path.of(words[2]));
                    default -> attempt(words[1], Integer.parseInt(words[2]), List.of(words).subList(3, words.length));
                };
            } catch (Throwable e) {
                e.printStackTrace();
                answer = "failed: " + e;
            }
            boolean dirty = ++tried > MOST_MUTANTS || !words[0].equals("tests") && isDirty();
            answers.println(answer.replaceAll("[\t\n]", " ") + (dirty ? DIRTY : ""));
        }
        System.exit(0);
    }

    /// Nothing ends a thread that runs in circles but the end of its process.
    private void watch() {
        while (true) {
            long end = deadline;
            if (end != 0 && System.nanoTime() - end > 0) {
                answers.println(LATE + DIRTY);
                Runtime.getRuntime().halt(1);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
    }

    /// Names, each with a hash of its methods': what their lines are changes little of what they come to.
    private List<String> testClasses() throws IOException {
        var classes = new ArrayList<String>();
        var rooms = new TreeSet<String>(List.of(house.top()));
        subjects.values().forEach(subject -> rooms.add(subject.room()));
        for (String room : rooms) {
            for (Path file : Subject.classFiles(house.root().resolve(room + "/target/test-classes"))) {
                String name = file.getFileName().toString();
                if (TEST.matcher(name).matches() && !excludedTests.matcher(name).find()) {
                    classes.add(Rooms.name(file) + "=" + Subject.hash(methods(file)));
                }
            }
        }
        return classes;
    }

    private static String methods(Path file) throws IOException {
        return ClassFile.of().parse(file).methods().stream()
                .map(method -> method.methodName().stringValue())
                .filter(name -> !name.startsWith("lambda$"))
                .sorted()
                .toList()
                .toString();
    }

    /// Runs a test class without mistakes and notes which lines each test comes to.
    private String cover(String testClass, Path to) throws Exception {
        var loader = new Rooms(house, subjects.values());
        for (Subject subject : subjects.values()) {
            for (Path file : subject.files()) {
                loader.replace(file, Lines.observed(subject, file));
            }
        }
        for (String room : house.rooms()) {
            Path file = house.root().resolve(room + "/target/test-classes").resolve(testClass.replace('.', '/') + ".class");
            if (Files.exists(file)) {
                loader.replace(file, Lines.bounded(file));
            }
        }
        var listener = new CoverageListener();
        run(loader, List.of(DiscoverySelectors.selectClass(loader.loadClass(testClass))), listener, CancellationToken.disabled());
        Files.writeString(to, listener.report(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return listener.tests.size() + " tests pass, " + listener.failed + " do not";
    }

    private static final class CoverageListener implements TestExecutionListener {
        private final Map<String, Set<String>> tests = new LinkedHashMap<>();
        private final Map<String, Long> millis = new HashMap<>();
        /// What was done before the first test of the class and between them.
        private final Set<String> shared = new HashSet<>();
        private int failed;
        private long began;

        CoverageListener() {
            Lines.forgetInitial();
            Lines.forget();
        }

        @Override
        public void executionStarted(TestIdentifier test) {
            if (test.isTest()) {
                shared.addAll(Lines.names());
                began = System.nanoTime();
                Lines.forget();
            }
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
                failed++;
                result.getThrowable().ifPresent(Throwable::printStackTrace);
            } else if (test.isTest()) {
                tests.put(test.getUniqueId(), Lines.names());
                millis.put(test.getUniqueId(), 1 + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
                Lines.forget();
            }
        }

        String report() {
            shared.addAll(Lines.initialNames());
            var report = new StringBuilder();
            tests.forEach((test, lines) -> {
                lines.addAll(shared);
                report.append(test).append('\t').append(millis.get(test)).append('\t').append(String.join(" ", lines)).append('\n');
            });
            return report.toString();
        }
    }

    /// @param tests unique ids, each behind the milliseconds that it may take and a blank
    private String attempt(String name, int number, List<String> tests) throws Exception {
        Subject subject = subjects.get(name);
        List<Change> all = changes.get(name);
        if (all == null) {
            all = Changes.of(subject);
            changes.put(name, all);
        }
        Change change = all.get(number);
        var loader = new Rooms(house, List.of(subject));
        byte[] changed = Mistake.make(change, loader);
        loader.replace(change.file(), changed);
        // Test programs of their own have the mistake too.
        Path overlay = scratch.resolve("overlay");
        removeTree(overlay);
        Path copy = overlay.resolve(Rooms.entry(change.file()));
        Files.createDirectories(copy.getParent());
        Files.write(copy, changed);
        String classPath = System.getProperty("java.class.path");
        System.setProperty("java.class.path", overlay + File.pathSeparator + classPath);
        try {
            for (Map<String, Long> ofClass : inClasses(tests)) {
                String killer = firstFailure(loader, ofClass);
                if (killer != null) {
                    return "killed by " + Coverage.className(killer) + " " + killer;
                }
            }
        } catch (OutOfMemoryError e) { // which JUnit passes on
            tried = MOST_MUTANTS;
            return "killed by its memory";
        } finally {
            System.setProperty("java.class.path", classPath);
        }
        return "survived";
    }

    /// The test that fails, or null.
    private String firstFailure(Rooms loader, Map<String, Long> tests) {
        var failure = new ArrayList<String>();
        CancellationToken token = CancellationToken.create();
        run(loader, tests.keySet().stream().<DiscoverySelector>map(DiscoverySelectors::selectUniqueId).toList(), new TestExecutionListener() {
            @Override
            public void executionStarted(TestIdentifier test) {
                long millis = tests.getOrDefault(test.getUniqueId(), Collections.max(tests.values()));
                deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
            }

            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                deadline = 0;
                if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                    failure.add(test.getUniqueId());
                    token.cancel();
                }
            }
        }, token);
        return failure.isEmpty() ? null : failure.getFirst();
    }

    /// In their order, those of a class together.
    private static List<Map<String, Long>> inClasses(List<String> tests) {
        var classes = new LinkedHashMap<String, Map<String, Long>>();
        for (String each : tests) {
            String[] words = each.split(" ", 2);
            classes.computeIfAbsent(Coverage.className(words[1]), _ -> new LinkedHashMap<>()).put(words[1], Long.valueOf(words[0]));
        }
        return List.copyOf(classes.values());
    }

    private void run(ClassLoader loader, List<? extends DiscoverySelector> what, TestExecutionListener listener, CancellationToken token) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            var request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(what)
                    .filters(TagFilter.excludeTags(excludedTags))
                    .build();
            launcher.execute(LauncherExecutionRequestBuilder.request(request)
                    .listeners(listener)
                    .cancellationToken(token)
                    .build());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /// Whether something of an engine goes on.
    private static boolean isDirty() throws InterruptedException {
        for (int i = 0; i < 20; i++) {
            boolean reactor = Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().equals("caisson-reactor"));
            if (!reactor && ProcessHandle.current().children().findAny().isEmpty()) {
                return false;
            }
            Thread.sleep(25);
        }
        return true;
    }

    private static void removeTree(Path top) throws IOException {
        if (Files.exists(top)) {
            try (Stream<Path> all = Files.walk(top)) {
                all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
            }
        }
    }
}
