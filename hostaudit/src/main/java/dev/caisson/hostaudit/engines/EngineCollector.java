package dev.caisson.hostaudit.engines;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.Claims;
import dev.caisson.hostaudit.facts.EngineFacts.DataRoot;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.EngineFacts.NetworkFacts;
import dev.caisson.hostaudit.facts.EngineFacts.ServerProbe;
import dev.caisson.hostaudit.facts.EngineFacts.Setting;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.MountTable;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.hostaudit.kernel.ProcessTable;
import dev.caisson.hostaudit.kernel.SocketTable;
import dev.caisson.text.MalformedJsonException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Gathers what concerns the engine: its API's answers, its process, its effective configuration. Podman serves the
/// same API; it has no settings of a daemon, and no containerd.
public final class EngineCollector {
    private static final String PODMAN_FILE = "/etc/containers/containers.conf";

    private static final Pattern OF_RANGE = Pattern.compile(".*/\\d+\\.\\d+");

    private final EngineApi api;
    private final String socket;
    private final Optional<ProcessRoot.Identity> identity;
    private final HostFiles files;
    private final ProcessTable table;
    private final List<Gap> gaps;

    /// @param identity of the socket's file
    public EngineCollector(
            EngineApi api,
            String socket,
            Optional<ProcessRoot.Identity> identity,
            HostFiles files,
            ProcessTable table,
            List<Gap> gaps) {
        this.api = api;
        this.socket = socket;
        this.identity = identity;
        this.files = files;
        this.table = table;
        this.gaps = gaps;
    }

    public EngineFacts collect() {
        Tree info = api.get("/info");
        Tree version = api.get("/version");
        refuseStranger(info, version);
        EngineProcesses processes = new EngineProcesses(table, files);
        Optional<EngineProcess> process = identity.flatMap(processes::listeningOn);
        if (process.isEmpty()) {
            gaps.add(new Gap(
                    "the engine's process",
                    "no process could be tied to " + socket + "; run as root on the engine's own host"));
        }
        List<String> arguments = process.map(EngineProcess::arguments).orElse(List.of());
        Function<String, Optional<String>> environment =
                name -> process.flatMap(found -> Proc.variable(found.pid(), name));
        boolean podman = version.at("Components").list().stream()
                .anyMatch(component -> component.at("Name").textOr("").startsWith("Podman"));
        String file = podman ? PODMAN_FILE : EngineConfiguration.file(arguments, environment);
        Map<String, Setting> configuration =
                podman ? Map.of() : EngineConfiguration.effective(arguments, environment, configuration(file, process));
        String root = info.at("DockerRootDir").textOr("");
        List<Listener> listeners =
                process.map(found -> SocketTable.listeners(found.pid())).orElse(List.of());
        List<Listener> own = tcp(process, listeners);
        return new EngineFacts(
                socket,
                process,
                claims(info, version),
                configuration,
                file,
                processes.binaries(process),
                podman
                        ? Optional.empty()
                        : processes.containerdSocket(
                                process,
                                Optional.ofNullable(configuration.get("containerd"))
                                        .map(Setting::text)
                                        .orElse("")),
                dataRoot(root, info.at("SecurityOptions").texts().contains("name=userns"), MountTable.ofHost()),
                own,
                others(listeners),
                unixSockets(configuration),
                probes(process, own),
                processes.proxies(process),
                networks(),
                SwarmCollector.collect(api, info, files, root, EngineSockets.user(socket, process)),
                podman ? "podman" : "docker");
    }

    /// Refuses a stranger that answers JSON: an engine states its release, its data root and its storage driver.
    private void refuseStranger(Tree info, Tree version) {
        boolean engine = info.at("DockerRootDir").textOr("").startsWith("/")
                && !info.at("Driver").textOr("").isEmpty()
                && !version.at("Version").textOr("").isEmpty();
        if (!engine) {
            throw new AuditException(
                    AuditException.Code.ENGINE_ANSWER,
                    "What answers at " + socket + " is not a container engine: /version and /info do not name its"
                            + " version, data root and storage driver.");
        }
    }

    private Tree configuration(String file, Optional<EngineProcess> process) {
        Optional<String> text = files.text(file, EngineSockets.user(socket, process));
        try {
            return text.map(EngineConfiguration::parse).orElse(Tree.NONE);
        } catch (MalformedJsonException e) {
            gaps.add(new Gap(file, "it is no JSON: " + e.getMessage()));
            return Tree.NONE;
        }
    }

