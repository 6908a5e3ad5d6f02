package dev.caisson.network;

/// One thing of the host that a container's networks need, beside what the kernel has.
///
/// @param subject as `port cv0123456789ab`
public record HostCheck(String subject, String planned, String found) {
    public boolean asPlanned() {
        return planned.equals(found);
    }
}
