package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import java.net.InetAddress;
import java.util.Optional;

/// Something that a container wanted outside of its networks and that its list does not have.
///
/// @param name that it asked for, or that led to the address; empty if it is not known
/// @param address that it sent to, or that a name was answered with; empty for a name that was asked of nobody
/// @param port that it sent to; 0 for a name, and for a protocol without ports
/// @param protocol `tcp`, `udp`, `icmp`, or the protocol's number; `dns` for a name
/// @param reason a few words, for people
public record EgressDenial(
        ContainerId container,
        Optional<String> name,
        Optional<InetAddress> address,
        int port,
        String protocol,
        String reason) {
    /// Name of the protocol of questions for names.
    public static final String NAMES = "dns";
}
