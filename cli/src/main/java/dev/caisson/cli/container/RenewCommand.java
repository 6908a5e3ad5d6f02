package dev.caisson.cli.container;

import dev.caisson.cli.option.DetachOptions;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson renew`: renews the leases of containers.
@Command(
        name = "renew",
        sortOptions = false,
        description = "Renew the leases of containers that were created with --lease, from now.")
public final class RenewCommand extends ContainerCommand {
    @Option(
            names = "--lease",
            paramLabel = "DURATION",
            description = "In place of the time that it was created with: 10m.")
    private @Nullable String lease;

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        if (lease == null) {
            found.renew(found.options().lease().orElse(Duration.ofMillis(1)));
        } else {
            found.renew(DetachOptions.lease("--lease", lease));
        }
    }
}
