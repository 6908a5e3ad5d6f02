package dev.caisson.cgroup;

import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The total that a group has used since it was made, for one question at its end. Reads fewer files than [Usage].
///
/// @param cpuTime of all its processes, on all CPUs
/// @param userTime the part of it that programs ran themselves
/// @param systemTime the part of it that the kernel ran for them
/// @param peakMemory most that was charged at once, page cache included; empty if the kernel does not keep it
/// @param peakPids most processes and threads at once; empty if the kernel does not keep it (before 6.1)
/// @param io by disk; empty if nothing counts it, as [Usage#io]
public record Totals(
        Duration cpuTime,
        Duration userTime,
        Duration systemTime,
        Optional<Bytes> peakMemory,
        OptionalLong peakPids,
        Optional<List<Usage.Io>> io) {
    /// Keeps a copy of `io`.
    public Totals {
        io = io.map(List::copyOf);
    }

    /// @throws ErrnoException if the group is gone
    static Totals read(Controllers controllers, GroupFiles files) {
        Usage.Cpu cpu = UsageFiles.cpu(controllers, files, Usage.Throttling.NONE);
        MemoryController memory = controllers.memory();
        PidsController pids = controllers.pids();
        IoController io = controllers.io();
        return new Totals(
                cpu.total(),
                cpu.user(),
                cpu.system(),
                memory == null ? Optional.empty() : memory.peak(files),
                pids == null ? OptionalLong.empty() : pids.peak(files),
                io == null ? Optional.empty() : io.usage(files));
    }
}
