package dev.caisson.engine;

import java.net.InetAddress;

/// A host that gates find at one address and trust by certificates of its own, in place of what the host's names and
/// authorities say. Only [GateCanary] gives an engine one: no option, file or variable leads to it.
///
/// @param certificates in PEM
record KnownHost(String name, InetAddress address, String certificates) {}
