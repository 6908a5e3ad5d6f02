package dev.caisson.hostaudit;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import dev.caisson.hostaudit.Facts.Gap;
import dev.caisson.hostaudit.Facts.Share;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Gathers the containers and images of one engine, or those of them that the request asks for.
final class EngineShare {
    /// Engines allow 255 characters at most; a report repeats a name in each finding.
    private static final int LONGEST_NAME = 300;
    private static final String NOT_RUNNING = "it does not run";
    private static final int ATTEMPTS = 3;

    private final HostAuditRequest request;
    private final HostFiles files;
    private final List<Gap> gaps;
    private final EngineApi api;
    private final EngineFacts engine;
    private final ContainerTruth truths;
    private final String wanted;

    /// @param gaps takes what the engine cannot tell of
    EngineShare(HostAuditRequest request, HostFiles files, List<Gap> gaps, Asked asked, ContainerTruth truths) {
        this.request = request;
        this.files = files;
        this.gaps = gaps;
        this.api = asked.api();
        this.engine = asked.facts();
        this.truths = truths;
        // as the report names it
        String own = engine.name() + "/";
        this.wanted =
                !engine.name().equals(Facts.DOCKER) && request.targetName().startsWith(own)
                        ? request.targetName().substring(own.length())
                        : request.targetName();
    }

    Share collect() {
        List<ContainerFacts> containers = containers();
        return new Share(engine.name(), Optional.of(engine), images(containers), containers);
    }

    private List<ContainerFacts> containers() {
        var all = new ArrayList<ContainerFacts>();
        for (Tree listed : api.list("/containers/json?all=1", why -> untold("containers", why))) {
            String id = listed.at("Id").textOr("");
            if (!EngineFacts.isContainerId(id)) {
                untold("container " + listed.at("Names").texts(), EngineFacts.noId(id));
                continue;
            }
            if (request.target().isPresent() && !targets(listed)) {
                continue;
            }
            try {
                api.find("/containers/" + id + "/json").ifPresent(container -> all.add(container(id, container)));
            } catch (AuditException e) {
                untold("container " + listed.at("Names").texts(), e);
            }
        }
        all.sort(Comparator.comparing(ContainerFacts::name).thenComparing(ContainerFacts::id));
        return List.copyOf(all);
    }

    /// One object that the engine cannot tell of is a gap; where it is the only one asked for, that is the
    /// answer.
    private void untold(String what, AuditException problem) {
        if (request.target().isPresent()) {
            throw problem;
        }
        gaps.add(new Gap(
                Answer.clipped(what, LONGEST_NAME),
                Answer.clipped(String.valueOf(problem.getMessage()), LONGEST_NAME)));
    }

    private boolean targets(Tree listed) {
        return request.target()
                        .filter(target -> target.startsWith("container:"))
                        .isPresent()
                && (listed.at("Names").texts().contains("/" + wanted)
                        || (wanted.length() >= 12 && listed.at("Id").textOr("").startsWith(wanted)));
    }

    /// One that ended or was restarted between the engine's answer and the look at its processes is asked for again.
    private ContainerFacts container(String id, Tree asked) {
        Tree container = asked;
        String reason = NOT_RUNNING;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long pid = container.at("State", "Pid").number(0);
            if (pid <= 0) {
                return facts(id, container, Optional.empty(), NOT_RUNNING);
            }
            try {
                return facts(id, container, Optional.of(truth(id, pid, container)), "");
            } catch (IllegalStateException e) {
                reason = String.valueOf(e.getMessage());
                container = api.find("/containers/" + id + "/json").orElse(container);
            }
        }
        return facts(id, container, Optional.empty(), reason);
    }

    /// Podman tells Docker's clients that every log is a json-file without bound.
    private Tree log(String id) {
        return engine.isPodman()
                ? api.find("/v4.0.0/libpod/containers/" + id + "/json")
                        .orElse(Tree.NONE)
                        .at("HostConfig", "LogConfig")
                : Tree.NONE;
    }

    private Truth truth(String id, long pid, Tree container) {
        return truths.ofEngine(
                id,
                pid,
                container.at("HostConfig", "Devices").list().stream()
                        .flatMap(device -> device.at("PathInContainer").text().stream())
                        .toList());
    }

    private ContainerFacts facts(String id, Tree container, Optional<Truth> truth, String reason) {
        return new ContainerFacts(
                id,
                Answer.clipped(container.at("Name").textOr("").replaceFirst("^/", ""), LONGEST_NAME),
                Answer.clipped(container.at("Config", "Image").textOr(""), LONGEST_NAME),
                container.at("Image").textOr(""),
                container.at("State", "Status").textOr(""),
                ImageCollector.seconds(container.at("Created").textOr("")).orElse(0L),
                ContainerClaims.of(container, log(id)),
                truth,
                reason);
    }

    private List<ImageFacts> images(List<ContainerFacts> containers) {
        Map<String, Integer> users = new HashMap<>();
        containers.forEach(container -> users.merge(container.imageId(), 1, Integer::sum));
        List<String> ids = List.of();
        if (request.target().isPresent()) {
            ids = request.target().get().startsWith("image:")
                    ? Stream.of(request.targetName(), wanted)
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
