package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ComposeProject;
import dev.caisson.containerfile.ComposeService;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Dockerfile;
import dev.caisson.containerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.ImageBuild;
import dev.caisson.containerfile.Keyword;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.Stage;
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

    /// The lines of the Dockerfile that an image was built from that decided what a check is about, or else its last
    /// `FROM`; nothing where no known Dockerfile fits the history.
    /// @param history the commands of the image's history, oldest first, as Docker's API has them
    public List<Evidence> ofImage(List<String> history, Check check) {
        List<Evidence> evidence = new ArrayList<>();
        for (Path path : dockerfiles) {
            SourceTree tree = new SourceTree(hostRoot);
            try {
                Dockerfile file = Dockerfile.parse(tree.read(path));
                Stage stage = ImageBuild.of(file, Map.of(), BaseImages.NONE).finalStage();
                if (!ImageHistory.endsWith(history, stage.instructions())) {
                    continue;
                }
                FileAudit.run(request(List.of(path))).findings().stream()
                        .filter(finding -> finding.status() != Status.PASS && alike(finding.check(), check))
                        .flatMap(
                                finding -> finding.location().stream().map(place -> evidence(place, finding.message())))
                        .forEach(evidence::add);
                if (evidence.isEmpty()) {
                    evidence.add(evidence(Location.of(stage.from().place()), "begins the stage that this image is"));
                }
                return evidence;
            } catch (ContainerFileException unreadable) {
                evidence.add(new Evidence(path.toString(), unreadable.sentence(), Optional.empty()));
            }
        }
        return evidence;
    }

    /// Names are relative to the host's root directory here.
    private static Evidence evidence(Location place, String text) {
        String file = place.file().startsWith("/") ? place.file() : "/" + place.file();
        Location absolute = new Location(file, place.line(), place.column(), place.endLine(), place.endColumn());
        return new Evidence(file, text, Optional.of(absolute));
    }

    /// Whether two checks ask the same: they are one, or answer the same recommendation.
    private static boolean alike(Check one, Check other) {
        Set<String> ids = new TreeSet<>(one.cis().getOrDefault("1.6", List.of()));
        ids.retainAll(other.cis().getOrDefault("1.6", List.of()));
        return one.id().equals(other.id()) || !ids.isEmpty();
    }

    /// What history keeps of instructions.
    private static final class ImageHistory {
        private static final Set<Keyword> KEPT = Set.of(
                Keyword.RUN,
                Keyword.CMD,
                Keyword.ENTRYPOINT,
                Keyword.USER,
                Keyword.EXPOSE,
                Keyword.COPY,
                Keyword.ADD,
                Keyword.WORKDIR,
                Keyword.HEALTHCHECK,
                Keyword.VOLUME,
                Keyword.STOPSIGNAL);

        private ImageHistory() {}

        /// Whether the newest entries are these instructions. Instructions whose text the builder rewrites, because of
        /// variables, copied sums or an exec form in JSON, are compared by their keyword.
        static boolean endsWith(List<String> history, List<Instruction> instructions) {
            List<String> kept = instructions.stream()
                    .filter(instruction -> KEPT.contains(instruction.keyword()))
                    .map(ImageHistory::written)
                    .toList();
            List<String> done = history.stream()
                    .map(ImageHistory::normal)
                    .filter(entry -> KEPT.stream().anyMatch(keyword -> entry.startsWith(keyword.name() + " ")))
                    .toList();
            if (kept.isEmpty() || done.size() < kept.size()) {
                return false;
            }
            List<String> newest = done.subList(done.size() - kept.size(), done.size());
            for (int at = 0; at < kept.size(); at++) {
                String wanted = kept.get(at);
                String found = newest.get(at);
                boolean same = wanted.contains(" ") ? found.equals(wanted) : found.startsWith(wanted + " ");
                if (!same) {
                    return false;
                }
            }
            return true;
        }

        private static String written(Instruction instruction) {
            String keyword = instruction.keyword().name();
            boolean verbatim = instruction.keyword() == Keyword.RUN || instruction.keyword() == Keyword.USER;
            String text =
                    instruction.place().text().replaceAll("\\\\\\r?\\n", " ").strip();
            String rest = text.substring(Math.min(text.length(), keyword.length()))
                    .strip()
                    .replaceAll("\\s+", " ");
            boolean plain = verbatim
                    && !rest.contains("$")
                    && !rest.startsWith("[")
                    && !rest.startsWith("-")
                    && !rest.contains("<<")
                    && !rest.contains("#");
            return plain ? keyword + " " + rest : keyword;
        }

        /// `RUN /bin/sh -c x # buildkit` and `/bin/sh -c x` of the old builder are `RUN x`; `/bin/sh -c #(nop)  USER x`
        /// is `USER x`.
        private static String normal(String entry) {
            String text = entry.strip().replaceAll("\\s+", " ").replaceFirst(" # buildkit$", "");
            if (text.startsWith("/bin/sh -c #(nop) ")) {
                return text.substring("/bin/sh -c #(nop) ".length()).strip();
            }
            if (text.startsWith("RUN /bin/sh -c ")) {
                return "RUN " + text.substring("RUN /bin/sh -c ".length());
            }
            return text.startsWith("/bin/sh -c ") ? "RUN " + text.substring("/bin/sh -c ".length()) : text;
        }
    }
}
