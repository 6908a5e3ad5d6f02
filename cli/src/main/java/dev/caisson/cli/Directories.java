package dev.caisson.cli;

import dev.caisson.engine.CgroupDriver;
import dev.caisson.engine.EngineOptions;
import java.nio.file.Path;

/// The engine's directories and its driver of control groups: the standard ones, or what CAISSON_STATE,
/// CAISSON_DATA and CAISSON_CGROUP_DRIVER say.
final class Directories {
    private Directories() {}

    static EngineOptions options() {
        return new EngineOptions(
                directory("CAISSON_STATE", EngineOptions.DEFAULT_STATE),
                directory("CAISSON_DATA", EngineOptions.DEFAULT_DATA),
                driver());
    }

    private static CgroupDriver driver() {
        String value = System.getenv("CAISSON_CGROUP_DRIVER");
        return switch (value == null ? "" : value) {
            case "", "cgroupfs" -> CgroupDriver.CGROUPFS;
            case "systemd" -> CgroupDriver.SYSTEMD;
            default -> throw CommandException.usage("CAISSON_CGROUP_DRIVER is cgroupfs or systemd");
        };
    }

    private static Path directory(String variable, Path standard) {
        String value = CallerText.variable(variable).orElse("");
        if (value.isEmpty()) {
            return standard;
        }
        if (!value.startsWith("/")) {
            throw CommandException.usage(variable + " is an absolute path");
        }
        return HostPath.of(value);
    }
}
