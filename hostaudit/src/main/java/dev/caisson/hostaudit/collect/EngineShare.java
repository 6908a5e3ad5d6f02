package dev.caisson.hostaudit.collect;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.engines.ContainerClaims;
import dev.caisson.hostaudit.engines.EngineApi;
import dev.caisson.hostaudit.engines.ImageCollector;
import dev.caisson.hostaudit.engines.ImageLayers;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.Facts.Share;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.facts.Scope;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.ContainerTruth;
import dev.caisson.hostaudit.kernel.HostFiles;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// Gathers the containers and images of one engine, or those of them that the scope asks for.
final class EngineShare {
    /// Engines allow 255 characters at most; a report repeats a name in each finding.
    private static final int LONGEST_NAME = 300;
    private static final String NOT_RUNNING = "it does not run";
    private static final int ATTEMPTS = 3;
    /// Reading is the kernel's work, and few of them keep it busy.
    private static final int READERS = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);

    private final Scope scope;
    private final HostFiles files;
    private final List<Gap> gaps;
    private final EngineApi api;
    private final EngineFacts engine;
    private final ContainerTruth truths;
    private final String wanted;

    /// @param gaps takes what the engine cannot tell of
    EngineShare(Scope scope, HostFiles files, List<Gap> gaps, Asked asked, ContainerTruth truths) {
        this.scope = scope;
        this.files = files;
        this.gaps = gaps;
        this.api = asked.api();
        this.engine = asked.facts();
        this.truths = truths;
        // as the report names it
        String own = engine.name() + "/";
        this.wanted = !engine.name().equals(Facts.DOCKER) && scope.targetName().startsWith(own)
                ? scope.targetName().substring(own.length())
                : scope.targetName();
    }

    Share collect() {
        List<ContainerFacts> containers = containers();
        return new Share(engine.name(), Optional.of(engine), images(containers), containers);
    }

    /// While the engine is asked for the next container, the kernel's view of those before is read.
    private List<ContainerFacts> containers() {
        Map<String, Future<ContainerFacts>> read = new LinkedHashMap<>();
        try (ExecutorService readers = Executors.newFixedThreadPool(
                READERS, Thread.ofPlatform().daemon().factory())) {
            for (Tree listed : api.list("/containers/json?all=1", why -> untold("containers", why))) {
                String id = listed.at("Id").textOr("");
                if (!EngineFacts.isContainerId(id)) {
                    untold("container " + listed.at("Names").texts(), EngineFacts.noId(id));
                    continue;
                }
                if (scope.target().isPresent() && !targets(listed)) {
                    continue;
                }
                try {
                    asked(id).ifPresent(asked -> read.put(id, readers.submit(() -> look(id, asked))));
                } catch (AuditException e) {
                    untold("container " + listed.at("Names").texts(), e);
                }
            }
        }
        var all = new ArrayList<ContainerFacts>();
        read.forEach((id, looked) -> all.add(settled(id, looked)));
        all.sort(Comparator.comparing(ContainerFacts::name).thenComparing(ContainerFacts::id));
        return List.copyOf(all);
    }

    /// The engine's record of a container.
    ///
    /// @param log what podman's own API says of its log: it tells Docker's clients that every one is a json-file
    private record Inspected(Tree container, Tree log) {}

    private Optional<Inspected> asked(String id) {
        return api.find("/containers/" + id + "/json")
                .map(container -> new Inspected(
                        container,
                        engine.isPodman()
                                ? api.find("/v4.0.0/libpod/containers/" + id + "/json")
                                        .orElse(Tree.NONE)
                                        .at("HostConfig", "LogConfig")
                                : Tree.NONE));
    }

    /// One that ended or was restarted between the engine's answer and the look at its processes is asked for again.
    private ContainerFacts settled(String id, Future<ContainerFacts> looked) {
        ContainerFacts found = result(looked);
        for (int attempt = 1;
                attempt < ATTEMPTS && found.truth().isEmpty() && found.claims().pid() > 0;
                attempt++) {
            Optional<Inspected> again = asked(id);
            if (again.isPresent()) {
                found = look(id, again.get());
            }
        }
        return found;
    }

    private static ContainerFacts result(Future<ContainerFacts> looked) {
        try {
            return looked.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the audit was interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException problem) {
                throw problem;
            }
            throw new IllegalStateException("a container could not be read", e);
        }
    }

    private ContainerFacts look(String id, Inspected inspected) {
        Tree container = inspected.container();
        long pid = container.at("State", "Pid").number(0);
        Optional<Truth> truth = Optional.empty();
        String reason = NOT_RUNNING;
        if (pid > 0) {
            try {
                truth = Optional.of(truths.ofEngine(
                        id,
                        pid,
                        container.at("HostConfig", "Devices").list().stream()
                                .flatMap(device -> device.at("PathInContainer").text().stream())
                                .toList()));
                reason = "";
            } catch (IllegalStateException e) {
                reason = String.valueOf(e.getMessage());
            }
        }
        return new ContainerFacts(
                id,
                Excerpt.of(container.at("Name").textOr("").replaceFirst("^/", ""), LONGEST_NAME),
                Excerpt.of(container.at("Config", "Image").textOr(""), LONGEST_NAME),
                container.at("Image").textOr(""),
                container.at("State", "Status").textOr(""),
                ImageCollector.seconds(container.at("Created").textOr("")).orElse(0L),
                ContainerClaims.of(container, inspected.log()),
                Optional.empty(),
                truth,
                reason);
    }

    /// One object that the engine cannot tell of is a gap; where it is the only one asked for, that is the
    /// answer.
    private void untold(String what, AuditException problem) {
        if (scope.target().isPresent()) {
            throw problem;
        }
        gaps.add(new Gap(
                Excerpt.of(what, LONGEST_NAME), Excerpt.of(String.valueOf(problem.getMessage()), LONGEST_NAME)));
    }

    private boolean targets(Tree listed) {
        return scope.target().filter(target -> target.startsWith("container:")).isPresent()
                && (listed.at("Names").texts().contains("/" + wanted)
                        || (wanted.length() >= 12 && listed.at("Id").textOr("").startsWith(wanted)));
    }

    private List<ImageFacts> images(List<ContainerFacts> containers) {
        Map<String, Integer> users = new HashMap<>();
        containers.forEach(container -> users.merge(container.imageId(), 1, Integer::sum));
        List<String> ids = List.of();
        if (scope.target().isPresent()) {
            ids = scope.target().get().startsWith("image:")
                    ? Stream.of(scope.targetName(), wanted)
                            .distinct()
                            .flatMap(name -> api.find("/images/" + name + "/json").stream())
                            .map(image -> image.at("Id").textOr(""))
                            .limit(1)
                            .toList()
                    : List.copyOf(users.keySet());
            if (ids.isEmpty()) {
                return List.of();
            }
        }
        ImageLayers layers = new ImageLayers(
                files, engine.claims().rootDirectory(), engine.claims().storageDriver());
        return new ImageCollector(api, layers, this::untold).collect(users, ids);
    }
}
