package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The limits of a group. Values that no kernel takes are refused when they are set, before anything is changed;
/// [#check] refuses what contradicts itself.
///
/// @param memory most memory, [Bytes#UNLIMITED] for none
/// @param memorySwap most memory and swap together, [Bytes#UNLIMITED] for swap without end; empty: no swap
/// @param memoryReservation memory that is taken back from the group last
/// @param memorySwappiness readiness to swap, 0 to 100; control groups v1 only
/// @param oomKillDisable stop processes that are out of memory instead of killing one; control groups v1 only
/// @param cpuQuota most CPU time, summed over all CPUs; empty: none
/// @param cpuShares weight against the other groups of the parent where CPUs are short, 2 to 262144
/// @param cpuset CPUs to run on; empty: all
/// @param memoryNodes memory nodes to take memory from; empty: all
/// @param ioWeight weight against the other groups of the parent where a disk is busy, 10 to 1000
/// @param ioWeights the same for single disks, in place of `ioWeight`
/// @param io most reading and writing, by disk
/// @param pids most processes and threads, [#UNLIMITED_PIDS] for none
/// @param hugePages most huge pages, by their size in the kernel's words: `2MB`, `1GB`
/// @param devices device nodes that may be used, always [DeviceRule#STANDARD] among them, in the order of their text;
///     empty: no rule but those of the file system
/// @param bestEffort whether a limit that cannot be enforced here is told, `Container.lacks()`, rather than an error
public record Limits(
        Bytes memory,
        Optional<Bytes> memorySwap,
        Optional<Bytes> memoryReservation,
        OptionalInt memorySwappiness,
        boolean oomKillDisable,
        Optional<CpuQuota> cpuQuota,
        int cpuShares,
        Optional<CpuList> cpuset,
        Optional<CpuList> memoryNodes,
        OptionalInt ioWeight,
        List<IoWeight> ioWeights,
        List<IoLimit> io,
        long pids,
        Map<String, Bytes> hugePages,
        Optional<List<DeviceRule>> devices,
        boolean bestEffort) {

    /// No limit on the number of processes.
    public static final long UNLIMITED_PIDS = Long.MAX_VALUE;

    /// The kernel's own weight of a group.
    public static final int DEFAULT_CPU_SHARES = 1024;

    /// The least memory that a container is given: less does not hold the process that sets it up.
    public static final Bytes LEAST_MEMORY = Bytes.mebibytes(6);

    private static final int LEAST_CPU_SHARES = 2;
    private static final int MOST_CPU_SHARES = 262_144;
    private static final Pattern HUGE_PAGE_SIZE = Pattern.compile("\\d{1,4}[KMG]B");
    private static final int MOST_SWAPPINESS = 100;
    private static final long MOST_PIDS = 4_194_304; // PID_MAX_LIMIT, linux/threads.h

    private static final int MOST_DEVICE_RULES = 256;

    private static final Limits DEFAULTS = new Draft().limits();

    /// Checks each value against what the kernel takes.
    public Limits {
        present(memory, "memory");
        present(memorySwap, "memorySwap");
        present(memoryReservation, "memoryReservation");
        present(memorySwappiness, "memorySwappiness");
        present(cpuQuota, "cpuQuota");
        present(cpuset, "cpuset");
        present(memoryNodes, "memoryNodes");
        present(ioWeight, "ioWeight");
        present(ioWeights, "ioWeights");
        present(io, "io");
        present(hugePages, "hugePages");
        present(devices, "devices");
        if (memory.compareTo(LEAST_MEMORY) < 0) {
            throw new LimitException(
                    Code.MEMORY_TOO_SMALL,
                    "a memory limit of " + memory + " is too small to start in; give at least " + LEAST_MEMORY);
        }
        requireRange(Code.CPU_SHARES_OUT_OF_RANGE, "CPU shares are", cpuShares, LEAST_CPU_SHARES, MOST_CPU_SHARES);
        if (memorySwappiness.isPresent()) {
            requireRange(
                    Code.SWAPPINESS_OUT_OF_RANGE, "swappiness is", memorySwappiness.getAsInt(), 0, MOST_SWAPPINESS);
        }
        if (ioWeight.isPresent()) {
            requireRange(Code.IO_OUT_OF_RANGE, "an I/O weight is", ioWeight.getAsInt(), IoWeight.LEAST, IoWeight.MOST);
        }
        if (pids != UNLIMITED_PIDS) {
            requireRange(Code.PIDS_OUT_OF_RANGE, "a pids limit is unlimited or", pids, 1, MOST_PIDS);
        }
        for (String size : hugePages.keySet()) {
            if (!HUGE_PAGE_SIZE.matcher(size).matches()) {
                throw new LimitException(
                        Code.BAD_SIZE, Quoted.of(size) + " is not a size of huge pages; write one such as 2MB or 1GB.");
            }
        }
        ioWeights = More.copy(ioWeights, "ioWeights");
        io = More.copy(io, "io");
        hugePages = More.copy(hugePages, "hugePages");
        devices = devices.map(rules ->
                DeviceRule.merged(Stream.concat(More.copy(rules, "devices").stream(), DeviceRule.STANDARD.stream())
                        .toList()));
        if (devices.filter(rules -> rules.size() > MOST_DEVICE_RULES).isPresent()) {
            throw new LimitException(
                    Code.BAD_DEVICE, "a container has at most " + MOST_DEVICE_RULES + " rules for devices; use *");
        }
    }

    private static void requireRange(Code code, String what, long value, long least, long most) {
        if (value < least || value > most) {
            throw new LimitException(code, what + " " + least + " to " + most + ", not " + value);
        }
    }

    /// 1 GiB of memory, no swap, 512 processes, CPU by weight.
    public static Limits defaults() {
        return DEFAULTS;
    }

    /// No limit at all: for a parent group that is only there to hold others.
    public static Limits unlimited() {
        return DEFAULTS.memory(Bytes.UNLIMITED).memorySwap(Bytes.UNLIMITED).pids(UNLIMITED_PIDS);
    }

    public Limits memory(Bytes most) {
        return with(draft -> draft.memory = most);
    }

    /// Docker's meaning: memory and swap together.
    public Limits memorySwap(Bytes mostTogether) {
        return with(draft -> draft.memorySwap = Optional.of(present(mostTogether, "mostTogether")));
    }

    public Limits memoryReservation(Bytes takenLast) {
        return with(draft -> draft.memoryReservation = Optional.of(present(takenLast, "takenLast")));
    }

    public Limits memorySwappiness(int readiness) {
        return with(draft -> draft.memorySwappiness = OptionalInt.of(readiness));
    }

    public Limits oomKillDisable(boolean disabled) {
        return with(draft -> draft.oomKillDisable = disabled);
    }

    public Limits cpus(CpuQuota most) {
        return with(draft -> draft.cpuQuota = Optional.of(present(most, "most")));
    }

    /// Most CPU time as a number of CPUs, such as `1.5`: Docker's `--cpus`.
    public Limits cpus(String number) {
        return cpus(CpuQuota.cpus(number));
    }

    public Limits cpuShares(int weight) {
        return with(draft -> draft.cpuShares = weight);
    }

    /// The CPUs to run on: Docker's `--cpuset-cpus`.
    public Limits cpuset(CpuList allowed) {
        return with(draft -> draft.cpuset = Optional.of(present(allowed, "allowed")));
    }

    /// The memory nodes to take memory from: Docker's `--cpuset-mems`.
    public Limits memoryNodes(CpuList allowed) {
        return with(draft -> draft.memoryNodes = Optional.of(present(allowed, "allowed")));
    }

    public Limits ioWeight(int weight) {
        return with(draft -> draft.ioWeight = OptionalInt.of(weight));
    }

    public Limits ioWeights(List<IoWeight> byDisk) {
        return with(draft -> draft.ioWeights = byDisk);
    }

    public Limits io(List<IoLimit> byDisk) {
        return with(draft -> draft.io = byDisk);
    }

    public Limits pids(long most) {
        return with(draft -> draft.pids = most);
    }

    public Limits hugePages(Map<String, Bytes> most) {
        return with(draft -> draft.hugePages = most);
    }

    /// Only these device nodes may be used, and [DeviceRule#STANDARD].
    public Limits devices(List<DeviceRule> allowed) {
        return with(draft -> draft.devices = Optional.of(present(allowed, "allowed")));
    }

    public Limits bestEffort(boolean told) {
        return with(draft -> draft.bestEffort = told);
    }

    /// The most memory and swap together that is in force: the memory alone unless swap was allowed.
    public Bytes memoryAndSwap() {
        return memorySwap.orElse(memory);
    }

    /// Swap beyond memory: nothing unless it was allowed.
    public Bytes swap() {
        Bytes together = memoryAndSwap();
        if (together.isUnlimited()) {
            return memory.isUnlimited() && memorySwap.isEmpty() ? Bytes.ZERO : Bytes.UNLIMITED;
        }
        return Bytes.of(together.count() - memory.count());
    }

    /// Refuses limits that contradict each other. Making a group does it too; a caller may want to know sooner.
    /// @return this
    public Limits check() {
        Bytes together = memoryAndSwap();
        if (memory.isUnlimited() && !together.isUnlimited()) {
            throw new LimitException(
                    Code.SWAP_WITHOUT_MEMORY,
                    "memory and swap together are limited to " + together
                            + " but memory alone is not; give a memory limit as well");
        }
        if (together.compareTo(memory) < 0) {
            throw new LimitException(
                    Code.SWAP_BELOW_MEMORY,
                    "memory and swap together (" + together + ") are less than memory alone (" + memory
                            + "); give at least as much, or leave it out for no swap");
        }
        if (memoryReservation.filter(reserved -> reserved.compareTo(memory) > 0).isPresent()) {
            throw new LimitException(
                    Code.RESERVATION_ABOVE_MEMORY,
                    "a memory reservation of " + memoryReservation.get() + " is more than the memory limit of " + memory
                            + "; reserve at most as much");
        }
        if (oomKillDisable && memory.isUnlimited()) {
            throw new LimitException(
                    Code.OOM_WITHOUT_MEMORY,
                    "without a memory limit, processes that are out of memory must be killed; give a memory limit");
        }
        return this;
    }

    private Limits with(Consumer<Draft> change) {
        var draft = new Draft(this);
        change.accept(draft);
        return draft.limits();
    }

    /// Limits on the way from one value to the next; the fields start at the defaults.
    private static final class Draft {
        private Bytes memory = Bytes.gibibytes(1);
        private Optional<Bytes> memorySwap = Optional.empty();
        private Optional<Bytes> memoryReservation = Optional.empty();
        private OptionalInt memorySwappiness = OptionalInt.empty();
        private boolean oomKillDisable;
        private Optional<CpuQuota> cpuQuota = Optional.empty();
        private int cpuShares = DEFAULT_CPU_SHARES;
        private Optional<CpuList> cpuset = Optional.empty();
        private Optional<CpuList> memoryNodes = Optional.empty();
        private OptionalInt ioWeight = OptionalInt.empty();
        private List<IoWeight> ioWeights = List.of();
        private List<IoLimit> io = List.of();
        private long pids = 512;
        private Map<String, Bytes> hugePages = Map.of();
        private Optional<List<DeviceRule>> devices = Optional.empty();
        private boolean bestEffort;

        private Draft() {}

        private Draft(Limits limits) {
            memory = limits.memory;
            memorySwap = limits.memorySwap;
            memoryReservation = limits.memoryReservation;
            memorySwappiness = limits.memorySwappiness;
            oomKillDisable = limits.oomKillDisable;
            cpuQuota = limits.cpuQuota;
            cpuShares = limits.cpuShares;
            cpuset = limits.cpuset;
            memoryNodes = limits.memoryNodes;
            ioWeight = limits.ioWeight;
            ioWeights = limits.ioWeights;
            io = limits.io;
            pids = limits.pids;
            hugePages = limits.hugePages;
            devices = limits.devices;
            bestEffort = limits.bestEffort;
        }

        private Limits limits() {
            return new Limits(
                    memory,
                    memorySwap,
                    memoryReservation,
                    memorySwappiness,
                    oomKillDisable,
                    cpuQuota,
                    cpuShares,
                    cpuset,
                    memoryNodes,
                    ioWeight,
                    ioWeights,
                    io,
                    pids,
                    hugePages,
                    devices,
                    bestEffort);
        }
    }
}
