package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkSpec;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Puts together what follows from a container, a network and what was chosen.
final class Places {
    /// Interface index of a container's first link; the kernel numbers its own from 1.
    static final int FIRST_INDEX = 100;

    private static final int BYTES_IN_LINK = 6;

    private Places() {}

    /// @param number of the link, 0 for the container's first
    static Attachment attachment(
            ContainerId container,
            NetworkInfo network,
            int number,
            MacAddress mac,
            Optional<InetAddress> ip4,
            Optional<InetAddress> ip6,
            List<String> aliases,
            List<Attachment.Linked> links) {
        return new Attachment(
                container,
                network.name(),
                network.id(),
                hostLink(container, number),
                network.bridge(),
                !network.betweenContainers(),
                guestName(number),
                FIRST_INDEX + number,
                mac,
                network.mtu(),
                ip4.map(address -> address(network, address, false)),
                ip6.map(address -> address(network, address, true)),
                network.internal(),
                aliases,
                links);
    }

    private static Attachment.Address address(NetworkInfo network, InetAddress address, boolean six) {
        NetworkSpec.Pool pool = network.pool(six)
                .orElseThrow(() -> new IllegalArgumentException("network " + network.name() + " has no such family"));
        return new Attachment.Address(address, pool.subnet(), pool.gateway().orElseThrow());
    }

    static String guestName(int number) {
        return "eth" + number;
    }

    static String hostLink(ContainerId container, int number) {
        byte[] hash = sha256(container.value() + "/" + number);
        return "cv" + HexFormat.of().formatHex(hash, 0, BYTES_IN_LINK);
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
