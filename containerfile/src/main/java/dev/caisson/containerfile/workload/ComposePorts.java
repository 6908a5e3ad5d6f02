package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.compose.ComposeValues;
import dev.caisson.containerfile.workload.Workload.Port;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The published ports of a compose service: `[[HOST:]PUBLISHED:]TARGET[/PROTOCOL]`, and the long form.
final class ComposePorts {
    private ComposePorts() {}

    static List<Port> of(YamlMap body) {
        List<Port> ports = new ArrayList<>();
        body.seq("ports")
                .ifPresent(seq -> seq.items().forEach(item -> {
                    switch (item) {
                        case YamlScalar text -> ports.add(shortForm(text));
                        case YamlMap map -> ports.add(longForm(map));
                        default -> throw ComposeValues.shape(item, "A port is a number, a text or a mapping.");
                    }
                }));
        return List.copyOf(ports);
    }

    private static Port shortForm(YamlScalar scalar) {
        String text = scalar.value().strip();
        String protocol = "tcp";
        int slash = text.lastIndexOf('/');
        if (slash >= 0) {
            protocol = text.substring(slash + 1);
            text = text.substring(0, slash);
        }
        int targetColon = text.lastIndexOf(':');
        if (targetColon < 0) {
            return new Port(Optional.empty(), "", text, protocol, scalar.place());
        }
        String target = text.substring(targetColon + 1);
        String host = text.substring(0, targetColon);
        int addressEnd = host.startsWith("[") ? host.indexOf(']') : host.lastIndexOf(':') - 1;
        if (addressEnd < 0) {
            return new Port(Optional.empty(), host, target, protocol, scalar.place());
        }
        String address = host.startsWith("[") ? host.substring(1, addressEnd) : host.substring(0, addressEnd + 1);
        String published = host.substring(Math.min(host.length(), addressEnd + 2));
        return new Port(
                address.isEmpty() ? Optional.empty() : Optional.of(address),
                published,
                target,
                protocol,
                scalar.place());
    }

    private static Port longForm(YamlMap map) {
        String protocol = Scalars.plain(map, "protocol");
        return new Port(
                map.scalar("host_ip").map(YamlScalar::value).filter(address -> !address.isBlank()),
                Scalars.plain(map, "published"),
                Scalars.plain(map, "target"),
                protocol.isEmpty() ? "tcp" : protocol,
                map.place());
    }
}
