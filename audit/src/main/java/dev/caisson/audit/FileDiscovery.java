package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.kubernetes.KubernetesManifest;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds the container files among the inputs. Symbolic links are not followed, so that a walk ends and stays below
/// the directory that was named. What cannot be looked into is found too: judging it then tells why it was not.
final class FileDiscovery {
    /// The kinds of container file.
    enum Kind {
        DOCKERFILE,
        COMPOSE,
        KUBERNETES
    }

    /// A file, or the files of one compose project, base first.
    record Found(Kind kind, List<Path> files) {}

    private static final Set<String> SKIPPED = Set.of(".git", "node_modules", ".hg", ".svn", ".terraform", "target");
    private static final Pattern DOCKERFILE =
            Pattern.compile("(?i)(?:dockerfile|containerfile)(?:\\..+)?|.+\\.(?:dockerfile|containerfile)");
    private static final Pattern NO_DOCKERFILE =
            Pattern.compile("(?i).*\\.(?:md|txt|dockerignore|ya?ml|json|go|py|java|js)");
    private static final Pattern COMPOSE = Pattern.compile("(?i)(?:docker-)?compose(?:[.-][\\w.-]+)?\\.ya?ml");
    private static final Pattern YAML = Pattern.compile("(?i).+\\.(?:ya?ml|json)");
    /// The bytes that tell the kind of a file too large to be read.
    private static final int BEGINNING = 1 << 20;
    private static final Pattern INSTRUCTION = Pattern.compile("(?im)^\\s*FROM\\s+\\S+");
    private static final Pattern SERVICES = Pattern.compile("(?m)^(?:services|include)\\s*:");

    private static final Pattern PROPOSAL =
            Pattern.compile("(?:.+\\.)?compose\\.(?:override|hardened)(?:-\\d+)?\\.yaml");
    /// The keys of a service that give it something to run.
    private static final Set<String> STARTING = Set.of("image", "build", "extends", "provider");

    private FileDiscovery() {}

    /// The files of a directory, sorted; a compose file's override belongs to its project.
    /// @param closed takes the directories that cannot be looked into, and why
    static List<Found> directory(Path directory, SourceTree tree, BiConsumer<Path, IOException> closed) {
        Set<Path> files = new TreeSet<>();
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes attributes) {
                    return SKIPPED.contains(String.valueOf(at.getFileName())) && !at.equals(directory)
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile()) {
                        files.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException why) {
                    closed.accept(file, why);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path at, @Nullable IOException why) {
                    if (why != null) {
                        closed.accept(at, why);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new AuditException(
                    AuditException.Code.INPUT_UNREADABLE, directory + " cannot be read: " + e.getMessage() + ".", e);
        }
        List<Found> found = new ArrayList<>();
        for (Path file : files) {
            if (base(file).filter(files::contains).isPresent() || isProposal(file, tree)) {
                continue;
            }
            kind(file, tree).ifPresent(kind -> found.add(new Found(kind, project(kind, file, tree))));
        }
        return found;
    }

    /// An override that was proposed and lies beside no project yet: by its name, by its first line, and because it
    /// runs nothing of its own. Anybody can write that line; a file that starts a container is a project's all the
    /// same.
    private static boolean isProposal(Path file, SourceTree tree) {
        if (!PROPOSAL.matcher(file.getFileName().toString()).matches()) {
            return false;
        }
        try {
            Source source = tree.read(file);
            return source.text().startsWith(Proposal.MARK)
                    && Yaml.document(source)
                            .filter(FileDiscovery::startsNothing)
                            .isPresent();
        } catch (ContainerFileException unreadable) {
            return false;
        }
    }

    private static boolean startsNothing(YamlNode document) {
        return document instanceof YamlMap top
                && top.entries().keySet().equals(Set.of("services"))
                && top.get("services").orElse(document) instanceof YamlMap services
                && services.entries().values().stream()
                        .allMatch(entry -> entry.value() instanceof YamlMap service
                                && service.entries().keySet().stream().noneMatch(STARTING::contains));
    }

    /// A file that was named; its kind may be told by its content alone.
    static Found file(Path file, SourceTree tree) {
        Kind kind = kind(file.getFileName().toString())
                .or(() -> kind(tree.read(file)))
                .orElseThrow(() -> new AuditException(
                        AuditException.Code.INPUT_UNKNOWN,
                        tree.name(file) + " is neither a Dockerfile nor a compose file nor a Kubernetes manifest."));
        return new Found(kind, project(kind, file, tree));
    }

    /// The kind of a text without a telling name.
    static Optional<Kind> kind(Source source) {
        if (KubernetesManifest.looksLike(source)) {
            return Optional.of(Kind.KUBERNETES);
        }
        if (SERVICES.matcher(source.text()).find()) {
            return Optional.of(Kind.COMPOSE);
        }
        return INSTRUCTION.matcher(source.text()).find() ? Optional.of(Kind.DOCKERFILE) : Optional.empty();
    }

    /// The kind of a file of a directory. One that cannot be read may be a manifest; one that is too large is told by
    /// its beginning.
    private static Optional<Kind> kind(Path file, SourceTree tree) {
        String name = file.getFileName().toString();
        Optional<Kind> byName = kind(name);
        if (byName.isPresent() || !YAML.matcher(name).matches()) {
            return byName;
        }
        boolean manifest;
        try {
            manifest = KubernetesManifest.looksLike(tree.read(file));
        } catch (ContainerFileException e) {
            manifest = e.error() != FileError.FILE_TOO_LARGE
                    || KubernetesManifest.looksLike(tree.beginning(file, BEGINNING));
        }
        return manifest ? Optional.of(Kind.KUBERNETES) : Optional.empty();
    }

    private static Optional<Kind> kind(String name) {
        if (DOCKERFILE.matcher(name).matches() && !NO_DOCKERFILE.matcher(name).matches()) {
            return Optional.of(Kind.DOCKERFILE);
        }
        return COMPOSE.matcher(name).matches() ? Optional.of(Kind.COMPOSE) : Optional.empty();
    }

    private static List<Path> project(Kind kind, Path file, SourceTree tree) {
        String name = file.getFileName().toString();
        if (kind == Kind.COMPOSE && name.toLowerCase(Locale.ROOT).matches("(?:docker-)?compose\\.ya?ml")) {
            Path over = file.resolveSibling(name.replaceFirst("\\.(ya?ml)$", ".override.$1"));
            if (tree.isFile(over)) {
                return List.of(file, over);
            }
        }
        return List.of(file);
    }

    /// The file that an override belongs to.
    private static Optional<Path> base(Path file) {
        String name = file.getFileName().toString();
        String base = name.replaceFirst("\\.override\\.(ya?ml)$", ".$1");
        return base.equals(name) ? Optional.empty() : Optional.of(file.resolveSibling(base));
    }
}
