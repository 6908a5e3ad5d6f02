package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Options that commands on profiles and filters share: where they write, and what a profile is
/// resolved for, a machine, its kernel and a container's capabilities.
class SeccompTarget {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec command;

    @Option(
            names = "--arch",
            paramLabel = "ARCH",
            description = "The machine: x86_64, aarch64, riscv64, s390x, ppc64le, loongarch64 (default: this one).")
    private @Nullable String architecture;

    @Option(
            names = "--caps",
            paramLabel = "CAPABILITIES",
            split = ",",
            description = "The container's capabilities, ALL or NONE (default: those that a container has).")
    private @Nullable List<String> capabilities;

    @Option(names = "--kernel", paramLabel = "VERSION", description = "The kernel, as 6.12 (default: this one).")
    private @Nullable String kernel;

    final PrintWriter out() {
        return command.commandLine().getOut();
    }

    final PrintWriter err() {
        return command.commandLine().getErr();
    }

    final Architecture machine() {
        return architecture == null ? Architecture.host() : Architecture.parse(architecture);
    }

    final Target target() {
        String version = kernel == null ? System.getProperty("os.version") : kernel;
        return new Target(machine(), KernelVersion.parse(version), mask());
    }

    private long mask() {
        if (capabilities == null) {
            return CapabilitySet.STANDARD.mask();
        }
        CapabilitySet set = CapabilitySet.NONE;
        for (String name : capabilities) {
            set = switch (name.toUpperCase(Locale.ROOT)) {
                case "ALL" -> CapabilitySet.ALL;
                case "NONE", "" -> set;
                default ->
                    set.with(Capability.parse(name)
                            .orElseThrow(() -> CommandException.usage(
                                    "--caps knows no capability '" + name + "'; see capabilities(7)")));
            };
        }
        return set.mask();
    }
}
