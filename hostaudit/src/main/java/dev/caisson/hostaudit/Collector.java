package dev.caisson.hostaudit;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import dev.caisson.hostaudit.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.Facts.Gap;
import dev.caisson.hostaudit.HostFacts.FileFact;
import dev.caisson.linux.Fd;
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
    private final HostFiles here;
    private final List<Gap> gaps = new ArrayList<>();

    /// The engine's socket.
    ///
    /// @param path what the host calls it
    /// @param address how this process reaches it
    private record Socket(Path path, Path address, Optional<Fd> held) implements AutoCloseable {
        @Override
        public void close() {
            held.ifPresent(Fd::close);
        }
    }

    private Collector(HostAuditRequest request) {
        this.request = request;
        this.files = new HostFiles(request.hostRoot(), gaps);
        this.here = new HostFiles(Path.of("/"), gaps);
    }

    static Facts collect(HostAuditRequest request) {
        return new Collector(request).collect();
    }

    private Facts collect() {
        ProcessTable table = ProcessTable.read();
        Optional<Socket> found = socket();
        if (found.isEmpty()) {
            HostFacts host = host(files(Optional.empty()), List.of());
            List<ContainerFacts> own = own(table, truths(table, host, Optional.empty()));
            new OtherEngines(files, here, table, gaps).tell(host, Optional.empty());
            return new Facts(request.second(), host, Optional.empty(), List.of(), own, gaps);
        }
        try (Socket socket = found.get();
                EngineApi api = new EngineApi(socket.path(), socket.address())) {
            EngineFacts engine = new EngineCollector(
                            api,
                            socket.path().toString(),
                            ProcessRoot.own(socket.address().toString()),
                            files,
                            table,
                            gaps)
                    .collect();
            var sockets = new ArrayList<>(engine.sockets());
            engine.containerdSocket().ifPresent(sockets::add);
            HostFacts host = host(files(Optional.of(engine)), sockets);
            ContainerTruth truths = truths(table, host, Optional.of(engine));
            List<ContainerFacts> containers = containers(api, truths);
            List<ImageFacts> images = images(api, engine, containers);
            var all = new ArrayList<>(containers);
            if (request.target().isEmpty()) {
                all.addAll(own(table, truths));
            }
            new OtherEngines(files, here, table, gaps).tell(host, Optional.of(engine));
            return new Facts(request.second(), host, Optional.of(engine), images, List.copyOf(all), gaps);
        }
    }

    private HostFacts host(Map<String, FileFact> wanted, List<String> sockets) {
        return new HostCollector(files, here).collect(wanted, sockets);
    }

    private List<ContainerFacts> own(ProcessTable table, ContainerTruth truths) {
        return new CaissonContainers(files.directory(request.caissonState().toString()), table, truths, gaps).collect();
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

    /// The engine's socket: the named one, which is this process's path, else the first of the usual ones
    /// that the host has.
    private Optional<Socket> socket() {
        if (request.socket().isPresent()) {
            Path path = request.socket().get();
            return Optional.of(new Socket(request.asHostHasIt(path), path, Optional.empty()));
        }
        for (Path usual : HostAuditRequest.USUAL_SOCKETS) {
            Optional<Fd> file = files.open(usual.toString());
            if (file.isPresent()) {
                return Optional.of(
                        new Socket(usual, Path.of("/proc/self/fd/" + file.get().number()), file));
            }
        }
        return Optional.empty();
    }

    private Map<String, FileFact> files(Optional<EngineFacts> engine) {
        Map<String, FileFact> all = new TreeMap<>();
        for (String path : WantedFiles.of(engine, files)) {
            files.fact(path)
                    // the socket that was asked lies where this process sees it
                    .or(() ->
                            engine.filter(asked -> asked.socket().equals(path)).flatMap(asked -> here.fact(path)))
                    .ifPresent(fact -> all.put(path, fact));
        }
        return all;
    }

    private List<ContainerFacts> containers(EngineApi api, ContainerTruth truths) {
        var all = new ArrayList<ContainerFacts>();
        for (Tree listed : api.get("/containers/json?all=1").list()) {
            String id = listed.at("Id").textOr("");
            if (request.target().isPresent() && !targets(listed)) {
                continue;
            }
            try {
                api.find("/containers/" + id + "/json")
                        .ifPresent(container -> all.add(container(id, container, truths)));
            } catch (AuditException e) {
                untold("container " + listed.at("Names").texts(), e);
            }
        }
        if (request.target().filter(target -> target.startsWith("container:")).isPresent() && all.isEmpty()) {
            throw new AuditException(
                    AuditException.Code.TARGET_UNKNOWN,
                    "The engine has no container " + request.targetName() + "; docker ps -a lists them.");
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
        gaps.add(new Gap(what, String.valueOf(problem.getMessage())));
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
                files, engine.claims().rootDirectory(), engine.claims().storageDriver());
        return new ImageCollector(api, layers, this::untold).collect(users, wanted);
    }
}
