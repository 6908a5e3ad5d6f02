package dev.caisson.cli;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RestartPolicy;
import dev.caisson.spec.Limits;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson update`: changes the limits and the restart policy of containers.
@Command(
        name = "update",
        sortOptions = false,
        description = "Change limits of containers, at once and for later starts, and their restart policy.",
        footer = {"%n  caisson update -m 2g --cpus 1.5 web", "  caisson update --restart on-failure:3 web"})
final class UpdateCommand extends ContainerCommand {
    @Option(
            names = "--restart",
            paramLabel = "POLICY",
            description = "no, on-failure[:COUNT], unless-stopped or always.")
    private @Nullable String restart;

    @Option(
            names = {"-m", "--memory"},
            paramLabel = "BYTES",
            description = "Most memory.")
    private @Nullable String memory;

    @Option(
            names = "--memory-swap",
            paramLabel = "BYTES",
            description = "Most memory and swap together; -1 for no limit of swap.")
    private @Nullable String memorySwap;

    @Option(
            names = "--memory-reservation",
            paramLabel = "BYTES",
            description = "Memory that is taken back from it last when the host is short.")
    private @Nullable String memoryReservation;

    @Option(names = "--cpus", paramLabel = "NUMBER", description = "Most processors' worth of time, as 0.5.")
    private @Nullable String cpus;

    @Option(names = "--cpu-quota", paramLabel = "MICROS", description = "Most processor time in each period.")
    private @Nullable Long cpuQuota;

    @Option(names = "--cpu-period", paramLabel = "MICROS", description = "Length of the period of --cpu-quota.")
    private @Nullable Long cpuPeriod;

    @Option(
            names = {"-c", "--cpu-shares"},
            paramLabel = "WEIGHT",
            description = "Share of processor time against others.")
    private @Nullable Integer cpuShares;

    @Option(names = "--cpuset-cpus", paramLabel = "LIST", description = "Processors to run on, as 0-3,8.")
    private @Nullable String cpusetCpus;

    @Option(names = "--cpuset-mems", paramLabel = "LIST", description = "Memory nodes to take memory from.")
    private @Nullable String cpusetMems;

    @Option(names = "--pids-limit", paramLabel = "NUMBER", description = "Most processes and threads; -1 for no limit.")
    private @Nullable Long pidsLimit;

    @Option(
            names = "--blkio-weight",
            paramLabel = "10-1000",
            description = "Share of a busy disk against others, where its scheduler knows weights.")
    private @Nullable Integer ioWeight;

    private Optional<RestartPolicy> policy = Optional.empty();

    private GroupLimits limits() {
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

    @Override
    void prepare() {
        limits().over(Limits.defaults()); // refuses what is malformed before anything is changed
        if (restart == null && limits().isEmpty()) {
            throw CommandException.usage("you must provide one or more flags when using this command:"
                    + " --restart, --memory, --cpus, --pids-limit or another limit");
        }
        if (cpuQuota != null && cpuQuota == -1) {
            throw RunOptions.refused(
                    "--cpu-quota -1", "a limit of processor time can be changed, not taken away: give another one");
        }
        policy = Optional.ofNullable(restart).map(RestartPolicy::parse);
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        found.update(limits().isEmpty() ? UnaryOperator.identity() : limits()::over, policy);
    }
}
