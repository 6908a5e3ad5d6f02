package dev.caisson.selftest;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/// Runs the attacks in containers of a dockerd with its default settings, for comparison: of our own and for this
/// only. Groups around its containers bound each attack as those of [DosSuite] do, because it may have no limit itself.
public final class DockerSuite implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Bytes MOST_OUTPUT = Bytes.mebibytes(256);
    private static final int OUT_OF_MEMORY = 137;
    private static final String NO_LIMIT = "no limit: stopped by the test's own ceiling, ";
    private static final String TIME = "no limit: stopped by the test's end";
    private static final String DISK = "disk of 1 GiB";
    /// Loops of which each runs in the same seconds, whenever its container was started: prints the processor time that
    /// they got.
    private static final String LOOPS = """
            for (1 .. LOOPS) { next if fork; sleep 1 while time < BEGIN; 1 while time < BEGIN + 4; exit }
            1 while wait > 0; print((times)[2]);
            """;
    private static final int SECONDS_TO_START = 4;

    private final Path directory;
    private final String parent =
            "caisson-selftest-docker-" + ProcessHandle.current().pid();
    private final Hierarchy hierarchy = Hierarchy.detect();
    private final DockerDaemon daemon;
    private int runs;

    /// @param data a directory on a disk, in which it makes one of its own
    public DockerSuite(Path data) throws IOException, InterruptedException {
        directory = data.resolve("selftest-docker-" + ProcessHandle.current().pid());
        try {
            Cgroup own = hierarchy.createParent(parent + "/daemon", DosSuite.CEILING);
            daemon = DockerDaemon.start(directory, own);
        } catch (IOException | InterruptedException | RuntimeException e) {
            try (Hierarchy _ = hierarchy) {
                removeGroups();
            }
            throw e;
        }
    }

    /// True if an attack means something in a container of another engine: one on our own engine does not, and one on
    /// files that the test itself mounts read-only neither.
    public static boolean isComparable(Attack attack) {
        return !(attack.expected() instanceof Attack.Expected.Answered)
                && !attack.isOnNetwork()
                && !attack.script().equals(Scripts.HOST_FILES)
                && !Attacks.OURS_ALONE.contains(attack.name());
    }

    /// Runs one attack to its end.
    public Comparison run(Attack attack) throws IOException, InterruptedException {
        runs++;
        Cgroup attacker = hierarchy.createParent(parent + "/attacker-" + runs, DosSuite.CEILING);
        hierarchy.createParent(parent + "/neighbour", DosSuite.CEILING);
        try {
            return attack.expected() instanceof Attack.Expected.Shared
                    ? share(attack, attacker)
                    : attack(attack, attacker);
        } finally {
            hierarchy.removeStale(parent, attacker.path().substring(parent.length() + 1)::equals);
        }
    }

    private Comparison attack(Attack attack, Cgroup group) throws IOException, InterruptedException {
        String name = "attacker-" + runs;
        var output = new Output(perl(name, group, Scripts.attacker(attack.script())));
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        String neighbour = "";
        Duration worst = Duration.ZERO;
        while (output.isRunning() && System.nanoTime() < deadline && output.bytes() < MOST_OUTPUT.count()) {
            long before = System.nanoTime();
            String said = neighbour();
            Duration took = Duration.ofNanos(System.nanoTime() - before);
            neighbour = neighbour.isEmpty() || neighbour.equals("ok") ? said : neighbour;
            worst = took.compareTo(worst) > 0 ? took : worst;
        }
        boolean late = output.isRunning();
        if (late) {
            kill(name);
        }
        int status = output.await();
        Usage usage = group.usage();
        return new Comparison(
                stoppedBy(attack, output, status, late, usage),
                seen(attack, output, status, late),
                usage.memory().flatMap(Usage.Memory::peak).orElse(Bytes.ZERO),
                neighbour,
                worst);
    }

    private static String stoppedBy(Attack attack, Output output, int status, boolean late, Usage usage) {
        boolean noSpace = output.text().endsWith(Attacks.NO_SPACE);
        if (noSpace && attack.limit().endsWith("of the writable layer")) {
            return NO_LIMIT + DISK;
        }
        if (attack.limit().equals(Attacks.PENDING_SIGNALS)) {
            return NO_LIMIT + "half of what root of the host may have";
        }
        if (usage.pids()
                .filter(pids -> pids.refused() > 0 || pids.peak().orElse(0L) >= pids.limit())
                .isPresent()) {
            return NO_LIMIT + DosSuite.CEILING.pids() + " processes";
        }
        if (usage.memory().filter(DockerSuite::isFull).isPresent()
                && (status == OUT_OF_MEMORY || attack.expected() instanceof Attack.Expected.Bounded)) {
            return NO_LIMIT + DosSuite.CEILING.memory();
        }
        if (late) {
            return output.bytes() >= MOST_OUTPUT.count() ? NO_LIMIT + MOST_OUTPUT : TIME;
        }
        return attack.expected() instanceof Attack.Expected.Bounded
                ? "no limit: it came to its own end"
                : "a limit or a refusal";
    }

    private static boolean isFull(Usage.Memory memory) {
        return memory.oomKills() > 0
                || memory.limitHits() > 0
                || memory.peak().orElse(Bytes.ZERO).count() >= memory.limit().count() / 100 * 99;
    }

    private static String seen(Attack attack, Output output, int status, boolean late) {
        boolean silent = output.text().isEmpty();
        if (late && (silent || output.bytes() >= MOST_OUTPUT.count())) {
            return (output.bytes() >> 20) + " MiB of output";
        }
        if (status != 0 && !late) {
            return "ended: status " + status;
        }
        return attack.expected() instanceof Attack.Expected.Refused
                ? output.text().replaceFirst(" ", ", then: ")
                : output.text();
    }

    private String neighbour() throws IOException, InterruptedException {
        var output = new Output(perl("neighbour", "/neighbour", List.of(), Scripts.numbered(Scripts.NEIGHBOUR)));
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (output.isRunning() && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        if (output.isRunning()) {
            kill("neighbour");
            output.await();
            return "did not get on";
        }
        output.await();
        if (output.text().startsWith("docker: ")) {
            return "could not be started";
        }
        return output.text().replaceFirst(" at -e line [\\s\\S]*", "");
    }

    /// Eight busy loops beside one, on one processor.
    private Comparison share(Attack attack, Cgroup group) throws IOException, InterruptedException {
        String name = "attacker-" + runs;
        List<String> pinned = List.of("--cpuset-cpus", "0");
        String place = group.path().substring(parent.length());
        String begin = Long.toString(Instant.now().getEpochSecond() + SECONDS_TO_START);
        String loops = LOOPS.replace("BEGIN", begin);
        var hog = new Output(perl(name, place, pinned, loops.replace("LOOPS", "8")));
        var victim = new Output(perl("neighbour", place, pinned, loops.replace("LOOPS", "1")));
        int status = victim.await();
        boolean both = hog.await() == 0 && status == 0;
        double mine = both ? Double.parseDouble(victim.text()) : 0;
        double theirs = both ? Double.parseDouble(hog.text()) : 1;
        return new Comparison(
                attack.limit(),
                both
                        ? String.format(
                                Locale.ROOT,
                                "8 loops against 1: the one got %.0f %%",
                                100 * mine / Math.max(0.01, mine + theirs))
                        : "one of the two ended early",
                group.usage().memory().flatMap(Usage.Memory::peak).orElse(Bytes.ZERO),
                "",
                Duration.ZERO);
    }

    private Process perl(String name, Cgroup group, String script) throws IOException {
        return perl(name, group.path().substring(parent.length()), List.of(), script);
    }

    private Process perl(String name, String place, List<String> options, String script) throws IOException {
        Process process = new ProcessBuilder(daemon.run(name, parent + place, options, DosSuite.PERL, "-e", script))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return process;
    }

    private void kill(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder(daemon.docker("kill", name))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!kill.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            kill.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        try (hierarchy) {
            try (daemon) {
                // its containers end with it
            } finally {
                removeGroups();
            }
        }
    }

    private void removeGroups() throws IOException {
        hierarchy.removeStale(parent, _ -> true);
        hierarchy.removeParent(parent);
        // The OCI runtime makes groups in trees that have no controller too.
        try (Stream<Path> trees = Files.list(Path.of("/sys/fs/cgroup"))) {
            for (Path tree : trees.toList()) {
                removeEmpty(tree.resolve(parent));
            }
        }
    }

    private static void removeEmpty(Path group) throws IOException {
        if (!Files.isDirectory(group)) {
            return;
        }
        try (Stream<Path> below = Files.walk(group)) {
            for (Path directory : below.filter(Files::isDirectory)
                    .sorted(Comparator.reverseOrder())
                    .toList()) {
                Files.delete(directory);
            }
        }
    }

    /// The output of a client of dockerd: the last of it as text, the rest counted.
    private static final class Output {
        private static final int KEPT = 64 << 10;

        private final Process process;
        private final Thread reader;
        private final AtomicLong bytes = new AtomicLong();
        private volatile String end = "";

        private Output(Process process) {
            this.process = process;
            this.reader = Thread.ofPlatform().daemon().start(this::read);
        }

        private void read() {
            byte[] buffer = new byte[KEPT];
            try (InputStream in = process.getInputStream()) {
                for (int count; (count = in.read(buffer)) > 0; ) {
                    String text = end + new String(buffer, 0, count, StandardCharsets.ISO_8859_1);
                    end = text.substring(Math.max(0, text.length() - KEPT));
                    bytes.addAndGet(count);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        boolean isRunning() {
            return process.isAlive();
        }

        long bytes() {
            return bytes.get();
        }

        int await() throws InterruptedException {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            reader.join();
            return process.exitValue();
        }

        /// The last line.
        String text() {
            String stripped = end.strip();
            return stripped.substring(stripped.lastIndexOf('\n') + 1);
        }
    }
}
