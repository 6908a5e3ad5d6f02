package dev.caisson.hostaudit.facts;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.Subject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// All that was gathered of a host, before anything is judged. Plain values: the same facts give the same
/// findings.
///
/// @param second when they were gathered, seconds since 1970
/// @param engine the first one of the host; absent where no engine answers
/// @param images of that engine
/// @param containers of that engine
/// @param gaps what could not be read, and why
/// @param more what the host's other engines have, Caisson among them
public record Facts(
        long second,
        HostFacts host,
        Optional<EngineFacts> engine,
        List<ImageFacts> images,
        List<ContainerFacts> containers,
        List<Gap> gaps,
        List<Share> more) {
    public static final String DOCKER = "docker";
    /// The engine in findings; those of another engine are named for it, see [View#subject].
    public static final Subject ENGINE = new Subject(Subject.Kind.DAEMON, "dockerd");

    /// Something that could not be read.
    public record Gap(String what, String reason) {
        private static final String ENGINE = "the engine at ";

        public static Gap ofEngine(Path socket, AuditException problem) {
            return new Gap(ENGINE + socket, String.valueOf(problem.getMessage()));
        }

        /// True if an engine of the host is not in the facts.
        public boolean ofEngine() {
            return what.startsWith(ENGINE);
        }
    }

    /// Images and containers of one engine.
    ///
    /// @param name as [EngineFacts#name()], or `caisson`
    /// @param engine absent for Caisson, which has no daemon
    public record Share(
            String name, Optional<EngineFacts> engine, List<ImageFacts> images, List<ContainerFacts> containers) {}

    /// The host with one of its engines, as checks see it.
    ///
    /// @param first whether answers about the host are taken from here
    public record View(String name, boolean first, Facts facts) {
        /// Returns the name of a subject in a report: names of the engine `docker` stand alone.
        public Subject subject(Subject plain) {
            return switch (plain.kind()) {
                case HOST -> first ? plain : new Subject(plain.kind(), name + "/" + plain.name());
                case FILE -> plain;
                case DAEMON,
                        CONTAINER,
                        IMAGE,
                        NETWORK,
                        VOLUME,
                        BUILD_STAGE,
                        COMPOSE_SERVICE,
                        KUBERNETES_CONTAINER,
                        KUBERNETES_OBJECT ->
                    name.equals(DOCKER)
                            ? plain
                            : new Subject(plain.kind(), plain.equals(Facts.ENGINE) ? name : name + "/" + plain.name());
            };
        }
    }

    /// One for each engine, the first one first.
    public List<View> views() {
        String name = engine.map(EngineFacts::name).orElse(DOCKER);
        Share own = new Share(name, engine, images, containers);
        return Stream.concat(
                        Stream.of(new View(name, true, this)),
                        more.stream().map(share -> new View(share.name(), false, with(share, own))))
                .toList();
    }

    private Facts with(Share share, Share own) {
        List<Share> others = Stream.concat(Stream.of(own), more.stream())
                .filter(other -> !other.equals(share))
                .toList();
        return new Facts(second, host, share.engine(), share.images(), share.containers(), gaps, others);
    }

    /// Every engine that answered.
    public List<EngineFacts> engines() {
        return Stream.concat(engine.stream(), more.stream().flatMap(share -> share.engine().stream()))
                .toList();
    }

    /// Lists the directories in which engines keep images and containers.
    public List<String> dataRoots() {
        return Stream.concat(
                        engines().stream().map(known -> known.claims().rootDirectory()),
                        Stream.of("/var/lib/docker", "/var/lib/containers/storage"))
                .filter(root -> root.startsWith("/") && root.length() > 1)
                .distinct()
                .toList();
    }

    /// Returns why a file of the host is not known, if it or a directory above it could not be looked at.
    public Optional<Gap> gapAt(String path) {
        return gaps.stream()
                .filter(gap -> gap.what().startsWith("/") && HostPaths.isBelow(path, gap.what()))
                .findFirst();
    }

    /// The container of that id or name.
    public Optional<ContainerFacts> container(String idOrName) {
        return containers.stream()
                .filter(container ->
                        container.id().equals(idOrName) || container.name().equals(idOrName))
                .findFirst();
    }
}
