package dev.caisson.launch;

import dev.caisson.linux.FileStatus;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.DeviceRule.Kind;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// The numbers by which the kernel knows a device, as its node shows them.
public record DeviceNode(Kind kind, int major, int minor) {
    /// Empty for a file that is no device node.
    static Optional<DeviceNode> of(FileStatus file) {
        if (file.isCharacterDevice()) {
            return Optional.of(new DeviceNode(Kind.CHARACTER, file.deviceMajor(), file.deviceMinor()));
        }
        return file.isBlockDevice()
                ? Optional.of(new DeviceNode(Kind.BLOCK, file.deviceMajor(), file.deviceMinor()))
                : Optional.empty();
    }

    /// The rule that lets this device be used, and no other.
    DeviceRule rule(Set<Access> access) {
        return new DeviceRule(kind, OptionalInt.of(major), OptionalInt.of(minor), access);
    }

    /// `enum device_kind` of `native/plan.h`.
    int wireKind() {
        return switch (kind) {
            case CHARACTER -> 1;
            case BLOCK -> 2;
        };
    }

    static DeviceNode ofWire(int kind, int major, int minor) {
        for (Kind each : Kind.values()) {
            var node = new DeviceNode(each, major, minor);
            if (node.wireKind() == kind) {
                return node;
            }
        }
        throw new IllegalArgumentException("no kind of device has number " + kind);
    }

    /// Returns the form of a listing: `c 10:229`.
    @Override
    public String toString() {
        return rule(Set.of()).toString().strip();
    }
}