    private static Claims claims(Tree info, Tree version) {
        Set<String> insecure =
                new TreeSet<>(info.at("RegistryConfig", "InsecureRegistryCIDRs").texts());
        info.at("RegistryConfig", "IndexConfigs").map().forEach((name, registry) -> {
            if (!registry.at("Secure").truth()) {
                insecure.add(name);
            }
        });
        Map<String, String> components = new java.util.TreeMap<>();
        version.at("Components")
                .list()
                .forEach(component -> components.put(
                        component.at("Name").textOr(""), component.at("Version").textOr("")));
        String backing = info.at("DriverStatus").list().stream()
                .map(Tree::texts)
                .filter(pair -> pair.size() == 2 && pair.getFirst().equals("Backing Filesystem"))
                .map(List::getLast)
                .findFirst()
                .orElse("");
        return new Claims(
                version.at("Version").textOr(info.at("ServerVersion").textOr("")),
                version.at("ApiVersion").textOr(""),
                components.getOrDefault("containerd", ""),
                components.getOrDefault("runc", ""),
                info.at("DockerRootDir").textOr(""),
                info.at("Driver").textOr(""),
                backing,
                info.at("LoggingDriver").textOr(""),
                info.at("CgroupDriver").textOr(""),
                info.at("Debug").truth(),
                info.at("LiveRestoreEnabled").truth(),
                info.at("ExperimentalBuild").truth(),
                info.at("SecurityOptions").texts(),
                List.copyOf(insecure),
                info.at("RegistryConfig", "Mirrors").texts(),
                info.at("Plugins", "Authorization").texts(),
                info.at("Swarm", "LocalNodeState").textOr("inactive"),
                info.at("Warnings").texts());
    }

    /// A file system of its own is mounted there with its own root. dockerd binds its data root onto itself
    /// where the mount above is private, so a mount point alone proves nothing.
    ///
    /// @param remapped true if dockerd keeps all below `UID.GID` of the configured directory
    static DataRoot dataRoot(String path, boolean remapped, MountTable mounts) {
        if (!remapped || !OF_RANGE.matcher(path).matches()) {
            return dataRoot(path, mounts);
        }
        DataRoot own = dataRoot(path, mounts);
        return own.mountedAlone() ? own : dataRoot(above(path), mounts).at(path);
    }

    private static String above(String path) {
        return path.lastIndexOf('/') > 0 ? path.substring(0, path.lastIndexOf('/')) : "/";
    }

    private static DataRoot dataRoot(String path, MountTable mounts) {
        Optional<ContainerFacts.Mount> own = mounts.holding(path);
        String parent = above(path);
        String above = mounts.holding(parent).map(ContainerFacts.Mount::device).orElse("");
        boolean alone = own.filter(mount -> mount.point().equals(path)
                        && mount.root().equals("/")
                        && !mount.device().equals(above))
                .isPresent();
        return new DataRoot(path, alone, own.map(ContainerFacts.Mount::device).orElse(""), above);
    }

    private static List<Listener> tcp(Optional<EngineProcess> process, List<Listener> all) {
        Set<Long> own =
                process.map(found -> Set.copyOf(Proc.socketInodes(found.pid()))).orElse(Set.of());
        return all.stream().filter(listener -> own.contains(listener.inode())).toList();
    }

    /// Returns the listeners of the engine's network namespace; proxies of published ports belong to containers.
    private List<Listener> others(List<Listener> all) {
        Set<Long> proxied = new java.util.HashSet<>();
        table.named("docker-proxy").forEach(pid -> proxied.addAll(Proc.socketInodes(pid)));
        return all.stream()
                .filter(listener -> !proxied.contains(listener.inode()))
                .toList();
    }

    private List<String> unixSockets(Map<String, Setting> configuration) {
        Set<String> all = new TreeSet<>();
        all.add(socket);
        Optional.ofNullable(configuration.get("hosts")).map(Setting::values).orElse(List.of()).stream()
                .filter(host -> host.startsWith("unix://"))
                .map(host -> host.substring("unix://".length()))
                .filter(files::exists)
                .forEach(all::add);
        return List.copyOf(all);
    }

    /// Only TCP sockets of this very network namespace can be asked; the swarm's own ports speak another
    /// protocol.
    private static List<ServerProbe> probes(Optional<EngineProcess> process, List<Listener> own) {
        if (process.isEmpty()
                || !process.get()
                        .namespaces()
                        .getOrDefault("net", 0L)
                        .equals(Proc.namespace(ProcessHandle.current().pid(), "net")
                                .orElse(-1L))) {
            return List.of();
        }
        return own.stream()
                .filter(listener -> listener.protocol().equals("tcp"))
                .filter(listener -> listener.port() != 2377 && listener.port() != 7946)
                .map(TcpProbe::ask)
                .toList();
    }

    private List<NetworkFacts> networks() {
        var all = new ArrayList<NetworkFacts>();
        for (Tree network : api.list(
                "/networks", why -> gaps.add(new Gap("networks of " + socket, String.valueOf(why.getMessage()))))) {
            all.add(new NetworkFacts(
                    network.at("Id").textOr(""),
                    network.at("Name").textOr(""),
                    network.at("Driver").textOr(""),
                    network.at("Scope").textOr(""),
                    network.at("Internal").truth(),
                    network.at("Ingress").truth(),
                    network.at("Options").textMap(),
                    network.at("IPAM", "Config").list().stream()
                            .flatMap(config -> config.at("Gateway").text().stream())
                            .toList()));
        }
        all.sort(java.util.Comparator.comparing(NetworkFacts::name).thenComparing(NetworkFacts::id));
        return List.copyOf(all);
    }
}
