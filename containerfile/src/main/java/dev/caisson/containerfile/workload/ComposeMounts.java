package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeValues;
import dev.caisson.containerfile.workload.Workload.Mount;
import dev.caisson.containerfile.workload.Workload.MountKind;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The mounts of a compose service, short and long form alike. A named volume whose driver options bind a path of the
/// host is that bind.
final class ComposeMounts {
    private static final Set<String> PROPAGATION =
            Set.of("shared", "rshared", "slave", "rslave", "private", "rprivate");

    private final ComposeProject project;

    private ComposeMounts(ComposeProject project) {
        this.project = project;
    }

    static List<Mount> of(ComposeProject project, YamlMap body) {
        ComposeMounts mounts = new ComposeMounts(project);
        List<Mount> all = new ArrayList<>();
        body.seq("volumes")
                .ifPresent(volumes -> volumes.items().forEach(item -> {
                    switch (item) {
                        case YamlScalar text -> all.add(mounts.shortForm(text));
                        case YamlMap map -> all.add(mounts.longForm(map));
                        default -> throw ComposeValues.shape(item, "A volume is a text or a mapping.");
                    }
                }));
        Scalars.list(body, "tmpfs").forEach(tmpfs -> all.add(tmpfs(tmpfs)));
        return List.copyOf(all);
    }

    private Mount shortForm(YamlScalar text) {
        String[] parts = text.value().split(":", -1);
        if (parts.length == 1) {
            return volume("", text.value(), false, Optional.empty(), text.place());
        }
        String source = parts[0];
        String target = parts[1];
        List<String> modes = parts.length > 2 ? Arrays.asList(parts[2].split(",", -1)) : List.of();
        Optional<String> propagation =
                modes.stream().filter(PROPAGATION::contains).findFirst();
        boolean isPath = source.startsWith("/") || source.startsWith(".") || source.startsWith("~");
        return isPath
                ? bind(source, target, modes.contains("ro"), propagation, text.place())
                : volume(source, target, modes.contains("ro"), propagation, text.place());
    }

    private Mount longForm(YamlMap map) {
        String type = Scalars.plain(map, "type");
        String source = Scalars.plain(map, "source");
        String target = Scalars.plain(map, "target");
        boolean readOnly = Scalars.flag(map, "read_only", FileError.COMPOSE_VALUE)
                .map(Setting::value)
                .orElse(false);
        Optional<String> propagation = map.map("bind")
                .flatMap(bind -> bind.scalar("propagation"))
                .map(YamlScalar::value)
                .filter(value -> !value.isBlank());
        return switch (type) {
            case "bind" -> bind(source, target, readOnly, propagation, map.place());
            case "tmpfs" ->
                new Mount(
                        MountKind.TMPFS,
                        "",
                        "",
                        target,
                        readOnly,
                        Optional.empty(),
                        map.map("tmpfs")
                                .flatMap(tmpfs -> Scalars.value(
                                        tmpfs, "size", Quantity::bytes, FileError.COMPOSE_VALUE, "an amount of bytes"))
                                .map(Setting::value),
                        map.place());
            case "volume", "" -> volume(source, target, readOnly, propagation, map.place());
            default ->
                new Mount(
                        MountKind.OTHER, source, source, target, readOnly, propagation, Optional.empty(), map.place());
        };
    }

    /// Returns the mount of `use_api_socket`.
    static Mount engineSocket(Place place) {
        return new Mount(
                MountKind.BIND,
                "/var/run/docker.sock",
                "/var/run/docker.sock",
                "/var/run/docker.sock",
                false,
                Optional.empty(),
                Optional.empty(),
                place);
    }

    private static Mount tmpfs(Setting<String> text) {
        String[] parts = text.value().split(":", 2);
        Optional<Long> size = Optional.empty();
        for (String option : parts.length > 1 ? parts[1].split(",", -1) : new String[0]) {
            if (option.startsWith("size=")) {
                size = Quantity.bytes(option.substring("size=".length()));
            }
        }
        return new Mount(MountKind.TMPFS, "", "", parts[0], false, Optional.empty(), size, text.place());
    }

    private Mount bind(String source, String target, boolean readOnly, Optional<String> propagation, Place place) {
        String host = source;
        if (!source.startsWith("~") && !source.isEmpty()) {
            try {
                host = project.base(place).resolve(source).normalize().toString();
            } catch (InvalidPathException e) {
                throw new ContainerFileException(
                        FileError.COMPOSE_VALUE, place, "The source is no path: " + e.getReason() + ".");
            }
        }
        return new Mount(MountKind.BIND, host, source, target, readOnly, propagation, Optional.empty(), place);
    }

    private Mount volume(String source, String target, boolean readOnly, Optional<String> propagation, Place place) {
        Optional<YamlMap> options = project.resource("volumes", source).flatMap(volume -> volume.map("driver_opts"));
        Optional<String> device = options.flatMap(map -> map.scalar("device")).map(YamlScalar::value);
        boolean binds = options.map(map -> Scalars.plain(map, "o")).orElse("").contains("bind")
                || options.map(map -> Scalars.plain(map, "type")).orElse("").equals("bind");
        if (device.isPresent() && binds && !device.get().isBlank()) {
            return bind(device.get(), target, readOnly, propagation, place);
        }
        return new Mount(MountKind.VOLUME, source, source, target, readOnly, propagation, Optional.empty(), place);
    }
}
