package dev.caisson.launch;

import dev.caisson.linux.KernelText;
import dev.caisson.spec.CapabilitySet;

/// The user and the capabilities of this process, from /proc/self/status, proc(5).
///
/// @param capabilities its effective set
public record Privilege(int effectiveUid, CapabilitySet capabilities) {
    /// Reads it from the running kernel.
    public static Privilege read() {
        String status = HostFacts.text("/proc/self/status");
        return new Privilege(
                Integer.parseInt(field(status, "Uid:").split("\\s+", -1)[1]),
                new CapabilitySet(Long.parseUnsignedLong(field(status, "CapEff:"), 16) & CapabilitySet.ALL.mask()));
    }

    private static String field(String status, String name) {
        return KernelText.lines(status)
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip())
                .findFirst()
                .orElseThrow(() -> new HostException("PROC_UNREADABLE", "/proc/self/status has no line " + name));
    }
}
