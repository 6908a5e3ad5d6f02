package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lays each service over the one that it `extends`, from the same file or another.
final class ComposeExtends {
    private final ComposeLoader loader;
    private final YamlMap document;
    private final @Nullable YamlMap below;
    private final Map<String, String> variables;
    private final Path file;

    /// @param below what was merged before this file; an overriding file may extend a service of it
    ComposeExtends(
            ComposeLoader loader, YamlMap document, @Nullable YamlMap below, Map<String, String> variables, Path file) {
        this.loader = loader;
        this.document = document;
        this.below = below;
        this.variables = variables;
        this.file = file;
    }

    /// The document with all its services extended.
    YamlMap apply() {
        Optional<YamlMap> services = document.map("services");
        YamlEntry section = document.entries().get("services");
        if (services.isEmpty() || section == null) {
            return document;
        }
        Map<String, YamlEntry> extended = new LinkedHashMap<>();
        services.get()
                .entries()
                .forEach((name, entry) -> extended.put(
                        name,
                        new YamlEntry(entry.key(), service(document, name, entry, file, new ArrayList<>()), false)));
        Map<String, YamlEntry> entries = new LinkedHashMap<>(document.entries());
        entries.put("services", new YamlEntry(section.key(), services.get().with(extended), false));
        return document.with(entries);
    }

    private YamlMap service(YamlMap in, String name, YamlEntry entry, Path from, List<String> open) {
        if (!(entry.value() instanceof YamlMap body)) {
            throw ComposeValues.shape(entry.value(), "The service " + name + " must be a mapping.");
        }
        Optional<YamlNode> extension = body.get("extends");
        if (extension.isEmpty()) {
            return body;
        }
        String key = from.toAbsolutePath().normalize() + "\0" + name;
        if (open.contains(key)) {
            throw new ContainerFileException(
                    FileError.COMPOSE_CYCLE, extension.get().place(), "The service " + name + " extends itself.");
        }
        open.add(key);
        Optional<YamlMap> base = base(in, extension.get(), from, open);
        open.removeLast();
        Map<String, YamlEntry> own = new LinkedHashMap<>(body.entries());
        own.remove("extends");
        YamlMap rest = body.with(own);
        return base.map(found -> ComposeMerge.merge(found, rest)).orElse(rest);
    }

    private Optional<YamlMap> base(YamlMap in, YamlNode extension, Path from, List<String> open) {
        Optional<YamlScalar> file = extension instanceof YamlMap map ? map.scalar("file") : Optional.empty();
        YamlScalar service = extension instanceof YamlScalar name
                ? name
                : ((YamlMap) shaped(extension))
                        .scalar("service")
                        .orElseThrow(() -> ComposeValues.shape(extension, "extends needs a service."));
        if (file.isEmpty()) {
            return Optional.of(find(in, service, from, open));
        }
        if (loader.isRemote(file.get())) {
            return Optional.empty();
        }
        Path other = ComposeValues.path(ComposeValues.parent(from), file.get());
        Source source = read(other, file.get());
        loader.directory(source, ComposeValues.parent(other));
        YamlMap document = loader.document(source, variables);
        return Optional.of(find(document, service, other, open));
    }

    private Source read(Path path, YamlScalar named) {
        try {
            return loader.tree().read(path);
        } catch (ContainerFileException e) {
            throw new ContainerFileException(FileError.COMPOSE_REFERENCE, named.place(), e.problem());
        }
    }

    private YamlMap find(YamlMap in, YamlScalar name, Path from, List<String> open) {
        YamlEntry found = in.map("services")
                .flatMap(services -> services.entry(name.value()))
                .orElse(null);
        if (found != null) {
            return service(in, name.value(), found, from, open);
        }
        if (below != null && from.equals(file)) {
            Optional<YamlMap> earlier = below.map("services").flatMap(services -> services.map(name.value()));
            if (earlier.isPresent()) {
                return earlier.get();
            }
        }
        throw new ContainerFileException(
                FileError.COMPOSE_REFERENCE, name.place(), "There is no service " + name.value() + " to extend.");
    }

    private static YamlNode shaped(YamlNode extension) {
        if (!(extension instanceof YamlMap)) {
            throw ComposeValues.shape(extension, "extends takes a service's name or a mapping.");
        }
        return extension;
    }
}
