package dev.caisson.cli.option;

import static java.util.stream.Collectors.joining;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import java.nio.file.InvalidPathException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Docker's `--device`: a device of the host, where the container has it, and what may be done with it.
public final class DeviceOptions {
    private static final String ALL = "rwm";

    private DeviceOptions() {}

    static ContainerSpec apply(ContainerSpec start, List<String> devices) {
        ContainerSpec spec = start;
        for (String device : devices) {
            spec = spec.device(device(device));
        }
        return spec;
    }

    /// Parses a device as Docker does: of two parts the second is the access where it can be, else the path.
    private static HostDevice device(String text) {
        String[] parts = text.split(":", -1);
        return switch (parts.length) {
            case 1 -> device(text, text, ALL);
            case 2 -> isAccess(parts[1]) ? device(parts[0], parts[0], parts[1]) : device(parts[0], parts[1], ALL);
            case 3 -> device(parts[0], parts[1], parts[2]);
            default -> throw bad(text, "give HOSTPATH, HOSTPATH:PATH or HOSTPATH:PATH:rwm");
        };
    }

    private static HostDevice device(String source, String target, String access) {
        if (!isAccess(access)) {
            throw bad(source, "the access '" + access + "' is not of the letters r, w and m, each at most once");
        }
        if (!source.startsWith("/")) {
            throw bad(source, "the path of a device is absolute, as /dev/fuse");
        }
        try {
            return new HostDevice(HostPath.of(source), InRootPath.parse(target), access(access));
        } catch (ArgumentException e) {
            throw bad(source, e.sentence());
        } catch (InvalidPathException e) {
            throw bad(source, "no path holds a NUL character");
        }
    }

    private static boolean isAccess(String text) {
        return !text.isEmpty()
                && text.chars().distinct().count() == text.length()
                && text.chars().allMatch(letter -> ALL.indexOf(letter) >= 0);
    }

    private static Set<Access> access(String letters) {
        Set<Access> set = EnumSet.noneOf(Access.class);
        for (Access one : Access.values()) {
            if (letters.indexOf(one.letter()) >= 0) {
                set.add(one);
            }
        }
        return set;
    }

    /// Returns a device's text for people.
    public static String text(HostDevice device) {
        return "the host's device " + device.source() + " at " + device.target() + ", " + letters(device.access());
    }

    private static String letters(Set<Access> access) {
        return access.stream()
                .sorted()
                .map(one -> Character.toString(one.letter()))
                .collect(joining());
    }

    private static CommandException bad(String what, String advice) {
        return new CommandException(
                "DEVICE_INVALID", CommandException.ENGINE_FAILED, "--device " + what + ": " + advice);
    }
}
