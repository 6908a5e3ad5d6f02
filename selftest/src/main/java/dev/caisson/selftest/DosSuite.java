package dev.caisson.selftest;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Streams;
import dev.caisson.engine.Survey;
import dev.caisson.engine.Verdict;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.Usage;
import dev.caisson.spec.WritableLayer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Runs attacks, each in a container with the default limits, inside an outer group that bounds all of them
/// should a limit fail. While an attack holds what it got, a second container and a user of the host do
/// their work.
public final class DosSuite implements AutoCloseable {
    static final String PERL = "/usr/bin/perl";
    /// Bounds all attackers together should a limit fail.
    static final Limits CEILING = Limits.unlimited()
            .memory(Bytes.mebibytes(1536))
            .memorySwap(Bytes.mebibytes(1536))
            .pids(2000)
            .cpus("1.5");
    private static final Bytes DISK_SIZE = Bytes.mebibytes(256);
    private static final Duration PATIENCE = Duration.ofSeconds(45);
    private static final Duration NEIGHBOUR_PATIENCE = Duration.ofSeconds(15);

    /// The most answers that a container gets, as the guide to filters says.
    private static final int ANSWERS = 64;

    private static final Duration ANSWER_WINDOW = Duration.ofMillis(50);

    private static final Duration SHARED_TIME = Duration.ofSeconds(3);
    private static final double LEAST_SHARE = 0.40;
    private static final String NOBODY = "$( = 65534; $) = \"65534 65534\"; $< = 65534; $> = 65534;\n";
    private static final String ONE_PROCESSOR = "0";

    private final EngineOptions options;
    private final Engine engine;
    private final Placement outer;

    /// @throws dev.caisson.engine.EngineException where no engine can be run
    public DosSuite(EngineOptions options) {
        this.options = options;
        this.engine = Engine.open(options);
        this.outer = new Placement.Tenant("selftest", Optional.of(CEILING));
    }

    /// True if this host has what attackers are written in.
    public static boolean isPossible() {
        return Files.isExecutable(Path.of(PERL));
    }

    private ContainerSpec perl(String script) {
        return ContainerSpec.of(Image.host(), PERL, "-e", script).placement(outer);
    }

    /// In memory as by default, or on disk where an attack is on that.
    private ContainerSpec perl(String script, WritableLayer.Place place) {
        ContainerSpec spec = perl(script);
        return place == WritableLayer.Place.DISK
                ? spec.writableLayer(WritableLayer.STANDARD.size(DISK_SIZE).place(place))
                : spec;
    }

    /// Returns what this host lacks for an attack: a writable layer on disk, or networks.
    public Optional<String> missing(Attack attack) {
        boolean disk = attack.place() != WritableLayer.Place.DISK
                || engine.host().layerMedia().size() > 1; // memory is one of them
        if (!disk) {
            return Optional.of("nothing here bounds a writable layer on disk");
        }
        return attack.isOnNetwork() && !Ground.isPossible(options)
                ? Optional.of("this host gives containers no networks")
                : Optional.empty();
    }

    /// Runs one attack to its end.
    public Outcome run(Attack attack) throws IOException, InterruptedException {
        return switch (attack.expected()) {
            case Attack.Expected.Shared _ -> share(attack);
            case Attack.Expected.Answered answered -> answer(attack, answered);
            case Attack.Expected.Questioned questioned -> {
                try (Ground ground = ground()) {
                    yield question(attack, questioned, ground);
                }
            }
            case Attack.Expected.Crowded _ -> {
                try (Ground ground = ground()) {
                    yield attack(attack, Optional.of(ground));
                }
            }
            case Attack.Expected.Refused _, Attack.Expected.Ended _, Attack.Expected.Bounded _ ->
                attack(attack, Optional.empty());
        };
    }

    private Ground ground() throws InterruptedException {
        return Ground.open(options, engine, perl(NetworkScripts.SERVER));
    }

