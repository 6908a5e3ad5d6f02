package dev.caisson.network.names;

import dev.caisson.text.AddressText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The servers of the host's resolv.conf(5), which is read again when it has changed; one on the host's loopback is
/// among them, because it is the host that asks. A file that cannot be read leaves those that were read before.
public final class HostServers implements Upstreams {
    private static final int MOST = 3;
    private static final int LONGEST = 64 * 1024;
    private static final int DNS = 53;
    private static final long PATIENCE_NANOS = 1_000_000_000;

    private record Seen(Object key, long size, long changed) {}

    private final Path file;
    private @Nullable Seen seen;
    private boolean looked;
    private long lookedAt;
    private List<InetSocketAddress> servers = List.of();

    /// @param file `/etc/resolv.conf`
    public HostServers(Path file) {
        this.file = file;
    }

    @Override
    public synchronized List<InetSocketAddress> servers() {
        long now = System.nanoTime();
        if (looked && now - lookedAt < PATIENCE_NANOS) {
            return servers;
        }
        looked = true;
        lookedAt = now;
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            var current = new Seen(
                    String.valueOf(attributes.fileKey()),
                    attributes.size(),
                    attributes.lastModifiedTime().to(java.util.concurrent.TimeUnit.NANOSECONDS));
            if (!current.equals(seen)) {
                List<InetSocketAddress> read = read();
                if (!read.isEmpty()) {
                    servers = read;
                }
                seen = current;
            }
        } catch (IOException e) {
            // it is about to be replaced: those that were read stay
        }
        return servers;
    }

    private List<InetSocketAddress> read() throws IOException {
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LONGEST);
        }
        return parse(new String(bytes, StandardCharsets.ISO_8859_1));
    }

    /// Returns the first three servers; a line that names none is left out.
    static List<InetSocketAddress> parse(String text) {
        var servers = new ArrayList<InetSocketAddress>();
        for (String line : text.lines().toList()) {
            String[] words = line.strip().split("\\s+", 3);
            if (words.length >= 2 && words[0].equals("nameserver") && servers.size() < MOST) {
                address(words[1]).ifPresent(address -> servers.add(new InetSocketAddress(address, DNS)));
            }
        }
        return List.copyOf(servers);
    }

    /// A link-local address has the name of its link behind it, `fe80::1%eth0`.
    private static Optional<InetAddress> address(String text) {
        int zone = text.indexOf('%');
        if (zone < 0) {
            return AddressText.parse(text);
        }
        Optional<InetAddress> plain = AddressText.parse(text.substring(0, zone));
        try {
            return plain.isEmpty() ? plain : Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // there is no such link
        }
    }
}
