package dev.caisson.seccomp;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/// Prints, for Debian's default profile and three ABIs, what a filter of ours costs beside libseccomp's list and tree.
/// Needs an x86_64 machine, gcc, and the packages libseccomp-dev and golang-github-containers-common.
final class FilterBenchmark {
    private static final Path PROFILE = Path.of("/usr/share/containers/seccomp.json");
    private static final int ROUNDS = 25;
    private static final int WARM = 2000;

    private FilterBenchmark() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        PrintStream out = System.out;
        Path directory = Files.createTempDirectory("caisson-seccomp");
        var target = new Target(Architecture.X86_64, KernelVersion.parse("6.18"), Calls.DEFAULT_CAPABILITIES);
        long began = System.nanoTime();
        Profile profile = Profile.parse(Files.readString(PROFILE));
        Filter ours = Compiler.compile(profile, target);
        long cold = System.nanoTime() - began;
        double warm = warm(profile, target);
        var libseccomp = new Libseccomp(directory);
        Libseccomp.Output list = libseccomp.compile(profile, target, false);
        Libseccomp.Output tree = libseccomp.compile(profile, target, true);
        out.println("load average " + Files.readString(Path.of("/proc/loadavg")).strip());
        out.println(
                "| | instructions | executed mean / max | load µs | getppid ns | socket ns | swapon ns | compile ms |");
        out.println("|---|---|---|---|---|---|---|---|");
        out.println("| no filter | | | " + measure(directory, "none") + " | |");
        out.println(row(directory, "libseccomp, list", list.filter(), list.nanoseconds() / 1e6));
        out.println(row(directory, "libseccomp, tree", tree.filter(), tree.nanoseconds() / 1e6));
        out.println(row(directory, "Caisson", ours, warm));
        Filter own = Compiler.compile(Profile.standard(), target);
        out.println(row(directory, "Caisson, own profile, native ABI", own, warm(Profile.standard(), target)));
        out.printf("Caisson, first in this JVM: %.1f ms%n", cold / 1e6);
        cold(out, directory);
    }

    /// To a container's filter in JVMs that have just started from an AOT cache, as the command does.
    private static void cold(PrintStream out, Path directory) throws IOException, InterruptedException {
        var jars = new ArrayList<String>();
        for (String entry : System.getProperty("java.class.path").split(":", -1)) {
            if (Files.isDirectory(Path.of(entry))) {
                String jar = directory.resolve(jars.size() + ".jar").toString();
                Libseccomp.run("", "jar", "cf", jar, "-C", entry, ".");
                jars.add(jar);
            } else {
                jars.add(entry);
            }
        }
        String java = ProcessHandle.current().info().command().orElseThrow();
        String cache = directory.resolve("filters").toString();
        for (String how : List.of("precompiled", "cached", "compiled")) {
            String aot = directory.resolve(how + ".aot").toString();
            List<String> command = List.of(
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    String.join(":", jars),
                    ColdFilter.class.getName(),
                    how,
                    cache,
                    PROFILE.toString());
            cold(java, "-XX:AOTCacheOutput=" + aot, command);
            var found = new ArrayList<Long>();
            var ready = new ArrayList<Long>();
            for (int round = 0; round < ROUNDS; round++) {
                String[] times = cold(java, "-XX:AOTCache=" + aot, command).split(" ", -1);
                found.add(Long.parseLong(times[0]));
                ready.add(Long.parseLong(times[1]));
            }
            out.printf("a filter %s, in a cold JVM: %s µs, ready to load %s µs%n", how, middle(found), middle(ready));
        }
    }

    private static String middle(List<Long> times) {
        Collections.sort(times);
        return times.get(times.size() / 2) + " (best " + times.getFirst() + ")";
    }

    private static String cold(String java, String option, List<String> command)
            throws IOException, InterruptedException {
        var all = new ArrayList<>(List.of(java, option));
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

    private static String row(Path directory, String name, Filter filter, double milliseconds)
            throws IOException, InterruptedException {
        var executed = IntStream.rangeClosed(0, 471)
                .map(number -> Simulator.run(filter, SeccompData.of(Architecture.X86_64, number))
                        .executed())
                .summaryStatistics();
        Path program = Files.write(directory.resolve("measured.bpf"), filter.bytes());
        return String.format(
                "| %s | %d | %.1f / %d | %s | %.2f |",
                name,
                filter.length(),
                executed.getAverage(),
                executed.getMax(),
                measure(directory, program.toString()),
                milliseconds);
    }

    private static String measure(Path directory, String filter) throws IOException, InterruptedException {
        Path program = directory.resolve("measure");
        if (Files.notExists(program)) {
            Path source = Files.writeString(directory.resolve("measure.c"), Profile.resource("measure.c"));
            Libseccomp.run("", "gcc", "-O2", "-Wall", "-Werror", "-o", program.toString(), source.toString());
        }
        String[] cells = Libseccomp.run("", program.toString(), filter, Integer.toString(ROUNDS))
                .strip()
                .split(" ", -1);
        double load = Double.parseDouble(cells[0]) / 1000;
        String calls = String.join(" | ", Arrays.asList(cells).subList(1, 4));
        return String.format("%.0f | %s", load, calls);
    }
}