    private Outcome attack(Attack attack, Optional<Ground> ground) throws IOException, InterruptedException {
        var failures = new ArrayList<String>();
        Optional<Gauge> gauge =
                attack.expected() instanceof Attack.Expected.Crowded crowded ? crowded.gauge() : Optional.empty();
        long before = gauge.map(Gauge::read).orElse(0L);
        long most = 0;
        Container attacker = engine.start(
                on(ground, attack.script(), script -> perl(Scripts.attacker(script), attack.place()))
                        .wallClock(PATIENCE),
                Streams.capture());
        var watch = new Watch(attacker);
        Thread watcher = Thread.ofPlatform().daemon().start(watch);
        Duration worst = Duration.ZERO;
        int neighbours = 0;
        do {
            Duration took = neighbour(attack.place(), ground, failures);
            most = Math.max(most, gauge.map(Gauge::read).orElse(0L) - before);
            worst = took.compareTo(worst) > 0 ? took : worst;
            neighbours++;
            host(failures);
        } while (failures.isEmpty() && watch.isRunning());
        RunResult result = attacker.await();
        watch.end();
        watcher.join();
        watch.failure().ifPresent(failure -> failures.add("its processes could not be counted: " + failure));
        String seen = judge(attack, result, failures);
        if (gauge.isPresent()) {
            seen += ", most " + most + " " + gauge.get().unit();
        }
        if (attack.expected() instanceof Attack.Expected.Crowded crowded && most > crowded.most()) {
            failures.add("the host had " + most + " more "
                    + crowded.gauge().orElseThrow().unit() + " and not " + crowded.most());
        }
        long pids = Math.max(watch.peakPids(), 1);
        if (result.peakMemory().compareTo(Limits.defaults().memory()) > 0) {
            failures.add("it used " + result.peakMemory() + ", more than its memory limit");
        }
        if (pids > Limits.defaults().pids()) {
            failures.add("it had " + pids + " processes, more than its limit");
        }
        gone(attacker, failures);
        return new Outcome(attack, seen, result.peakMemory(), pids, neighbours == 0 ? Duration.ZERO : worst, failures);
    }

    private static String judge(Attack attack, RunResult result, List<String> failures) {
        String said = result.stdout().length() > 200 ? "" : result.stdout().strip();
        return switch (attack.expected()) {
            case Attack.Expected.Refused refused -> {
                int space = said.indexOf(' ');
                boolean counted = space > 0 && said.substring(0, space).matches("\\d{1,9}");
                if (!counted || !refused.errors().contains(said.substring(space + 1))) {
                    failures.add(
                            "it was not stopped as expected: " + result.verdict() + " " + said + " " + result.stderr());
                } else if (Long.parseLong(said.substring(0, space)) > refused.most()) {
                    failures.add("it got more than " + refused.most());
                }
                yield said.replaceFirst(" ", ", then: ");
            }
            case Attack.Expected.Ended ended -> {
                if (result.verdict() != ended.verdict()) {
                    failures.add("it ended as " + result.verdict() + " and not as " + ended.verdict());
                }
                yield "ended: " + result.verdict();
            }
            case Attack.Expected.Bounded bounded -> {
                if (said.matches("\\d{1,9} .*")
                        && Long.parseLong(said.substring(0, said.indexOf(' '))) > bounded.most()) {
                    failures.add("it got more than " + bounded.most() + ": " + said);
                }
                if (result.verdict() != Verdict.OK && result.verdict() != Verdict.OUT_OF_MEMORY) {
                    failures.add("it ended as " + result.verdict() + " " + result.stderr());
                }
                yield said + ", most memory " + result.peakMemory();
            }
            case Attack.Expected.Crowded _ -> {
                if (result.verdict() != Verdict.OK && result.verdict() != Verdict.OUT_OF_MEMORY) {
                    failures.add("it ended as " + result.verdict() + " " + result.stderr());
                }
                yield said;
            }
            case Attack.Expected.Shared _, Attack.Expected.Answered _, Attack.Expected.Questioned _ -> said;
        };
    }

