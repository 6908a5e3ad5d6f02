package dev.caisson.spec;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The usage of a group, the same for every version of control groups.
///
/// @param memory empty where the kernel has no memory controller
/// @param pids empty where the kernel has no pids controller
/// @param io by disk, a disk that was not used has no entry; empty where nothing counts it: in version 1,
///     for a group without a limit of I/O
/// @param pressure empty where the kernel does not measure it or there is no unified tree
public record Usage(
        Optional<Memory> memory, Cpu cpu, Optional<Pids> pids, Optional<List<Io>> io, Optional<Pressures> pressure) {
    /// Keeps a copy of `io`.
    public Usage {
        io = io.map(List::copyOf);
    }

    /// The same, with events that were counted elsewhere.
    public Usage withEvents(long oomKills, long pidsRefused) {
        return new Usage(
                memory.map(used -> new Memory(
                        used.current(),
                        used.peak(),
                        used.limit(),
                        used.swap(),
                        used.anonymous(),
                        used.file(),
                        used.inactiveFile(),
                        used.kernel(),
                        used.slab(),
                        used.limitHits(),
                        oomKills)),
                cpu,
                pids.map(used -> new Pids(used.current(), used.peak(), used.limit(), pidsRefused)),
                io,
                pressure);
    }

    /// Memory of the group, all that is below it included.
    ///
    /// @param current charged at this moment, page cache included
    /// @param peak most that was charged at once; empty where the kernel does not keep it
    /// @param swap swapped out at this moment
    /// @param anonymous memory of the processes themselves
    /// @param file page cache, tmpfs included
    /// @param inactiveFile page cache that the kernel takes back first
    /// @param kernel what the kernel keeps for them: slab, stacks, page tables; empty where it does not tell
    /// @param slab the kernel's objects for them, as names, inodes and sockets; version 1 does not tell it apart
    /// @param limitHits times that the group was at its limit and had to give memory back; in version 1,
    ///     newer kernels count them only where swap is allowed
    /// @param oomKills processes that the kernel killed because that was not enough
    public record Memory(
            Bytes current,
            Optional<Bytes> peak,
            Bytes limit,
            Bytes swap,
            Bytes anonymous,
            Bytes file,
            Bytes inactiveFile,
            Optional<Bytes> kernel,
            Optional<Bytes> slab,
            long limitHits,
            long oomKills) {

        /// Returns the memory that cannot be taken back without harm: the figure that Docker and cAdvisor show as
        /// memory in use.
        public Bytes workingSet() {
            return Bytes.of(Math.max(0, current.count() - inactiveFile.count()));
        }
    }

    /// CPU time used so far, summed over all CPUs.
    public record Cpu(Duration total, Duration user, Duration system, Throttling throttling) {}

    /// How often and how long a CPU quota made the group wait.
    ///
    /// @param periods periods in which the group ran
    public record Throttling(long periods, long throttledPeriods, Duration throttledTime) {
        /// That of a group without a quota.
        public static final Throttling NONE = new Throttling(0, 0, Duration.ZERO);
    }

    /// The bytes and operations of one disk. In version 1, what the page cache writes later is not
    /// counted.
    public record Io(
            BlockDevice device, long readBytes, long writtenBytes, long readOperations, long writeOperations) {}

    /// Time lost by waiting for each resource.
    public record Pressures(Pressure cpu, Pressure memory, Pressure io) {}

    /// Processes and threads of the group, all that is below it included.
    ///
    /// @param current processes and threads at this moment
    /// @param peak empty where the kernel does not keep it
    /// @param limit [Limits#UNLIMITED_PIDS] for none
    /// @param refused forks that the limit refused
    public record Pids(long current, Optional<Long> peak, long limit, long refused) {}
}
