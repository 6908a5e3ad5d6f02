/// Networks of containers: bridges, addresses, packet filter, records.
package dev.caisson.network;
