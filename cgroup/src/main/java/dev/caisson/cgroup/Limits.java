package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import java.util.Optional;

/// What a group may use. Values that no kernel takes are refused when they are set, before anything is changed;
/// [#check] refuses what contradicts itself.
///
/// @param memory most memory, [Bytes#UNLIMITED] for none
/// @param memorySwap most memory and swap together, [Bytes#UNLIMITED] for swap without end; empty: no swap
/// @param cpuQuota most CPU time, summed over all CPUs; empty: none
/// @param cpuShares weight against the other groups of the parent where CPUs are short, 2 to 262144
/// @param pids most processes and threads, [#UNLIMITED_PIDS] for none
public record Limits(Bytes memory, Optional<Bytes> memorySwap, Optional<CpuQuota> cpuQuota, int cpuShares, long pids) {

    /// No limit on the number of processes.
    public static final long UNLIMITED_PIDS = Long.MAX_VALUE;

    /// The kernel's own weight of a group.
    public static final int DEFAULT_CPU_SHARES = 1024;

    /// The least memory that a container is given: less does not hold the process that sets it up.
    public static final Bytes LEAST_MEMORY = Bytes.mebibytes(6);

    private static final int LEAST_CPU_SHARES = 2;
    private static final int MOST_CPU_SHARES = 262_144;
    private static final long MOST_PIDS = 4_194_304; // PID_MAX_LIMIT, linux/threads.h

    private static final Limits DEFAULTS =
            new Limits(Bytes.gibibytes(1), Optional.empty(), Optional.empty(), DEFAULT_CPU_SHARES, 512);

    /// Checks each value against what the kernel takes.
    public Limits {
        if (memory.compareTo(LEAST_MEMORY) < 0) {
            throw new CgroupException(
                    Code.MEMORY_TOO_SMALL,
                    "A memory limit of " + memory + " is too small to start in; give at least " + LEAST_MEMORY + ".");
        }
        if (cpuShares < LEAST_CPU_SHARES || cpuShares > MOST_CPU_SHARES) {
            throw new CgroupException(
                    Code.CPU_SHARES_OUT_OF_RANGE,
                    "CPU shares are " + LEAST_CPU_SHARES + " to " + MOST_CPU_SHARES + ", not " + cpuShares + ".");
        }
        if (pids < 1 || (pids > MOST_PIDS && pids != UNLIMITED_PIDS)) {
            throw new CgroupException(
                    Code.PIDS_OUT_OF_RANGE, "A pids limit is 1 to " + MOST_PIDS + " or unlimited, not " + pids + ".");
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
        return new Limits(most, memorySwap, cpuQuota, cpuShares, pids);
    }

    /// Docker's meaning: memory and swap together.
    public Limits memorySwap(Bytes mostTogether) {
        return new Limits(memory, Optional.of(mostTogether), cpuQuota, cpuShares, pids);
    }

    public Limits cpus(CpuQuota most) {
        return new Limits(memory, memorySwap, Optional.of(most), cpuShares, pids);
    }

    /// A number of CPUs, such as `1.5`.
    public Limits cpus(String number) {
        return cpus(CpuQuota.cpus(number));
    }

    public Limits cpuShares(int weight) {
        return new Limits(memory, memorySwap, cpuQuota, weight, pids);
    }

    public Limits pids(long most) {
        return new Limits(memory, memorySwap, cpuQuota, cpuShares, most);
    }

    /// The same limits as the kernel keeps them, in whole pages: what it gives back when it is asked.
    public Limits inWholePages() {
        return new Limits(memory.wholePages(), memorySwap.map(Bytes::wholePages), cpuQuota, cpuShares, pids);
    }

    /// The most memory and swap together that is in force: the memory alone unless swap was allowed.
    public Bytes memoryAndSwap() {
        return memorySwap.orElse(memory);
    }

    /// Swap beyond memory: nothing unless it was allowed.
    Bytes swap() {
        Bytes together = memoryAndSwap();
        if (together.isUnlimited()) {
            return memory.isUnlimited() && memorySwap.isEmpty() ? Bytes.ZERO : Bytes.UNLIMITED;
        }
        return Bytes.of(together.count() - memory.count());
    }

    /// Refuses limits that contradict each other. Making a group does it too; a caller may want to know sooner.
    /// @return this
    public Limits check() {
        if (memorySwap.isEmpty()) {
            return this;
        }
        Bytes together = memoryAndSwap();
        if (memory.isUnlimited() && !together.isUnlimited()) {
            throw new CgroupException(
                    Code.SWAP_WITHOUT_MEMORY,
                    "Memory and swap together are limited to " + together
                            + " but memory alone is not; give a memory limit as well.");
        }
        if (together.compareTo(memory) < 0) {
            throw new CgroupException(
                    Code.SWAP_BELOW_MEMORY,
                    "Memory and swap together (" + together + ") are less than memory alone (" + memory
                            + "); give at least as much, or leave it out for no swap.");
        }
        return this;
    }
}
