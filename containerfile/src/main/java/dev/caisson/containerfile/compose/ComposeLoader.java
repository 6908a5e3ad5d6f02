package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Loads a compose project: reads its files, follows `include` and `extends`, replaces variables and merges.
public final class ComposeLoader {
    private static final int MAX_FILES = 200;
    private static final Set<String> TOP =
            Set.of("version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models");
    private static final Pattern REMOTE =
            Pattern.compile("^(?:oci://|https?://|git@|ssh://|git://|.+\\.git(?:[#:].*)?$).*");

    private final SourceTree tree;
    private final Map<String, String> environment;
    private final Map<Source, Path> directories = new HashMap<>();
    private final Map<String, List<YamlMap>> definitions = new LinkedHashMap<>();
    private final Map<String, YamlScalar> keys = new HashMap<>();
    private final List<Setting<String>> unresolved = new ArrayList<>();
    private final List<Path> open = new ArrayList<>();
    private int filesRead;

    private ComposeLoader(SourceTree tree, Map<String, String> environment) {
        this.tree = tree;
        this.environment = environment;
    }

    /// Loads files of one project, later ones laid over earlier ones. A `.env` beside the first one gives values to
    /// variables that `environment` does not.
    /// @throws ContainerFileException with the place of what compose would not take either
    public static ComposeProject load(SourceTree tree, List<Path> files, Map<String, String> environment) {
        ComposeLoader loader = new ComposeLoader(tree, environment);
        Path directory = ComposeValues.parent(files.getFirst());
        YamlMap model = loader.files(files, directory, loader.dotEnv(List.of(directory.resolve(".env")), true));
        List<Source> sources = files.stream().map(tree::read).toList();
        if (model.entries().isEmpty()) {
            throw new ContainerFileException(
                    FileError.COMPOSE_SHAPE,
                    sources.getFirst().place(0, 0),
                    sources.getFirst().name() + " is empty; compose takes no project without services.");
        }
        return new ComposeProject(
                tree,
                directory,
                sources,
                model,
                loader.services(model),
                loader.directories,
                List.copyOf(loader.unresolved));
    }

    private Map<String, ComposeService> services(YamlMap model) {
        Map<String, ComposeService> services = new LinkedHashMap<>();
        model.map("services")
                .ifPresent(all -> all.entries().forEach((name, entry) -> {
                    if (!(entry.value() instanceof YamlMap body)) {
                        throw ComposeValues.shape(entry.value(), "The service " + name + " must be a mapping.");
                    }
                    services.put(
                            name,
                            new ComposeService(
                                    name,
                                    keys.getOrDefault(name, entry.key()),
                                    body,
                                    List.copyOf(definitions.getOrDefault(name, List.of(body)))));
                }));
        return services;
    }

    private YamlMap files(List<Path> files, Path directory, Map<String, String> variables) {
        YamlMap model = null;
        for (Path file : files) {
            YamlMap document = file(file, directory, variables, model);
            model = model == null ? document : ComposeMerge.merge(model, document);
        }
        if (model == null) {
            throw new ContainerFileException(FileError.COMPOSE_SHAPE, "A compose project needs a file.");
        }
        return model;
    }

    private YamlMap file(Path file, Path directory, Map<String, String> variables, @Nullable YamlMap below) {
        Path key = file.toAbsolutePath().normalize();
        Source source = tree.read(file);
        if (open.contains(key)) {
            throw new ContainerFileException(
                    FileError.COMPOSE_CYCLE, source.place(0, 0), source.name() + " includes itself.");
        }
        if (++filesRead > MAX_FILES) {
            throw new ContainerFileException(
                    FileError.YAML_TOO_LARGE, source.place(0, 0), "A project has more than " + MAX_FILES + " files.");
        }
        open.add(key);
        directories.putIfAbsent(source, directory);
        YamlMap document = document(source, variables);
        refuseUnknown(document);
        YamlMap included = includes(document, ComposeValues.parent(file), variables);
        YamlMap extended = new ComposeExtends(this, document, below, variables, file).apply();
        document.map("services").ifPresent(services -> services.entries().forEach(this::remember));
        open.removeLast();
        return included == null ? extended : ComposeMerge.merge(included, extended);
    }

    private void remember(String name, YamlEntry entry) {
        if (entry.value() instanceof YamlMap body) {
            definitions.computeIfAbsent(name, key -> new ArrayList<>()).add(body);
            keys.putIfAbsent(name, entry.key());
        }
    }

    /// Reads a file, replaces its variables, and lays each of its documents over those before it.
    YamlMap document(Source source, Map<String, String> variables) {
        YamlMap all = null;
        for (YamlNode root : Yaml.documents(source)) {
            if (!(root instanceof YamlMap map)) {
                throw ComposeValues.shape(root, "A compose file must be a mapping.");
            }
            YamlMap document = shapedServices((YamlMap) interpolate(map, variables, 0));
            all = all == null ? document : ComposeMerge.merge(all, document);
        }
        return all == null ? YamlMap.empty(source.place(0, 0)) : all;
    }

    /// A file of compose's first version has its services here: compose refuses it, and so must who judges it.
    private static void refuseUnknown(YamlMap document) {
        document.entries().forEach((name, entry) -> {
            if (!TOP.contains(name) && !name.startsWith("x-")) {
                throw new ContainerFileException(
                        FileError.COMPOSE_SHAPE,
                        entry.key().place(),
                        "Compose knows no " + name + " at the top of a file; services stand below services.");
            }
        });
    }

