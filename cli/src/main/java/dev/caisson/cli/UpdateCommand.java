package dev.caisson.cli;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RestartPolicy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson update`: changes the restart policy of containers.
@Command(
        name = "update",
        sortOptions = false,
        description = "Change the restart policy of containers.",
        footer = "%n  caisson update --restart on-failure:3 web")
final class UpdateCommand extends ContainerCommand {
    private static final String LIMITS = "limits are given where a container is created: create it again with this one";

    @Option(
            names = "--restart",
            paramLabel = "POLICY",
            description = "no, on-failure[:COUNT], unless-stopped or always.")
    private @Nullable String restart;

    @Option(
            names = {
                "-m",
                "--memory",
                "--memory-swap",
                "--memory-reservation",
                "--cpus",
                "--cpu-period",
                "--cpu-quota",
                "-c",
                "--cpu-shares",
                "--cpuset-cpus",
                "--cpuset-mems",
                "--pids-limit",
                "--blkio-weight"
            },
            paramLabel = "LIMIT",
            hidden = true,
            description = "Refused.")
    private @Nullable String limit;

    private Optional<RestartPolicy> policy = Optional.empty();

    @Override
    void prepare() {
        if (limit != null) {
            throw RunOptions.refused("limits of 'caisson update'", LIMITS);
        }
        if (restart == null) {
            throw CommandException.usage("you must provide one or more flags when using this command: --restart");
        }
        policy = Optional.of(RestartPolicy.parse(restart));
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        found.update(Optional.empty(), policy);
    }
}
