package dev.caisson.cli;

import java.util.Map;
import java.util.Optional;

/// Docker's options that this version does not have: refused by name, with what to do.
final class LaterOptions {
    private static final String NETWORK =
            "networks are not part of this version: every container has its own loopback alone";
    private static final String LIFECYCLE = "containers that outlive the command are not part of this version";
    private static final String LOG =
            "a container without --rm has one kind of log, files as Docker's json-file makes them, three of 10 MiB";
    private static final Map<String, String> REASONS = Map.ofEntries(
            Map.entry("-p", NETWORK),
            Map.entry("--publish", NETWORK),
            Map.entry("-P", NETWORK),
            Map.entry("--publish-all", NETWORK),
            Map.entry("--expose", NETWORK),
            Map.entry("--link", NETWORK),
            Map.entry("--network-alias", NETWORK),
            Map.entry("--ip", NETWORK),
            Map.entry("--ip6", NETWORK),
            Map.entry("--dns", NETWORK),
            Map.entry("--add-host", NETWORK),
            Map.entry("--mac-address", NETWORK),
            Map.entry("-d", LIFECYCLE),
            Map.entry("--detach", LIFECYCLE),
            Map.entry("--restart", LIFECYCLE),
            Map.entry("--health-cmd", LIFECYCLE),
            Map.entry("--cidfile", LIFECYCLE),
            Map.entry("--log-driver", LOG),
            Map.entry("--log-opt", LOG),
            Map.entry("--volumes-from", LIFECYCLE),
            Map.entry("--gpus", "give the device nodes of the driver, each with --device"),
            Map.entry("--pid", "a container always has its own process ids"),
            Map.entry("--userns", "a container always has its own user namespace"),
            Map.entry("--cgroupns", "a container always has its own cgroup namespace"),
            Map.entry("--pull", "registries are not part of this version"),
            Map.entry("--platform", "images of other machines are not part of this version"),
            Map.entry("--cpu-rt-runtime", "real-time processor time is not given to containers"),
            Map.entry("--cpu-rt-period", "real-time processor time is not given to containers"),
            Map.entry("--kernel-memory", "the kernel counts its own memory for a container with --memory: use that"),
            Map.entry("--runtime", "Caisson is the runtime"));

    private LaterOptions() {}

    /// Why an option that was not recognised is refused; empty where Docker has none of that name.
    static Optional<CommandException> refusal(String argument) {
        int equals = argument.indexOf('=');
        String option = equals < 0 ? argument : argument.substring(0, equals);
        return Optional.ofNullable(REASONS.get(option)).map(reason -> RunOptions.refused(option, reason));
    }
}
