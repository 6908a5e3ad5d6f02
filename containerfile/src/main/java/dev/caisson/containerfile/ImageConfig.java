package dev.caisson.containerfile;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The part of an image's configuration that describes its containers (OCI image specification, `config.md`).
/// @param digest the digest by which the image can be pinned
/// @param user as `Config.User`; empty text for root
/// @param users names and numeric ids from the image's `/etc/passwd`, where it was read
public record ImageConfig(
        Optional<String> digest,
        String user,
        Map<String, String> environment,
        List<String> ports,
        List<String> volumes,
        Optional<HealthCheck> health,
        Map<String, Long> users) {
    public ImageConfig {
        environment = Map.copyOf(environment);
        ports = List.copyOf(ports);
        volumes = List.copyOf(volumes);
        users = Map.copyOf(users);
    }
}
