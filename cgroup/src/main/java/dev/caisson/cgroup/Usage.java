package dev.caisson.cgroup;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/// What a group has used, the same for every version of control groups.
///
/// @param memory empty where the kernel has no memory controller
/// @param pids empty where the kernel has no pids controller
public record Usage(Optional<Memory> memory, Cpu cpu, Optional<Pids> pids) {

    /// Memory of the group, all that is below it included.
    ///
    /// @param current charged at this moment, page cache included
    /// @param peak most that was charged at once; empty where the kernel does not keep it
    /// @param swap swapped out at this moment
    /// @param anonymous memory of the processes themselves
    /// @param file page cache, tmpfs included
    /// @param inactiveFile page cache that the kernel takes back first
    /// @param limitHits times that the group was at its limit and had to give memory back; in version 1, newer
    ///     kernels count them only where swap is allowed
    /// @param oomKills processes that the kernel killed because that was not enough
    public record Memory(
            Bytes current,
            Optional<Bytes> peak,
            Bytes limit,
            Bytes swap,
            Bytes anonymous,
            Bytes file,
            Bytes inactiveFile,
            long limitHits,
            long oomKills) {

        /// What cannot be taken back without harm: the figure that Docker and cAdvisor show as memory in use.
        public Bytes workingSet() {
            return Bytes.of(Math.max(0, current.count() - inactiveFile.count()));
        }
    }

    /// CPU time used so far, summed over all CPUs.
    public record Cpu(Duration total, Duration user, Duration system, Throttling throttling) {}

    /// How often and how long a CPU quota made the group wait.
    ///
    /// @param periods periods in which the group ran
    public record Throttling(long periods, long throttledPeriods, Duration throttledTime) {}

    /// Processes and threads of the group, all that is below it included.
    ///
    /// @param current processes and threads at this moment
    /// @param peak empty where the kernel does not keep it
    /// @param limit [Limits#UNLIMITED_PIDS] for none
    /// @param refused forks that the limit refused
    public record Pids(long current, Optional<Long> peak, long limit, long refused) {}

    static Usage read(Hierarchy hierarchy, String group) {
        MemoryController memory = hierarchy.memory();
        CpuController cpu = hierarchy.cpu();
        PidsController pids = hierarchy.pids();
        Throttling throttling = cpu == null ? new Throttling(0, 0, Duration.ZERO) : cpu.throttling(group);
        return new Usage(
                Optional.ofNullable(memory == null ? null : memory.usage(group)),
                cpu(hierarchy, group, throttling),
                Optional.ofNullable(pids == null ? null : pids.usage(group)));
    }

    /// The unified tree counts CPU time without any controller; the cpuacct controller does where there is none.
    private static Cpu cpu(Hierarchy hierarchy, String group, Throttling throttling) {
        Tree unified = hierarchy.unified();
        if (unified != null) {
            var stat = new KeyedText(unified.read(group, "cpu.stat"));
            return new Cpu(
                    micros(stat.get("usage_usec")),
                    micros(stat.get("user_usec")),
                    micros(stat.get("system_usec")),
                    throttling);
        }
        Tree accounting = hierarchy.tree("cpuacct");
        if (accounting == null) {
            return new Cpu(Duration.ZERO, Duration.ZERO, Duration.ZERO, throttling);
        }
        return new Cpu(
                nanos(accounting, group, "cpuacct.usage"),
                nanos(accounting, group, "cpuacct.usage_user"),
                nanos(accounting, group, "cpuacct.usage_sys"),
                throttling);
    }

    /// The total of [Cpu] alone, which costs one file.
    static Duration cpuTime(Hierarchy hierarchy, String group) {
        Tree unified = hierarchy.unified();
        if (unified != null) {
            return micros(new KeyedText(unified.read(group, "cpu.stat")).get("usage_usec"));
        }
        Tree accounting = hierarchy.tree("cpuacct");
        return accounting == null ? Duration.ZERO : nanos(accounting, group, "cpuacct.usage");
    }

    private static Duration nanos(Tree tree, String group, String file) {
        return Duration.ofNanos(Long.parseLong(tree.read(group, file)));
    }

    static Duration micros(long micros) {
        return Duration.of(micros, ChronoUnit.MICROS);
    }
}
