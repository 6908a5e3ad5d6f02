package dev.caisson.seccomp;

import dev.caisson.linux.CapabilityNames;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Capabilities(7) by name and by bit.
final class Capabilities {
    private static final List<String> NAMES = CapabilityNames.ALL;

    private Capabilities() {}

    /// The bits of names.
    /// @throws SeccompException UNKNOWN_CAPABILITY
    static long mask(Set<String> names) {
        long mask = 0;
        for (String name : new TreeSet<>(names)) {
            int bit = NAMES.indexOf(name);
            if (bit < 0) {
                throw new SeccompException(
                        SeccompException.Code.UNKNOWN_CAPABILITY,
                        "\"" + name + "\" is no capability; write it as capabilities(7) does, CAP_SYS_ADMIN");
            }
            mask |= 1L << bit;
        }
        return mask;
    }

    /// A mask without the bits above the last known one, of a newer kernel.
    static long known(long mask) {
        return mask & ((1L << NAMES.size()) - 1);
    }

    /// The names of a mask's bits.
    static Set<String> ofMask(long mask) {
        var names = new TreeSet<String>();
        for (int bit = 0; bit < NAMES.size(); bit++) {
            if (((mask >>> bit) & 1) != 0) {
                names.add(NAMES.get(bit));
            }
        }
        return names;
    }
}