    private static YamlMap shapedServices(YamlMap document) {
        Optional<YamlNode> services = document.get("services");
        if (services.isEmpty()) {
            return document;
        }
        if (!(services.get() instanceof YamlMap map)) {
            throw ComposeValues.shape(services.get(), "services must be a mapping.");
        }
        Map<String, YamlEntry> shaped = new LinkedHashMap<>();
        map.entries().forEach((name, entry) -> {
            YamlNode value = entry.value();
            if (value.isNull()) {
                value = YamlMap.empty(entry.key().place());
            }
            if (!(value instanceof YamlMap service)) {
                throw ComposeValues.shape(value, "The service " + name + " must be a mapping.");
            }
            shaped.put(name, new YamlEntry(entry.key(), ComposeShape.service(service), entry.merged()));
        });
        Map<String, YamlEntry> entries = new LinkedHashMap<>(document.entries());
        YamlEntry entry = document.entries().get("services");
        if (entry != null) {
            entries.put("services", new YamlEntry(entry.key(), map.with(shaped), false));
        }
        return document.with(entries);
    }

    private @Nullable YamlMap includes(YamlMap document, Path directory, Map<String, String> variables) {
        YamlMap merged = null;
        List<YamlNode> items = document.seq("include").map(YamlSeq::items).orElse(List.of());
        for (YamlNode item : items) {
            YamlMap included = include(item, directory, variables);
            if (included != null) {
                merged = merged == null ? included : ComposeMerge.merge(merged, included);
            }
        }
        return merged;
    }

    private @Nullable YamlMap include(YamlNode item, Path directory, Map<String, String> variables) {
        List<YamlScalar> paths;
        Optional<YamlMap> detailed = item instanceof YamlMap map ? Optional.of(map) : Optional.empty();
        paths = detailed.isPresent()
                ? ComposeValues.scalars(detailed.get().get("path"))
                : ComposeValues.scalars(Optional.of(item));
        List<Path> files = new ArrayList<>();
        for (YamlScalar path : paths) {
            if (isRemote(path)) {
                return null;
            }
            files.add(ComposeValues.path(directory, path));
        }
        if (files.isEmpty()) {
            throw ComposeValues.shape(item, "An include needs a path.");
        }
        Path project = detailed.flatMap(map -> map.scalar("project_directory"))
                .map(given -> ComposeValues.path(directory, given))
                .orElse(ComposeValues.parent(files.getFirst()));
        List<YamlScalar> envFiles =
                detailed.map(map -> ComposeValues.scalars(map.get("env_file"))).orElse(List.of());
        Map<String, String> inner = new HashMap<>(dotEnv(
                envFiles.isEmpty()
                        ? List.of(project.resolve(".env"))
                        : envFiles.stream()
                                .map(file -> ComposeValues.path(directory, file))
                                .toList(),
                envFiles.isEmpty()));
        inner.putAll(variables);
        return files(files, project, inner);
    }

    /// Notes a path that only a network can follow.
    boolean isRemote(YamlScalar path) {
        boolean remote = REMOTE.matcher(path.value()).matches() || !path.unset().isEmpty();
        if (remote) {
            unresolved.add(new Setting<>(
                    path.unset().isEmpty()
                            ? path.value() + " is remote and was not fetched"
                            : "the variable " + path.unset().getFirst() + " is not set",
                    path.place()));
        }
        return remote;
    }

    SourceTree tree() {
        return tree;
    }

    /// Values of the environment win over those of the files; a file named in words must be there.
    private Map<String, String> dotEnv(List<Path> files, boolean optional) {
        Map<String, String> variables = new HashMap<>();
        for (Path file : files) {
            if (!optional || tree.isFile(file)) {
                EnvFile.parse(tree.read(file), environment::get)
                        .forEach((name, setting) -> variables.put(name, setting.value()));
            }
        }
        variables.putAll(environment);
        return variables;
    }

    private static YamlNode interpolate(YamlNode node, Map<String, String> variables, int depth) {
        return switch (node) {
            case YamlMap map -> {
                Map<String, YamlEntry> entries = new LinkedHashMap<>();
                map.entries()
                        .forEach((name, entry) -> entries.put(
                                name,
                                new YamlEntry(
                                        entry.key(),
                                        interpolate(entry.value(), variables, depth + 1),
                                        entry.merged())));
                yield map.with(entries);
            }
            case YamlSeq seq ->
                new YamlSeq(
                        seq.place(),
                        seq.tag(),
                        seq.flow(),
                        seq.items().stream()
                                .map(item -> interpolate(item, variables, depth + 1))
                                .toList());
            case YamlScalar scalar -> {
                Interpolation.Expanded expanded = Interpolation.expand(scalar.value(), scalar.place(), variables::get);
                yield new YamlScalar(
                        scalar.place(),
                        scalar.tag(),
                        expanded.value(),
                        scalar.value(),
                        scalar.plain(),
                        expanded.unset(),
                        expanded.outside());
            }
        };
    }

    void directory(Source source, Path directory) {
        directories.putIfAbsent(source, directory);
    }
}
