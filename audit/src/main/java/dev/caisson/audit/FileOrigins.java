package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Finds the lines of container files that made a running container, or its image, what it is. Compose writes the names
/// of its files into labels; an image is known again by its history, which repeats its Dockerfile's final stage.
///
/// Labels come from whoever started the container: what they name is only ever read as a compose project, and nothing
/// of a file is shown but lines that a finding is about.
public final class FileOrigins {
    private static final String FILES = "com.docker.compose.project.config_files";
    private static final String SERVICE = "com.docker.compose.service";
    private static final int MOST_FILES = 20;

    private final Path hostRoot;
    private final LocalDate today;
    private final List<Path> dockerfiles;
    private final Map<List<Path>, Project> projects = new HashMap<>();
    private final Map<Path, DockerfileUnit> units = new HashMap<>();

    private record Project(List<Finding> findings, Map<String, ComposeService> services) {}

    /// @param hostRoot where the root directory is mounted that paths in labels start from
    /// @param dockerfiles those that images here may have been built from
    public FileOrigins(Path hostRoot, LocalDate today, List<Path> dockerfiles) {
        this.hostRoot = hostRoot.toAbsolutePath().normalize();
        this.today = today;
        this.dockerfiles = dockerfiles.stream()
                .map(file -> file.toAbsolutePath().normalize())
                .toList();
    }

    /// The lines of compose files that decided what a check is about, or else the one that defines the service; nothing
    /// for a container that compose did not start or whose files are gone.
    public List<Evidence> ofContainer(Map<String, String> labels, Check check) {
        String service = labels.getOrDefault(SERVICE, "");
        List<Path> files = Stream.of(labels.getOrDefault(FILES, "").split(",", -1))
                .filter(name -> name.startsWith("/") && name.indexOf('\0') < 0)
                .limit(MOST_FILES)
                .map(name ->
                        hostRoot.resolve(Path.of(name).normalize().toString().substring(1)))
                .toList();
        if (service.isEmpty() || files.isEmpty()) {
            return List.of();
        }
        Project project = projects.computeIfAbsent(files, this::project);
        List<Evidence> causes = project.findings().stream()
                .filter(finding -> finding.status() != Status.PASS
                        && finding.subject().kind() == Subject.Kind.COMPOSE_SERVICE
                        && finding.subject().name().endsWith(" service " + service)
                        && alike(finding.check(), check))
                .flatMap(finding -> finding.location().stream().map(place -> evidence(place, finding.message())))
                .toList();
        return causes.isEmpty()
                ? Stream.ofNullable(project.services().get(service))
                        .map(found -> evidence(Location.of(found.key().place()), "defines the service " + service))
                        .toList()
                : causes;
    }

    private Project project(List<Path> files) {
        AuditRequest request = request(List.of());
        FileAudit audit = new FileAudit(request, SourceTree.ofHost(hostRoot));
        List<Finding> findings = audit.ofProject(files).findings();
        Map<String, ComposeService> services = audit.projects().stream()
                .findFirst()
                .map(ComposeProject::services)
                .orElse(Map.of());
        return new Project(findings, services);
    }

    private AuditRequest request(List<Path> inputs) {
        return new AuditRequest(
                hostRoot,
                inputs,
                Optional.empty(),
                Map.of(),
                BaseImages.NONE,
                today,
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
    }

    /// The lines of the Dockerfile that an image was built from that decided what a check is about, or else
    /// its last `FROM`; nothing where no known Dockerfile fits the history. One whose build arguments have their
    /// defaults there goes before one that was built with others.
    /// @param history the commands of the image's history, oldest first, as Docker's API has them
    public List<Evidence> ofImage(List<String> history, Check check) {
        List<Evidence> evidence = new ArrayList<>();
        Optional<Path> like = Optional.empty();
        for (Path path : dockerfiles) {
            try {
                switch (ImageHistory.fit(history, unit(path).image())) {
                    case EXACT -> {
                        return ofDockerfile(path, check);
                    }
                    case OTHER_ARGUMENTS -> like = like.isPresent() ? like : Optional.of(path);
                    case NONE -> {}
                }
            } catch (ContainerFileException unreadable) {
                evidence.add(new Evidence(path.toString(), unreadable.problem(), Optional.empty()));
            }
        }
        return like.map(path -> ofDockerfile(path, check)).orElse(evidence);
    }

    private DockerfileUnit unit(Path path) {
        return units.computeIfAbsent(path, named -> {
            SourceTree tree = new SourceTree(hostRoot);
            return DockerfileUnit.of(tree.read(named), Optional.of(named), tree, BaseImages.NONE);
        });
    }

    private List<Evidence> ofDockerfile(Path path, Check check) {
        List<Evidence> causes = FileAudit.run(request(List.of(path))).findings().stream()
                .filter(finding -> finding.status() != Status.PASS && alike(finding.check(), check))
                .flatMap(finding -> finding.location().stream().map(place -> evidence(place, finding.message())))
                .toList();
        Stage stage = unit(path).build().finalStage();
        return causes.isEmpty()
                ? List.of(evidence(Location.of(stage.from().place()), "begins the stage that this image is"))
                : causes;
    }

    /// Names are relative to the host's root directory here.
    private static Evidence evidence(Location place, String text) {
        String file = place.file().startsWith("/") ? place.file() : "/" + place.file();
        Location absolute = new Location(file, place.line(), place.column(), place.endLine(), place.endColumn());
        return new Evidence(file, text, Optional.of(absolute));
    }

    /// True if two checks ask the same: they are one, or answer the same recommendation.
    private static boolean alike(Check one, Check other) {
        Set<String> ids = new TreeSet<>(one.cis().getOrDefault("1.6", List.of()));
        ids.retainAll(other.cis().getOrDefault("1.6", List.of()));
        return one.id().equals(other.id()) || !ids.isEmpty();
    }
}
