package dev.caisson.launch;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The part of [Policy] that is about devices of the host.
final class HostDeviceRules {
    private static final int MAX_DEVICES = 16;
    private static final InRootPath DEV = InRootPath.of("dev");

    /// The paths below `/dev` that every container has already.
    private static final List<InRootPath> RESERVED = List.of(
                    "null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "shm", "mqueue", "fd",
                    "stdin", "stdout", "stderr")
            .stream()
            .map(name -> InRootPath.of("dev/" + name))
            .toList();

    private HostDeviceRules() {}

    /// A device that the host has: the wish with no link left in its source, and what its node says.
    record Found(HostDevice device, DeviceNode node) {}

    /// Checks what the spec alone decides.
    static void check(ContainerSpec spec, List<Finding> findings) {
        List<HostDevice> devices = spec.devices();
        if (devices.size() > MAX_DEVICES) {
            findings.add(new Finding("DEVICES_TOO_MANY", "a container takes at most " + MAX_DEVICES + " devices"));
        }
        if (!devices.isEmpty() && spec.limits().bestEffort()) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "a device of the host is given only where the kernel enforces what may be done with it: leave"
                            + " best effort out"));
        }
        var targets = new HashSet<InRootPath>();
        for (HostDevice device : devices) {
            checkTarget(device.target(), targets, findings);
            checkSource(device, findings);
            if (!spec.allowances().contains(Allowance.HOST_DEVICES)) {
                findings.add(new Finding(
                        "ALLOWANCE_NEEDED",
                        "the device " + device.source() + " opens: " + Allowance.HOST_DEVICES.opens()
                                + "; if that is meant, add --allow " + Allowance.HOST_DEVICES.option()));
            }
        }
    }

    private static void checkSource(HostDevice device, List<Finding> findings) {
        Path source = device.source();
        if (!HostObjects.isPlain(source)) {
            findings.add(new Finding(
                    "DEVICE_SOURCE", "the device " + source + " is not an absolute path without '.' and '..'"));
        }
        if (device.access().isEmpty()) {
            findings.add(new Finding("DEVICE_ACCESS", "nothing may be done with the device " + source + ": give rwm"));
        }
    }

    private static void checkTarget(InRootPath target, Set<InRootPath> targets, List<Finding> findings) {
        if (!target.isWithin(DEV) || target.equals(DEV)) {
            findings.add(new Finding(
                    "DEVICE_TARGET",
                    "a device cannot stand at " + target
                            + ": choose a path below /dev, where nothing of the image is"));
        }
        for (InRootPath reserved : RESERVED) {
            if (target.isWithin(reserved)) {
                findings.add(new Finding(
                        "DEVICE_TARGET",
                        "a device cannot stand at " + target + ": " + reserved + " belongs to the engine"));
            }
        }
        boolean isFree = targets.stream().noneMatch(other -> other.isWithin(target) || target.isWithin(other));
        if (!isFree) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT", "two devices have the target " + target + " or one below it: give one"));
        }
        targets.add(target);
    }

    /// Finds the devices of a wish that has passed [#check].
    /// @throws RefusedException where one cannot be given
    static List<Found> find(ContainerSpec spec, Map<Path, HostObjects.Device> devices) {
        var found = new ArrayList<Found>();
        Map<DeviceNode, HostDevice> known = new HashMap<>();
        for (HostDevice device : spec.devices()) {
            Found one = found(device, devices.get(device.source()));
            if (one.node().rule(EnumSet.noneOf(DeviceRule.Access.class)).isStandard()) {
                throw new RefusedException(
                        "DEVICE_STANDARD",
                        "the device " + device.source() + " (" + one.node()
                                + ") is of those that every container may use: leave it out");
            }
            HostDevice other = known.put(one.node(), device);
            if (other != null && !other.access().equals(device.access())) {
                throw new RefusedException(
                        "OPTIONS_CONTRADICT",
                        other.source() + " and " + device.source() + " are one device, for which the kernel has one"
                                + " rule: give both the same access");
            }
            found.add(one);
        }
        return found;
    }

    private static Found found(HostDevice device, HostObjects.@Nullable Device there) {
        return switch (there) {
            case HostObjects.Device.Node(Path real, DeviceNode node) ->
                new Found(new HostDevice(real, device.target(), device.access()), node);
            case HostObjects.Device.None(Finding why) -> throw new RefusedException(List.of(why));
            case null -> throw new IllegalStateException(device.source() + " was not looked at");
        };
    }

    /// The limits with a rule for each device beside the rules that were given.
    static Limits limits(Limits limits, List<Found> devices) {
        if (devices.isEmpty()) {
            return limits;
        }
        var rules = new ArrayList<>(limits.devices().orElse(List.of()));
        devices.forEach(found -> rules.add(found.node().rule(found.device().access())));
        return limits.devices(rules);
    }
}
