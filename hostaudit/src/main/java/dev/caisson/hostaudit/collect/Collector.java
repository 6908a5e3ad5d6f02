package dev.caisson.hostaudit.collect;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.engines.EngineApi;
import dev.caisson.hostaudit.engines.EngineSockets;
import dev.caisson.hostaudit.engines.EngineSockets.EngineSocket;
import dev.caisson.hostaudit.engines.OtherEngines;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.Facts.Share;
import dev.caisson.hostaudit.facts.HostDirectories;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostFacts.FileFact;
import dev.caisson.hostaudit.facts.Scope;
import dev.caisson.hostaudit.kernel.CgroupReader;
import dev.caisson.hostaudit.kernel.ContainerTruth;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.ProcessTable;
import java.net.ConnectException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Gathers the facts of a host in one pass. It opens nothing for writing.
public final class Collector {
    private static final String CAISSON = "caisson";

    private final Scope scope;
    private final HostFiles files;
    private final HostFiles here;
    private final List<Gap> gaps = new ArrayList<>();

    private Collector(Scope scope) {
        this.scope = scope;
        this.files = new HostFiles(scope.hostRoot(), gaps);
        this.here = new HostFiles(Path.of("/"), gaps);
    }

    public static Facts collect(Scope scope) {
        return new Collector(scope).collect();
    }

    private Facts collect() {
        ProcessTable table = ProcessTable.read();
        List<Asked> asked = new ArrayList<>();
        try {
            ask(table, asked);
            List<EngineFacts> engines = asked.stream().map(Asked::facts).toList();
            List<String> sockets = engines.stream()
                    .flatMap(engine -> Stream.concat(engine.sockets().stream(), engine.containerdSocket().stream()))
                    .toList();
            HostFacts host = new HostCollector(files, here).collect(files(engines), sockets);
            List<Share> shares = new ArrayList<>();
            for (int at = 0; at < asked.size(); at++) {
                EngineFacts engine = asked.get(at).facts();
                share(asked.get(at), truths(table, host, marks(engines), Optional.of(engine)), asked.size() == 1)
                        .ifPresent(shares::add);
            }
            // who names a socket asks about that engine
            boolean one = scope.socket().isPresent();
            List<ContainerFacts> own = scope.caissonState().isEmpty()
                    ? List.of()
                    : own(
                            table,
                            truths(table, host, marks(engines), Optional.empty()),
                            scope.caissonState().get());
            if (!own.isEmpty()) {
                shares.add(new Share(CAISSON, Optional.empty(), List.of(), own));
            }
            refuseUnknownTarget(shares);
            if (scope.target().isEmpty() && !one) {
                new OtherEngines(files, here, table, gaps).tell(host, engines);
            }
            return facts(host, shares);
        } finally {
            asked.forEach(Asked::close);
        }
    }

    private Facts facts(HostFacts host, List<Share> shares) {
        boolean engine = !shares.isEmpty() && shares.getFirst().engine().isPresent();
        Share first = engine ? shares.getFirst() : new Share("", Optional.empty(), List.of(), List.of());
        return new Facts(
                scope.second(),
                host,
                first.engine(),
                first.images(),
                first.containers(),
                List.copyOf(gaps),
                List.copyOf(engine ? shares.subList(1, shares.size()) : shares));
    }

    /// Asks the engine that the scope names, or all that the host has at the usual places. A user may put at their
    /// own place what they like: one that does not answer there, or not as an engine does, hides no other.
    private void ask(ProcessTable table, List<Asked> asked) {
        List<AuditException> silent = new ArrayList<>();
        for (EngineSocket socket : new EngineSockets(scope, files).all()) {
            try {
                asked.add(Asked.of(socket, files, table, gaps));
            } catch (AuditException e) {
                if (scope.socket().isPresent()) {
                    throw e;
                }
                // podman and users leave theirs behind; dockerd's tells that it should run
                if (!(e.getCause() instanceof ConnectException) || socket.ofDockerd()) {
                    gaps.add(Gap.ofEngine(socket.path(), e));
                }
                // what is closed to this user is told, and the rest of the host is audited
                if (!socket.ofUser() && !EngineApi.isClosed(e)) {
                    silent.add(e);
                }
            }
        }
        if (asked.isEmpty() && !silent.isEmpty()) {
            throw silent.getFirst();
        }
    }

