package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Limits;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/// Limits in Docker's words that a container starts with and that `caisson update` changes while it runs; null for
/// those that are not given.
public record GroupLimits(
        @Nullable String memory,
        @Nullable String memorySwap,
        @Nullable String memoryReservation,
        @Nullable String cpus,
        @Nullable Long cpuQuota,
        @Nullable Long cpuPeriod,
        @Nullable Integer cpuShares,
        @Nullable String cpusetCpus,
        @Nullable String cpusetMems,
        @Nullable Long pidsLimit,
        @Nullable Integer ioWeight) {
    private static final long DEFAULT_PERIOD = 100_000;

    public boolean isEmpty() {
        return equals(new GroupLimits(null, null, null, null, null, null, null, null, null, null, null));
    }

    /// Returns `before` with what is given in place of it.
    public Limits over(Limits before) {
        Limits limits = before;
        limits = memory == null ? limits : limits.memory(bytes(memory));
        limits = memorySwap == null ? limits : limits.memorySwap(bytes(memorySwap));
        limits = memoryReservation == null ? limits : limits.memoryReservation(bytes(memoryReservation));
        limits = cpuTime(limits);
        limits = cpuShares == null ? limits : limits.cpuShares(cpuShares);
        limits = cpusetCpus == null ? limits : limits.cpuset(CpuList.parse(cpusetCpus));
        limits = cpusetMems == null ? limits : limits.memoryNodes(CpuList.parse(cpusetMems));
        limits = pidsLimit == null ? limits : limits.pids(pidsLimit == -1 ? Limits.UNLIMITED_PIDS : pidsLimit);
        return ioWeight == null ? limits : limits.ioWeight(ioWeight);
    }

    /// Docker writes no limit as -1.
    private static Bytes bytes(String text) {
        return text.equals("-1") ? Bytes.UNLIMITED : Bytes.parse(text);
    }

    private Limits cpuTime(Limits limits) {
        if (cpus != null) {
            if (cpuQuota != null || cpuPeriod != null) {
                throw CommandException.refused(
                        "--cpus", "it stands for --cpu-quota and --cpu-period: give one or the other");
            }
            return limits.cpus(withinHost(cpus));
        }
        if (cpuQuota == null || cpuQuota == -1) {
            if (cpuPeriod != null) {
                throw CommandException.refused(
                        "--cpu-period", "a period alone limits nothing: give --cpu-quota as well");
            }
            return limits;
        }
        return limits.cpus(new CpuQuota(cpuQuota, cpuPeriod == null ? DEFAULT_PERIOD : cpuPeriod));
    }

    /// Refuses more than the host has, as Docker's daemon does: it would be no limit.
    private static String withinHost(String cpus) {
        int processors = Runtime.getRuntime().availableProcessors();
        try {
            if (new BigDecimal(cpus).compareTo(BigDecimal.valueOf(processors)) > 0) {
                throw CommandException.refused(
                        "--cpus " + cpus, "only " + processors + " processors are available: give at most that many");
            }
        } catch (NumberFormatException e) {
            return cpus; // which the limits refuse, with the reason
        }
        return cpus;
    }
}
