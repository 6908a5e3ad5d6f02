package dev.caisson.network;

/// A setting of the host that a container's networks need, as planned and as the kernel has it.
///
/// @param subject as `port cv0123456789ab`
public record HostCheck(String subject, String planned, String found) {
    public boolean asPlanned() {
        return planned.equals(found);
    }
}
