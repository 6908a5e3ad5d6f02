package dev.caisson.benchmarks;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RunResult;
import dev.caisson.image.Image;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Prints what a secret adds to a run in a warm engine, and what a store costs that is opened for each use: the time,
/// and the processor time of this process, which other work on the machine changes less. Runs with and without a
/// secret take turns, so that both have the same machine. `benchmarks/secret-costs` runs it.
public final class SecretCosts {
    private static final int RUNS = 200;
    private static final int WARM_UP = 100;
    private static final int SECRETS = 10;
    private static final int TURN = 10;
    private static final double TICK_MILLIS = 10;
    private static final Path DATA = Path.of("/var/lib/caisson-benchmark-secrets");
    private static final SecretName NAME = new SecretName("s1");

    private interface Act {
        void run();
    }

    private SecretCosts() {}

    public static void main(String[] arguments) throws Exception {
        int runs = arguments.length == 2 && arguments[0].equals("--runs") ? Integer.parseInt(arguments[1]) : RUNS;
        Files.createDirectories(DATA);
        Launches.remove(DATA); // what was there
        Files.createDirectories(DATA);
        try {
            measure(new EngineOptions(DATA.resolve("state"), DATA.resolve("data")), runs);
        } finally {
            Launches.remove(DATA);
        }
    }

    private static void measure(EngineOptions options, int runs) throws IOException {
        Path directory = options.data().resolve(SecretStore.DIRECTORY);
        ContainerSpec plain = ContainerSpec.of(Image.host(), "/bin/true");
        ContainerSpec secret = plain.mount(new Mount.Secrets(List.of(SecretFile.of(NAME.text()))));
        try (Engine engine = Engine.open(options)) {
            fill(directory);
            Act without = () -> run(engine, plain);
            Act with = () -> run(engine, secret);
            Act open = () -> {
                try (SecretStore store = SecretStore.open(directory, Optional::empty);
                        SecretValue value = store.deliver(NAME, _ -> true, "benchmark")) {
                    if (value.size() == 0) {
                        throw new IllegalStateException("an empty value");
                    }
                }
            };
            List<Costs> all = List.of(
                    new Costs("run without a secret", without),
                    new Costs("run with a secret", with),
                    new Costs("store opened, one value", open));
            take(all, WARM_UP);
            all.forEach(Costs::forget);
            take(all, runs);
            all.forEach(Costs::print);
            Costs plainRuns = all.get(0);
            Costs secretRuns = all.get(1);
            System.out.printf(
                    Locale.ROOT,
                    "the secret's share: %.2f ms of the median, ratio %.3f; %.2f ms of processor time, ratio %.3f%n",
                    secretRuns.median() - plainRuns.median(),
                    secretRuns.median() / plainRuns.median(),
                    secretRuns.processor() - plainRuns.processor(),
                    secretRuns.processor() / plainRuns.processor());
        }
    }

    private static void fill(Path directory) {
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(DATA.resolve("key")), List.of(), true),
                Optional::empty,
                "benchmark");
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            for (int i = 0; i < SECRETS; i++) {
                try (SecretValue value = SecretValue.generate(32)) {
                    store.create(new SecretName("s" + i), value, Map.of(), Optional.<Duration>empty(), "benchmark");
                }
            }
        }
    }

    private static void run(Engine engine, ContainerSpec spec) {
        RunResult result;
        try {
            result = engine.run(spec);
        } catch (InterruptedException e) {
            throw new EngineException("INTERRUPTED", "the benchmark was interrupted: run it again", e);
        }
        if (result.exitCode() != 0) {
            throw new IllegalStateException("a run failed: " + result.stderr());
        }
    }

    /// Has the acts take turns, ten times each, because the processor time is told in hundredths of a second.
    private static void take(List<Costs> all, int times) throws IOException {
        for (int i = 0; i < times; i += TURN) {
            for (Costs one : all) {
                one.take();
            }
        }
    }

    private static final class Costs {
        private final String name;
        private final Act act;
        private final List<Double> millis = new ArrayList<>();
        private long ticks;

        private Costs(String name, Act act) {
            this.name = name;
            this.act = act;
        }

        private void take() throws IOException {
            long before = spent();
            for (int i = 0; i < TURN; i++) {
                long begun = System.nanoTime();
                act.run();
                millis.add((System.nanoTime() - begun) / 1e6);
            }
            ticks += spent() - before;
        }

        /// Returns the processor time of this process, proc_pid_stat(5).
        private static long spent() throws IOException {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            List<String> fields =
                    List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
            return Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12));
        }

        private void forget() {
            millis.clear();
            ticks = 0;
        }

        private double median() {
            return millis.stream().sorted().toList().get(millis.size() / 2);
        }

        private double processor() {
            return ticks * TICK_MILLIS / millis.size();
        }

        private void print() {
            System.out.printf(
                    Locale.ROOT,
                    "%-24s median %7.2f ms, a tenth below %7.2f ms, processor %6.2f ms%n",
                    name,
                    median(),
                    millis.stream().sorted().toList().get(millis.size() / 10),
                    processor());
        }
    }
}
