package dev.caisson.launch;

import dev.caisson.linux.Fd;

/// The sockets at 127.0.0.11 of a container's network namespace at which its programs find a resolver.
///
/// @param udp bound
/// @param tcp listening
public record ResolverSockets(Fd udp, Fd tcp) {}
