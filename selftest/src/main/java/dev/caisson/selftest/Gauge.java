package dev.caisson.selftest;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.KernelText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/// What the kernel counts for the whole host, and a container on a network may try to use up.
public enum Gauge {
    /// Connections that the host keeps track of.
    CONNECTIONS("connections") {
        @Override
        long read() {
            List<String> lines = lines("/proc/sys/net/netfilter/nf_conntrack_count");
            return lines.isEmpty() ? 0 : Long.parseLong(lines.getFirst());
        }
    },
    /// Entries of the table of neighbors, of both families and all network namespaces.
    NEIGHBORS("neighbors") {
        @Override
        long read() {
            return entries("/proc/1/net/stat/arp_cache") + entries("/proc/1/net/stat/ndisc_cache");
        }
    },
    /// Memory of UDP sockets, which one limit bounds for all: `net.ipv4.udp_mem`.
    UDP_MEMORY("MiB of UDP") {
        @Override
        long read() {
            return lines("/proc/net/sockstat").stream()
                    .filter(line -> line.startsWith("UDP:"))
                    .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                    .mapToLong(pages -> (Long.parseLong(pages) * PAGE) >> 20)
                    .findFirst()
                    .orElse(0);
        }
    };

    private static final long PAGE = 4096;
    private static final int HEXADECIMAL = 16;

    private final String unit;

    Gauge(String unit) {
        this.unit = unit;
    }

    String unit() {
        return unit;
    }

    /// Returns how much there is now.
    abstract long read();

    /// Each line but the first is of one processor, with the number of all entries in front.
    private static long entries(String file) {
        List<String> lines = lines(file);
        return lines.size() < 2
                ? 0
                : Long.parseLong(lines.get(1).substring(0, lines.get(1).indexOf(' ')), HEXADECIMAL);
    }

    private static List<String> lines(String file) {
        try {
            return KernelText.lines(ByteText.read(Path.of(file))).toList();
        } catch (NoSuchFileException e) {
            return List.of(); // the kernel has no such table yet
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
