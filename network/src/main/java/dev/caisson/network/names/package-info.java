/// The names of containers: a DNS resolver over sockets that others made, RFC 1035.
package dev.caisson.network.names;
