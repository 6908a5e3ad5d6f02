package dev.caisson.hostaudit;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import dev.caisson.hostaudit.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.Facts.Gap;
import dev.caisson.hostaudit.HostFacts.FileFact;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Gathers the facts of a host in one pass. It opens nothing for writing.
final class Collector {
    private final HostAuditRequest request;
    private final HostFiles files;
    private final List<Gap> gaps = new ArrayList<>();

    private Collector(HostAuditRequest request) {
        this.request = request;
        this.files = new HostFiles(request.hostRoot());
    }

    static Facts collect(HostAuditRequest request) {
        return new Collector(request).collect();
    }

    private Facts collect() {
        ProcessTable table = ProcessTable.read();
        Optional<Path> socket = socket();
        if (socket.isEmpty()) {
            HostFacts host = new HostCollector(files).collect(files(Optional.empty()), List.of());
            List<ContainerFacts> own = own(table, truths(table, host, Optional.empty()));
            return new Facts(request.second(), host, Optional.empty(), List.of(), own, gaps);
        }
        try (EngineApi api = new EngineApi(socket.get())) {
            EngineFacts engine = new EngineCollector(api, socket.get().toString(), files, table, gaps).collect();
            var sockets = new ArrayList<>(engine.sockets());
            engine.containerdSocket().ifPresent(sockets::add);
            HostFacts host = new HostCollector(files).collect(files(Optional.of(engine)), sockets);
            ContainerTruth truths = truths(table, host, Optional.of(engine));
            List<ContainerFacts> containers = containers(api, truths);
            List<ImageFacts> images = images(api, engine, containers);
            var all = new ArrayList<>(containers);
            if (request.target().isEmpty()) {
                all.addAll(own(table, truths));
            }
            return new Facts(request.second(), host, Optional.of(engine), images, List.copyOf(all), gaps);
        }
    }

    private List<ContainerFacts> own(ProcessTable table, ContainerTruth truths) {
        return new CaissonContainers(request.caissonState(), table, truths).collect();
    }

    private ContainerTruth truths(ProcessTable table, HostFacts host, Optional<EngineFacts> engine) {
        return new ContainerTruth(
                table,
                new CgroupReader(host.processors()),
                host.engineSockets(),
                request.liveFilters(),
                host.namespaces(),
                engine.flatMap(EngineFacts::process)
                        .map(EngineProcess::namespaces)
                        .orElse(Map.of()));
    }

    /// The engine's socket: the named one, else the first of the usual ones that exists.
    private Optional<Path> socket() {
        if (request.socket().isPresent()) {
            return request.socket();
        }
        return HostAuditRequest.USUAL_SOCKETS.stream()
                .filter(java.nio.file.Files::exists)
                .findFirst();
    }

    private Map<String, FileFact> files(Optional<EngineFacts> engine) {
        Map<String, FileFact> all = new TreeMap<>();
        for (String path : WantedFiles.of(engine, files)) {
            try {
                files.fact(path).ifPresent(fact -> all.put(path, fact));
            } catch (dev.caisson.linux.ErrnoException e) {
                gaps.add(new Gap(path, "it may not be looked at: " + e.getMessage()));
            }
        }
        return all;
    }

    private List<ContainerFacts> containers(EngineApi api, ContainerTruth truths) {
        var all = new ArrayList<ContainerFacts>();
        for (Tree listed : api.get("/containers/json?all=1").list()) {
            String id = listed.at("Id").textOr("");
            Optional<Tree> found = request.target().isPresent() && !targets(listed)
                    ? Optional.empty()
                    : api.find("/containers/" + id + "/json");
            found.ifPresent(container -> all.add(container(id, container, truths)));
        }
        if (request.target().filter(target -> target.startsWith("container:")).isPresent() && all.isEmpty()) {
            throw new AuditException(
                    AuditException.Code.TARGET_UNKNOWN,
                    "The engine has no container " + request.targetName() + "; docker ps -a lists them.");
        }
        all.sort(Comparator.comparing(ContainerFacts::name).thenComparing(ContainerFacts::id));
        return List.copyOf(all);
    }

    private boolean targets(Tree listed) {
        return request.target()
                        .filter(target -> target.startsWith("container:"))
                        .isPresent()
                && (listed.at("Names").texts().contains("/" + request.targetName())
                        || (request.targetName().length() >= 12
                                && listed.at("Id").textOr("").startsWith(request.targetName())));
    }

    private static ContainerFacts container(String id, Tree container, ContainerTruth truths) {
        String state = container.at("State", "Status").textOr("");
        long pid = container.at("State", "Pid").number(0);
        Optional<Truth> truth = Optional.empty();
        String reason = "it does not run";
        if (pid > 0) {
            try {
                truth = Optional.of(truths.read(id, pid));
                reason = "";
            } catch (IllegalStateException e) {
                reason = String.valueOf(e.getMessage());
            }
        }
        return new ContainerFacts(
                id,
                container.at("Name").textOr("").replaceFirst("^/", ""),
                container.at("Config", "Image").textOr(""),
                container.at("Image").textOr(""),
                state,
                ImageCollector.seconds(container.at("Created").textOr("")).orElse(0L),
                ContainerClaims.of(container),
                truth,
                reason);
    }

    private List<ImageFacts> images(EngineApi api, EngineFacts engine, List<ContainerFacts> containers) {
        Map<String, Integer> users = new HashMap<>();
        containers.forEach(container -> users.merge(container.imageId(), 1, Integer::sum));
        List<String> wanted = List.of();
        if (request.target().isPresent()) {
            wanted = request.target().get().startsWith("image:")
                    ? List.of(api.find("/images/" + request.targetName() + "/json")
                            .map(image -> image.at("Id").textOr(""))
                            .orElseThrow(() -> new AuditException(
                                    AuditException.Code.TARGET_UNKNOWN,
                                    "The engine has no image " + request.targetName() + "; docker images lists them.")))
                    : List.copyOf(users.keySet());
        }
        ImageLayers layers = new ImageLayers(
                Path.of(engine.claims().rootDirectory()), engine.claims().storageDriver());
        return new ImageCollector(api, layers).collect(users, wanted);
    }
}
