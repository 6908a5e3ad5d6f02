package dev.caisson.cli.network;

import dev.caisson.cli.caller.CommandException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options of Docker's `network create` that a script may have: what is so anyway is taken, and what is not there is
/// refused and says what to do.
final class DockerCreation {
    @Option(names = "--attachable", hidden = true)
    @SuppressWarnings("UnusedVariable") // each network is
    private boolean attachable;

    @Option(names = "--scope", paramLabel = "SCOPE", hidden = true)
    private String scope = "local";

    @Option(names = "--ipv4", arity = "0..1", fallbackValue = "true", defaultValue = "true", hidden = true)
    private boolean ipv4 = true;

    @Option(names = "--ipam-driver", paramLabel = "DRIVER", hidden = true)
    private String ipamDriver = "default";

    @Option(names = "--ipam-opt", paramLabel = "KEY=VALUE", hidden = true)
    private List<String> ipamOptions = List.of();

    @Option(names = "--aux-address", paramLabel = "NAME=ADDRESS", hidden = true)
    private List<String> reserved = List.of();

    @Option(names = "--config-only", hidden = true)
    private boolean configOnly;

    @Option(names = "--config-from", paramLabel = "NETWORK", hidden = true)
    private @Nullable String configFrom;

    @Option(names = "--ingress", hidden = true)
    private boolean ingress;

    /// @throws CommandException OPTION_REFUSED
    void require() {
        refuse(!scope.equals("local"), "--scope", "networks are of this host alone: leave it out");
        refuse(!ipv4, "--ipv4", "each network has IPv4 addresses: leave it out");
        refuse(!ipamDriver.equals("default"), "--ipam-driver", "there is the default one alone: leave it out");
        refuse(!ipamOptions.isEmpty(), "--ipam-opt", "the default driver of addresses has none: leave it out");
        refuse(
                !reserved.isEmpty(),
                "--aux-address",
                "no address is kept free by name: give --ip-range, and take the address from the rest of the subnet");
        refuse(configOnly, "--config-only", "there are no networks without a bridge: give each its options");
        refuse(configFrom != null, "--config-from", "there are no networks without a bridge: give each its options");
        refuse(ingress, "--ingress", "there are no services of several hosts: leave it out");
    }

    private static void refuse(boolean given, String option, String why) {
        if (given) {
            throw CommandException.refused(option, why);
        }
    }
}