    /// @param decisive whether the audit fails where this engine does not go on answering
    private Optional<Share> share(Asked asked, ContainerTruth truths, boolean decisive) {
        try {
            return Optional.of(collected(asked, truths));
        } catch (AuditException e) {
            if (asked.socket().ofUser() || !decisive) {
                gaps.add(Gap.ofEngine(asked.socket().path(), e));
                return Optional.empty();
            }
            throw e;
        }
    }

    private Share collected(Asked asked, ContainerTruth truths) {
        try {
            return new EngineShare(scope, files, gaps, asked, truths).collect();
        } catch (IndexOutOfBoundsException
                | IllegalArgumentException
                | NoSuchElementException
                | ArithmeticException e) {
            throw Asked.misfit(asked.socket(), e);
        }
    }

    private void refuseUnknownTarget(List<Share> shares) {
        if (scope.target().isEmpty()) {
            return;
        }
        boolean image = scope.target().get().startsWith("image:");
        boolean found = shares.stream()
                .anyMatch(share ->
                        image ? !share.images().isEmpty() : !share.containers().isEmpty());
        if (!found) {
            throw new AuditException(
                    AuditException.Code.TARGET_UNKNOWN,
                    image
                            ? "No engine here has an image " + scope.targetName() + "; docker images lists them."
                            : "No engine here has a container " + scope.targetName() + "; docker ps -a lists them.");
        }
    }

    private List<ContainerFacts> own(ProcessTable table, ContainerTruth truths, Path state) {
        if (scope.target().filter(target -> target.startsWith("image:")).isPresent()) {
            return List.of();
        }
        String wanted = scope.targetName().replaceFirst("^" + CAISSON + "/", "");
        var networks = new CaissonNetworks(
                scope.caissonNetworks().flatMap(directory -> files.directory(directory.toString())), gaps);
        return new CaissonContainers(files.directory(state.toString()), networks, table, truths, gaps)
                .collect().stream()
                        .filter(container -> wanted.isEmpty()
                                || container.name().equals(wanted)
                                || container.id().equals(wanted))
                        .toList();
    }

    /// By their own names: a link of the host leads a mount of it to what it names.
    private List<String> marks(List<EngineFacts> engines) {
        return HostDirectories.marks(engines.stream()
                        .map(engine -> engine.claims().rootDirectory())
                        .toList())
                .stream()
                .flatMap(path -> files.fact(path).stream())
                .filter(file -> file.kind().equals("directory"))
                .map(FileFact::resolved)
                .distinct()
                .toList();
    }

    private ContainerTruth truths(
            ProcessTable table, HostFacts host, List<String> marks, Optional<EngineFacts> engine) {
        return new ContainerTruth(
                table,
                new CgroupReader(host.processors()),
                host.engineSockets(),
                scope.liveFilters(),
                marks,
                host.namespaces(),
                engine.flatMap(EngineFacts::process).map(Collector::hosts).orElse(Map.of()));
    }

    /// Namespaces of the engine that are the host's to its containers. One without root lives in a user namespace of
    /// its own, and what shares that is no more than its user.
    private static Map<String, Long> hosts(EngineProcess process) {
        Map<String, Long> namespaces = new TreeMap<>(process.namespaces());
        if (process.uid() != 0) {
            namespaces.remove("user");
        }
        return namespaces;
    }

    private Map<String, FileFact> files(List<EngineFacts> engines) {
        Map<String, FileFact> all = new TreeMap<>();
        for (String path : WantedFiles.of(engines, files)) {
            files.fact(path)
                    // the socket that was asked lies where this process sees it
                    .or(() ->
                            engines.stream().anyMatch(engine -> engine.socket().equals(path))
                                    ? here.fact(path)
                                    : Optional.empty())
                    .ifPresent(fact -> all.put(path, fact));
        }
        return all;
    }
}
