package dev.caisson.spec;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/// A set of capabilities as the kernel prints it: bit n is the capability numbered n.
public record CapabilitySet(long mask) {
    public static final CapabilitySet NONE = new CapabilitySet(0);
    public static final CapabilitySet ALL = new CapabilitySet((1L << Capability.values().length) - 1);

    /// The default of a container, inside its own user namespace only.
    public static final CapabilitySet STANDARD = of(
            Capability.CHOWN,
            Capability.DAC_OVERRIDE,
            Capability.FOWNER,
            Capability.FSETID,
            Capability.KILL,
            Capability.SETGID,
            Capability.SETUID,
            Capability.SETPCAP,
            Capability.NET_BIND_SERVICE,
            Capability.SYS_CHROOT);

    public CapabilitySet {
        if (mask < 0 || mask >= 1L << Capability.values().length) {
            throw new IllegalArgumentException("unknown capability bits: " + Long.toHexString(mask));
        }
    }

    public static CapabilitySet of(Capability... capabilities) {
        long mask = 0;
        for (Capability capability : capabilities) {
            mask |= 1L << capability.number();
        }
        return new CapabilitySet(mask);
    }

    public CapabilitySet with(Capability capability) {
        return new CapabilitySet(mask | 1L << capability.number());
    }

    public CapabilitySet without(Capability capability) {
        return new CapabilitySet(mask & ~(1L << capability.number()));
    }

    /// This set less `dropped`, and with `added` last.
    public CapabilitySet but(Set<Capability> dropped, Set<Capability> added) {
        CapabilitySet set = this;
        for (Capability capability : dropped) {
            set = set.without(capability);
        }
        for (Capability capability : added) {
            set = set.with(capability);
        }
        return set;
    }

    public boolean contains(Capability capability) {
        return (mask >> capability.number() & 1) != 0;
    }

    public List<Capability> list() {
        var list = new ArrayList<Capability>();
        for (Capability capability : Capability.values()) {
            if (contains(capability)) {
                list.add(capability);
            }
        }
        return List.copyOf(list);
    }

    /// Sixteen hexadecimal digits, as in /proc/self/status.
    public String hex() {
        return HexFormat.of().toHexDigits(mask);
    }

    @Override
    public String toString() {
        return list().stream().map(Enum::name).reduce((a, b) -> a + " " + b).orElse("none");
    }
}
