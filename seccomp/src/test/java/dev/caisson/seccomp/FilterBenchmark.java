package dev.caisson.seccomp;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/// Prints, for Debian's default profile and three ABIs, what a filter of ours costs beside libseccomp's
/// list and tree, and whether it keeps to its limits: `benchmarks/filters` runs it. Needs an x86_64
/// machine, gcc, and the packages libseccomp-dev and golang-github-containers-common.
final class FilterBenchmark {
    private static final Path PROFILE = Path.of("/usr/share/containers/seccomp.json");
    private static final int ROUNDS = 25;
    private static final int WARM = 2000;
    private static final int NUMBERS = 471;

    /// The least nanoseconds of each.
    private record Cost(double load, double allowed, double checked, double denied) {}

    /// The middle of some JVMs that have just started: to the filter, and until it is ready to load.
    private record Cold(long found, long ready) {
        private String cells() {
            return String.format("%.2f / %.2f", found / 1e3, ready / 1e3);
        }
    }

    private FilterBenchmark() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        PrintStream out = System.out;
        Path directory = Files.createTempDirectory("caisson-seccomp");
        var target = new Target(Architecture.X86_64, KernelVersion.parse("6.18"), Calls.DEFAULT_CAPABILITIES);
        Profile profile = Profile.parse(Files.readString(PROFILE));
        Filter ours = Compiler.compile(profile, target);
        Filter own = Compiler.compile(Profile.standard(), target);
        var libseccomp = new Libseccomp(directory);
        Libseccomp.Output list = libseccomp.compile(profile, target, false);
        Libseccomp.Output tree = libseccomp.compile(profile, target, true);
        out.println("load average " + Files.readString(Path.of("/proc/loadavg")).strip());
        out.println("| | instructions | executed mean / max | load µs | getppid ns | socket ns | swapon, denied, ns "
                + "| compile ms, cold | warm | from the cache, cold |");
        out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        Cost none = measure(directory, "none");
        out.printf("| no filter | | | | %.0f | %.0f | | | | |%n", none.allowed(), none.checked());
        row(out, directory, "libseccomp, list", list.filter(), milliseconds(list) + " | | ");
        row(out, directory, "libseccomp, tree", tree.filter(), milliseconds(tree) + " | | ");
        Map<String, Cold> cold = cold(directory);
        Cold cached = Objects.requireNonNull(cold.get("cached"));
        Cost cost = row(
                out,
                directory,
                "Caisson",
                ours,
                Objects.requireNonNull(cold.get("compiled")).cells()
                        + String.format(" | %.2f | ", warm(profile, target))
                        + cached.cells());
        row(
                out,
                directory,
                "Caisson's own profile, native ABI",
                own,
                String.format("| %.2f | ", warm(Profile.standard(), target))
                        + Objects.requireNonNull(cold.get("precompiled")).cells());
        out.println(
                "cold: in a JVM that has just started from an AOT cache, to the filter / until it is ready to load");
        limit(out, "instructions", ours.length(), 310);
        limit(out, "mean executed", executed(ours).getAverage(), 12);
        limit(out, "load, ms", cost.load() / 1e6, 0.15);
        limit(out, "from the cache in a cold JVM, ms", cached.found() / 1e3, 1);
        limit(out, "… until it is ready to load, ms", cached.ready() / 1e3, 1);
    }

    private static String milliseconds(Libseccomp.Output output) {
        return String.format("%.2f", output.nanoseconds() / 1e6);
    }

    private static void limit(PrintStream out, String what, double value, double most) {
        out.printf("%s: %.2f, at most %.2f: %s%n", what, value, most, value <= most ? "met" : "NOT MET");
    }

    /// To a container's filter in JVMs that have just started from an AOT cache, as the command does.
    private static Map<String, Cold> cold(Path directory) throws IOException, InterruptedException {
        String archiver = Path.of(System.getProperty("java.home"), "bin", "jar").toString();
        var jars = new ArrayList<String>();
        for (String entry : System.getProperty("java.class.path").split(":", -1)) {
            if (Files.isDirectory(Path.of(entry))) {
                String jar = directory.resolve(jars.size() + ".jar").toString();
                Libseccomp.run("", archiver, "cf", jar, "-C", entry, ".");
                jars.add(jar);
            } else {
                jars.add(entry);
            }
        }
        String java = ProcessHandle.current().info().command().orElseThrow();
        String cache = directory.resolve("filters").toString();
        Map<String, Cold> cold = new HashMap<>();
        for (String how : List.of("precompiled", "cached", "compiled")) {
            String aot = directory.resolve(how + ".aot").toString();
            List<String> command = List.of(
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    String.join(":", jars),
                    ColdFilter.class.getName(),
                    how,
                    cache,
                    PROFILE.toString());
            // the first makes what is cached, the second is trained on finding it
            cold(java, List.of(), command);
            cold(java, List.of("-XX:AOTCacheOutput=" + aot), command);
            var found = new ArrayList<Long>();
            var ready = new ArrayList<Long>();
            for (int round = 0; round < ROUNDS; round++) {
                String[] times =
                        cold(java, List.of("-XX:AOTCache=" + aot), command).split(" ", -1);
                found.add(Long.parseLong(times[0]));
                ready.add(Long.parseLong(times[1]));
            }
            cold.put(how, new Cold(middle(found), middle(ready)));
        }
        return cold;
    }

    private static long middle(List<Long> times) {
        Collections.sort(times);
        return times.get(times.size() / 2);
    }

    private static String cold(String java, List<String> options, List<String> command)
            throws IOException, InterruptedException {
        var all = new ArrayList<String>();
        all.add(java);
        all.addAll(options);
        all.addAll(command);
        return Libseccomp.run("", all.toArray(String[]::new)).strip();
    }

    private static double warm(Profile profile, Target target) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < WARM; i++) {
            long began = System.nanoTime();
            if (Compiler.compile(profile, target).length() == 0) {
                throw new AssertionError("an empty filter");
            }
            best = Math.min(best, System.nanoTime() - began);
        }
        return best / 1e6;
    }

    private static IntSummaryStatistics executed(Filter filter) {
        return IntStream.rangeClosed(0, NUMBERS)
                .map(number -> Simulator.run(filter, SeccompData.of(Architecture.X86_64, number))
                        .executed())
                .summaryStatistics();
    }

    private static Cost row(PrintStream out, Path directory, String name, Filter filter, String compiling)
            throws IOException, InterruptedException {
        IntSummaryStatistics executed = executed(filter);
        Path program = Files.write(directory.resolve("measured.bpf"), filter.bytes());
        Cost cost = measure(directory, program.toString());
        out.printf(
                "| %s | %d | %.1f / %d | %.0f | %.0f | %.0f | %.0f | %s |%n",
                name,
                filter.length(),
                executed.getAverage(),
                executed.getMax(),
                cost.load() / 1000,
                cost.allowed(),
                cost.checked(),
                cost.denied(),
                compiling);
        return cost;
    }

    private static Cost measure(Path directory, String filter) throws IOException, InterruptedException {
        Path program = directory.resolve("measure");
        if (Files.notExists(program)) {
            Path source = Files.writeString(directory.resolve("measure.c"), Profile.resource("measure.c"));
            Libseccomp.run("", "gcc", "-O2", "-Wall", "-Werror", "-o", program.toString(), source.toString());
        }
        String[] cells = Libseccomp.run("", program.toString(), filter, Integer.toString(ROUNDS))
                .strip()
                .split(" ", -1);
        return new Cost(
                Double.parseDouble(cells[0]),
                Double.parseDouble(cells[1]),
                Double.parseDouble(cells[2]),
                Double.parseDouble(cells[3]));
    }
}