    /// A second container does a little of everything.
    private Duration neighbour(WritableLayer.Place place, Optional<Ground> ground, List<String> failures)
            throws InterruptedException {
        long before = System.nanoTime();
        String asks = ground.isPresent() ? NetworkScripts.NEIGHBOUR : "";
        RunResult result =
                engine.run(on(ground, asks + Scripts.NEIGHBOUR, script -> perl(Scripts.numbered(script), place))
                        .wallClock(NEIGHBOUR_PATIENCE));
        if (!result.stdout().equals("ok\n")) {
            failures.add("a second container could not work: " + result.verdict() + " "
                    + result.stderr().strip());
        }
        return Duration.ofNanos(System.nanoTime() - before);
    }

    private static ContainerSpec on(Optional<Ground> ground, String script, Function<String, ContainerSpec> container) {
        return ground.map(there -> there.on(container.apply(there.addressed(script))))
                .orElseGet(() -> container.apply(script));
    }

    /// And so does a user of the host who has no privileges.
    private static void host(List<String> failures) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(PERL, "-e", NOBODY + Scripts.numbered(Scripts.NEIGHBOUR))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(NEIGHBOUR_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            failures.add("a process of the host did not get on");
            return;
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!said.equals("ok\n")) {
            failures.add("a user of the host could not work: " + said.strip());
        }
    }

    /// Eight busy loops beside one, on one processor, each container with the same weight.
    private Outcome share(Attack attack) throws InterruptedException {
        var failures = new ArrayList<String>();
        Limits limits = Limits.defaults().cpuset(CpuList.parse(ONE_PROCESSOR)).bestEffort(true);
        Container hog = engine.start(perl(Scripts.numbered(attack.script())).limits(limits), Streams.capture());
        Container victim =
                engine.start(perl(Scripts.numbered(Scripts.CPU_NEIGHBOUR)).limits(limits), Streams.capture());
        TimeUnit.MILLISECONDS.sleep(500);
        Duration hogBefore = cpu(hog);
        Duration victimBefore = cpu(victim);
        TimeUnit.MILLISECONDS.sleep(SHARED_TIME.toMillis());
        double mine = cpu(victim).minus(victimBefore).toNanos();
        double theirs = cpu(hog).minus(hogBefore).toNanos();
        double share = mine / Math.max(1, mine + theirs);
        hog.kill();
        victim.kill();
        RunResult result = hog.await();
        victim.await();
        if (!(share >= LEAST_SHARE)) {
            failures.add(String.format(
                    Locale.ROOT, "a neighbour with the same weight got %.0f %% of the processor", 100 * share));
        }
        gone(hog, failures);
        return new Outcome(
                attack,
                String.format(Locale.ROOT, "8 loops against 1: the one got %.0f %%", 100 * share),
                result.peakMemory(),
                8,
                Duration.ZERO,
                failures);
    }

    /// Loops of denied calls of which each asks the engine, whose processor time is looked at meanwhile,
    /// and beside them a neighbour who is denied a few.
    private Outcome answer(Attack attack, Attack.Expected.Answered most) throws InterruptedException {
        var failures = new ArrayList<String>();
        Container flood = engine.start(watched(attack.script()), Streams.capture());
        long floodBegan = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(500);
        Duration before = ownCpu();
        long began = System.nanoTime();
        RunResult neighbour = engine.run(watched(Scripts.DENIED_NEIGHBOUR).wallClock(NEIGHBOUR_PATIENCE));
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        TimeUnit.NANOSECONDS.sleep(SHARED_TIME.toNanos() - (System.nanoTime() - began));
        double share = (double) ownCpu().minus(before).toNanos() / (System.nanoTime() - began);
        flood.kill();
        long windows = (System.nanoTime() - floodBegan) / ANSWER_WINDOW.toNanos() + 2;
        RunResult result = flood.await();
        long denied =
                result.denials().stream().mapToLong(denial -> denial.count()).sum();
        if (denied == 0) {
            failures.add("it was denied nothing: " + result.stderr().strip());
        }
        if (!neighbour.stdout().equals("Operation not permitted\n")
                || neighbour.denials().isEmpty()) {
            failures.add("a neighbour's denied calls were not answered and told: " + neighbour.verdict() + " "
                    + neighbour.stdout().strip());
        }
        // a machine under load hides in the processor's time that nothing bounds the answers
        if (denied > windows * ANSWERS) {
            failures.add("the engine gave " + denied + " answers in " + windows + " times " + ANSWER_WINDOW.toMillis()
                    + " ms, and " + ANSWERS + " are the most in one");
        }
        if (share > most.most()) {
            failures.add(String.format(Locale.ROOT, "the engine spent %.0f %% of a processor on answers", 100 * share));
        }
        gone(flood, failures);
        return new Outcome(
                attack,
                String.format(Locale.ROOT, "%d denied; the engine took %.0f %% of a processor", denied, 100 * share),
                result.peakMemory(),
                9,
                took,
                failures);
    }

    /// Loops of questions for names, and beside them a neighbor who is to be answered. All are answered by this
    /// process.
    private Outcome question(Attack attack, Attack.Expected.Questioned most, Ground ground)
            throws InterruptedException {
        var failures = new ArrayList<String>();
        Duration first = neighbour(attack.place(), Optional.of(ground), failures);
        Container flood = engine.start(
                on(Optional.of(ground), attack.script(), script -> perl(Scripts.numbered(script))), Streams.capture());
        TimeUnit.MILLISECONDS.sleep(500);
        Duration before = ownCpu();
        long began = System.nanoTime();
        TimeUnit.NANOSECONDS.sleep(SHARED_TIME.toNanos());
        double share = (double) ownCpu().minus(before).toNanos() / (System.nanoTime() - began);
        Duration took = neighbour(attack.place(), Optional.of(ground), failures);
        flood.kill();
        RunResult result = flood.await();
        if (!result.stderr().isEmpty()) {
            failures.add("it could not ask: " + result.stderr().strip());
        }
        if (share > most.most()) {
            failures.add(String.format(Locale.ROOT, "the engine spent %.0f %% of a processor on answers", 100 * share));
        }
        gone(flood, failures);
        return new Outcome(
                attack,
                String.format(Locale.ROOT, "the engine took %.0f %% of a processor", 100 * share),
                result.peakMemory(),
                8,
                took.compareTo(first) > 0 ? took : first,
                failures);
    }

    private ContainerSpec watched(String script) {
        return perl(Scripts.numbered(script))
                .seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL));
    }

    private static Duration ownCpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    private static Duration cpu(Container container) {
        return container.usage().group().cpu().total();
    }

    private void gone(Container container, List<String> failures) {
        if (Files.exists(Path.of("/proc/" + container.pid()))) {
            failures.add("its process is still there");
        }
        try {
            container.usage();
            failures.add("its control group is still there");
        } catch (CgroupException e) {
            if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) {
                throw e;
            }
        }
        try (var survey = new Survey(options)) {
            if (survey.read().stream()
                    .anyMatch(sample -> sample.id().equals(container.id().value()))) {
                failures.add("its record is still there");
            }
        }
    }

    @Override
    public void close() {
        engine.close();
    }

    /// Looks at an attacker's processes until it ends.
    private static final class Watch implements Runnable {
        private static final long PAUSE_MILLIS = 20;

        private final Container container;
        private volatile boolean running = true;
        private volatile long peakPids;
        private volatile @Nullable RuntimeException failure;

        private Watch(Container container) {
            this.container = container;
        }

        @Override
        public void run() {
            try {
                while (running) {
                    Usage usage = container.usage().group();
                    usage.pids()
                            .ifPresent(pids ->
                                    peakPids = Math.max(peakPids, pids.peak().orElse(pids.current())));
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                }
            } catch (RuntimeException e) {
                if (!(e instanceof CgroupException gone) || gone.reason() != CgroupException.Code.NO_SUCH_GROUP) {
                    failure = e;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                running = false;
            }
        }

        boolean isRunning() {
            return running;
        }

        void end() {
            running = false;
        }

        Optional<String> failure() {
            return Optional.ofNullable(failure).map(RuntimeException::toString);
        }

        long peakPids() {
            return peakPids;
        }
    }
}
