package dev.caisson.benchmarks;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Meter;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Prints what control groups cost: their share of a launch, reading what one has used, and what 500 have.
public final class Groups {
    private static final String PARENT = "caisson-benchmark-groups";
    private static final int WARM_UP = 3000;
    private static final int MEASURED = 2000;
    private static final int MANY = 500;
    private static final int ROUNDS = 60;

    private final Hierarchy hierarchy;
    private final PrintStream out = System.out;
    private final Limits limits = Limits.defaults().memory(Bytes.mebibytes(64));

    private Groups(Hierarchy hierarchy) {
        this.hierarchy = hierarchy;
    }

    public static void main(String[] arguments) throws IOException {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var groups = new Groups(hierarchy);
            groups.out.println(hierarchy.world() + ", load " + load());
            try {
                groups.launchShare();
                groups.metricsOfOne();
                groups.metricsOfMany();
            } finally {
                hierarchy.removeStale(PARENT, _ -> true);
                hierarchy.removeParent(PARENT);
            }
            groups.out.println("load " + load());
        }
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).strip();
    }

    /// Everything that a launch and its end do with groups but for the joining itself, which init does.
    private void launchShare() {
        String[] parts = {"make, with limits", "open to join", "read at the end", "remove", "all four"};
        long[][] nanos = new long[parts.length][MEASURED];
        for (int i = -WARM_UP; i < MEASURED; i++) {
            long[] at = new long[parts.length];
            at[0] = System.nanoTime();
            Cgroup group = hierarchy.create(PARENT, "one", limits);
            at[1] = System.nanoTime();
            List<Fd> joins = group.joinFds();
            Optional<Fd> into = group.cloneInto();
            joins.forEach(Fd::close);
            into.ifPresent(Fd::close);
            at[2] = System.nanoTime();
            group.events();
            group.cpuTime();
            group.peakMemory();
            at[3] = System.nanoTime();
            group.remove();
            at[4] = System.nanoTime();
            for (int part = 0; i >= 0 && part < 4; part++) {
                nanos[part][i] = at[part + 1] - at[part];
            }
            if (i >= 0) {
                nanos[4][i] = at[4] - at[0];
            }
        }
        for (int part = 0; part < parts.length; part++) {
            print("launch: " + parts[part], nanos[part]);
        }
    }

    private void metricsOfOne() {
        Cgroup group = hierarchy.create(PARENT, "one", limits);
        long[] nanos = new long[MEASURED];
        for (int i = -WARM_UP; i < MEASURED; i++) {
            long before = System.nanoTime();
            group.usage();
            if (i >= 0) {
                nanos[i] = System.nanoTime() - before;
            }
        }
        print("all metrics of one group, once", nanos.clone());
        try (Meter meter = group.meter()) {
            for (int i = -WARM_UP; i < MEASURED; i++) {
                long before = System.nanoTime();
                meter.read();
                if (i >= 0) {
                    nanos[i] = System.nanoTime() - before;
                }
            }
        }
        group.remove();
        print("all metrics of one group, again", nanos);
    }

    private void metricsOfMany() {
        var groups = new ArrayList<Cgroup>();
        for (int i = 0; i < MANY; i++) {
            groups.add(hierarchy.create(PARENT, "many-" + i, limits));
        }
        // both with all processors, as the survey of many containers does
        time(
                "all metrics of " + MANY + " groups, once",
                () -> groups.parallelStream().forEach(Cgroup::usage));
        List<Meter> meters = groups.stream().map(Cgroup::meter).toList();
        time(
                "all metrics of " + MANY + " groups, again",
                () -> meters.parallelStream().forEach(Meter::read));
        meters.forEach(Meter::close);
        groups.forEach(Cgroup::remove);
    }

    private void time(String what, Runnable read) {
        long[] nanos = new long[ROUNDS];
        for (int i = -10; i < ROUNDS; i++) {
            long before = System.nanoTime();
            read.run();
            if (i >= 0) {
                nanos[i] = System.nanoTime() - before;
            }
        }
        print(what, nanos);
    }

    private void print(String what, long[] nanos) {
        Arrays.sort(nanos);
        out.printf(
                Locale.ROOT,
                "%-32s p10 %8.3f ms  p50 %8.3f ms  p90 %8.3f ms%n",
                what,
                nanos[nanos.length / 10] / 1e6,
                nanos[nanos.length / 2] / 1e6,
                nanos[nanos.length * 9 / 10] / 1e6);
    }
}
