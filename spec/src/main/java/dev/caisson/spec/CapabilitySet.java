package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
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
            throw ArgumentException.invalid("unknown capability bits: " + Long.toHexString(mask)
                    + ": use the numbers of capabilities(7) up to " + (Capability.values().length - 1));
        }
    }

    public static CapabilitySet of(Capability... capabilities) {
        long mask = 0;
        for (Capability capability : present(capabilities, "capabilities")) {
            mask |= bit(capability);
        }
        return new CapabilitySet(mask);
    }

    public CapabilitySet with(Capability capability) {
        return new CapabilitySet(mask | bit(capability));
    }

    public CapabilitySet without(Capability capability) {
        return new CapabilitySet(mask & ~bit(capability));
    }

    /// This set less `dropped`, and with `added` last.
    public CapabilitySet but(Set<Capability> dropped, Set<Capability> added) {
        CapabilitySet set = this;
        for (Capability capability : present(dropped, "dropped")) {
            set = set.without(capability);
        }
        for (Capability capability : present(added, "added")) {
            set = set.with(capability);
        }
        return set;
    }

    public boolean contains(Capability capability) {
        return (mask & bit(capability)) != 0;
    }

    private static long bit(Capability capability) {
        return 1L << present(capability, "capability").number();
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
