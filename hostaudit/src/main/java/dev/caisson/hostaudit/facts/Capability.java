package dev.caisson.hostaudit.facts;

import dev.caisson.linux.CapabilityNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Masks of capabilities(7) and their names, without `CAP_`.
public final class Capability {
    private static final List<String> NAMES = CapabilityNames.ALL.stream()
            .map(name -> name.substring("CAP_".length()))
            .toList();

    /// Docker's default.
    public static final long DOCKER_DEFAULT = mask(List.of(
            "CHOWN",
            "DAC_OVERRIDE",
            "FSETID",
            "FOWNER",
            "MKNOD",
            "NET_RAW",
            "SETGID",
            "SETUID",
            "SETFCAP",
            "SETPCAP",
            "NET_BIND_SERVICE",
            "SYS_CHROOT",
            "KILL",
            "AUDIT_WRITE"));

    /// Those of Docker's default that nearly no program needs: packets as others, devices, file capabilities, audit
    /// records.
    public static final long UNNEEDED = mask(List.of("NET_RAW", "MKNOD", "SETFCAP", "AUDIT_WRITE"));

    public static final long ALL = mask(NAMES);

    /// Those that only `--privileged` gives together; the engine may itself lack one or another of all.
    public static final long LEADING_OUT = mask(List.of(
            "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "NET_ADMIN", "DAC_READ_SEARCH", "MKNOD", "SYS_BOOT"));

    private Capability() {}

    public static long mask(List<String> names) {
        long mask = 0;
        for (String name : names) {
            int bit = NAMES.indexOf(name.toUpperCase(Locale.ROOT).replaceFirst("^CAP_", ""));
            if (name.equalsIgnoreCase("ALL")) {
                return (1L << NAMES.size()) - 1;
            }
            mask |= bit < 0 ? 0 : 1L << bit;
        }
        return mask;
    }

    public static List<String> names(long mask) {
        var names = new ArrayList<String>();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((mask & 1L << bit) != 0) {
                names.add(bit < NAMES.size() ? NAMES.get(bit) : "bit " + bit);
            }
        }
        return names;
    }
}
