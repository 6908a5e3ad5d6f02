package dev.caisson.spec;

/// The traffic of one network interface of a container since its start, as the container sees it.
///
/// @param name in the container, `eth0`
public record InterfaceUse(String name, Traffic received, Traffic sent) {
    /// The traffic of one direction.
    ///
    /// @param errors packets that were damaged
    /// @param dropped packets that the link had no room for
    public record Traffic(long bytes, long packets, long errors, long dropped) {}
}
