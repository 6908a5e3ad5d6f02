package dev.caisson.cgroup;

import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.Optional;

/// Reads what a group has used from the files of its controllers.
final class UsageFiles {
    private UsageFiles() {}

    static Usage read(Controllers controllers, GroupFiles files) {
        MemoryController memory = controllers.memory();
        PidsController pids = controllers.pids();
        IoController io = controllers.io();
        return new Usage(
                Optional.ofNullable(memory == null ? null : memory.usage(files)),
                cpu(controllers, files, throttling(controllers, files)),
                Optional.ofNullable(pids == null ? null : pids.usage(files)),
                io == null ? Optional.empty() : io.usage(files),
                Optional.ofNullable(controllers.unified()).flatMap(unified -> pressures(unified, files)));
    }

    /// The unified tree counts CPU time without any controller; the cpuacct controller does where there is
    /// none.
    static Usage.Cpu cpu(Controllers controllers, GroupFiles files, Usage.Throttling throttling) {
        Tree unified = controllers.unified();
        if (unified != null) {
            var stat = new KeyedText(files.read(unified, "cpu.stat"));
            return new Usage.Cpu(
                    KeyedText.micros(stat.get("usage_usec")),
                    KeyedText.micros(stat.get("user_usec")),
                    KeyedText.micros(stat.get("system_usec")),
                    throttling);
        }
        Tree accounting = controllers.tree("cpuacct");
        if (accounting == null) {
            return new Usage.Cpu(Duration.ZERO, Duration.ZERO, Duration.ZERO, throttling);
        }
        return new Usage.Cpu(
                nanos(accounting, files, "cpuacct.usage"),
                nanos(accounting, files, "cpuacct.usage_user"),
                nanos(accounting, files, "cpuacct.usage_sys"),
                throttling);
    }

    /// The total of [Usage.Cpu] alone, which costs one file.
    static Duration cpuTime(Controllers controllers, GroupFiles files) {
        Tree unified = controllers.unified();
        if (unified != null) {
            return KeyedText.micros(new KeyedText(files.read(unified, "cpu.stat")).get("usage_usec"));
        }
        Tree accounting = controllers.tree("cpuacct");
        return accounting == null ? Duration.ZERO : nanos(accounting, files, "cpuacct.usage");
    }

    private static Usage.Throttling throttling(Controllers controllers, GroupFiles files) {
        CpuController cpu = controllers.cpu();
        return cpu == null ? Usage.Throttling.NONE : cpu.throttling(files);
    }

    private static Optional<Usage.Pressures> pressures(Tree unified, GroupFiles files) {
        Optional<Pressure> cpu = PressureFile.read(unified, files, "cpu");
        return cpu.flatMap(forCpu -> PressureFile.read(unified, files, "memory")
                .flatMap(forMemory -> PressureFile.read(unified, files, "io")
                        .map(forIo -> new Usage.Pressures(forCpu, forMemory, forIo))));
    }

    private static Duration nanos(Tree tree, GroupFiles files, String file) {
        return Duration.ofNanos(Long.parseLong(files.read(tree, file)));
    }
}
