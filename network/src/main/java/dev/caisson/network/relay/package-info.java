/// Published ports that no packet filter can lead to a container: those of loopback, and of the host's IPv6 addresses
/// for a container that has IPv4 alone.
package dev.caisson.network.relay;
