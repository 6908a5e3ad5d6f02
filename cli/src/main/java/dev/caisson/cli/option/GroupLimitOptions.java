package dev.caisson.cli.option;

import org.jspecify.annotations.Nullable;

/// The options for limits that a container may be given at its creation and later: those of `run` and of `update`.
public final class GroupLimitOptions {
    private final boolean created;
    private @Nullable String memory;
    private @Nullable String memorySwap;
    private @Nullable String memoryReservation;
    private @Nullable String cpus;
    private @Nullable Long cpuQuota;
    private @Nullable Long cpuPeriod;
    private @Nullable Integer cpuShares;
    private @Nullable String cpusetCpus;
    private @Nullable String cpusetMems;
    private @Nullable Long pidsLimit;
    private @Nullable Integer ioWeight;

    /// Makes the options for a container that is created, or for one that exists.
    /// @param created whether what is not given has its default, and not its former value
    public GroupLimitOptions(boolean created) {
        this.created = created;
    }

    private String usually(String text) {
        return created ? " (default: " + text + ")." : ".";
    }

    public void add(OptionList options) {
        options.text("-m, --memory", "BYTES", "Most memory" + usually("1g"), value -> memory = value)
                .text(
                        "--memory-swap",
                        "BYTES",
                        "Most memory and swap together; -1 for no limit of swap" + usually("no swap"),
                        value -> memorySwap = value)
                .text(
                        "--memory-reservation",
                        "BYTES",
                        "Memory that is taken back from it last when the host is short.",
                        value -> memoryReservation = value)
                .value(
                        "--pids-limit",
                        "NUMBER",
                        "Most processes and threads; -1 for no limit" + usually("512"),
                        Long.class,
                        value -> pidsLimit = value);
        addProcessors(options);
        options.value(
                "--blkio-weight",
                "10-1000",
                "Share of a busy disk against others, where its scheduler knows weights.",
                Integer.class,
                value -> ioWeight = value);
    }

    private void addProcessors(OptionList options) {
        options.text("--cpus", "NUMBER", "Most processors' worth of time, as 0.5.", value -> cpus = value)
                .value(
                        "--cpu-quota",
                        "MICROS",
                        "Most processor time in each period, all processors together"
                                + (created ? "; -1 for no limit." : "."),
                        Long.class,
                        value -> cpuQuota = value)
                .value(
                        "--cpu-period",
                        "MICROS",
                        "Length of the period of --cpu-quota (default: 100000).",
                        Long.class,
                        value -> cpuPeriod = value)
                .value(
                        "-c, --cpu-shares",
                        "WEIGHT",
                        "Share of processor time against others" + usually("1024"),
                        Integer.class,
                        value -> cpuShares = value)
                .text("--cpuset-cpus", "LIST", "Processors to run on, as 0-3,8.", value -> cpusetCpus = value)
                .text("--cpuset-mems", "LIST", "Memory nodes to take memory from.", value -> cpusetMems = value);
    }

    /// Returns whether an end of a limit of processor time was asked for.
    public boolean freesProcessorTime() {
        return cpuQuota != null && cpuQuota == -1;
    }

    public GroupLimits given() {
        return new GroupLimits(
                memory,
                memorySwap,
                memoryReservation,
                cpus,
                cpuQuota,
                cpuPeriod,
                cpuShares,
                cpusetCpus,
                cpusetMems,
                pidsLimit,
                ioWeight);
    }
}
