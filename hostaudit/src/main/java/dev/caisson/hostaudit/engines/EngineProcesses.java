package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.hostaudit.kernel.ProcessTable;
import dev.caisson.hostaudit.kernel.SocketTable;
import dev.caisson.hostaudit.secrets.Variables;
import dev.caisson.linux.KernelText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Finds the process that listens on an engine's socket, by the socket's inode, and the programs around it.
public final class EngineProcesses {
    private static final List<String> SEARCH_PATH =
            List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");
    private static final List<String> SHIMS =
            List.of("containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2");

    private final ProcessTable processes;
    private final HostFiles files;

    public EngineProcesses(ProcessTable processes, HostFiles files) {
        this.processes = processes;
        this.files = files;
    }

    /// The process that has the listening socket open which is bound to that file. A path says nothing
    /// here: a process in a mount namespace of its own can bind the same one, so its root must lead to the
    /// same device and inode. One that is called like an engine is asked first; then all others, for a
    /// renamed program.
    public Optional<EngineProcess> listeningOn(ProcessRoot.Identity socket) {
        Stream<Long> named = processes.named("dockerd").stream();
        Stream<Long> podman = processes.named("podman").stream();
        return Stream.of(named, podman, processes.all().stream())
                .flatMap(pids -> pids)
                .filter(pid -> listens(pid, socket))
                .findFirst()
                .map(EngineProcesses::process);
    }

    private static boolean listens(long pid, ProcessRoot.Identity socket) {
        return SocketTable.unixOf(pid)
                .anyMatch(path ->
                        ProcessRoot.identity(pid, path).filter(socket::equals).isPresent());
    }

    private static EngineProcess process(long pid) {
        Map<String, String> status = Proc.fields(Proc.text(pid, "status").orElse(""));
        List<Long> uids = Proc.numbers(status.getOrDefault("Uid", ""));
        return new EngineProcess(
                pid,
                Proc.link(Proc.of(pid).resolve("exe")).orElse(""),
                Variables.arguments(Proc.commandLine(pid)),
                uids.size() > 1 ? uids.get(1) : -1,
                Proc.namespaces(pid),
                unit(Proc.text(pid, "cgroup").orElse("")),
                Proc.limits(pid).getOrDefault("Max open files", ""));
    }

    /// The service of the host's systemd that a process belongs to, from the name of its control group,
    /// cgroups(7): slices and then the service itself. A process that was started in a scope, by the service of
    /// a user's own systemd (`user@1000.service`) or by a systemd in a container belongs to none.
    public static String unit(String cgroup) {
        return Stream.of(":name=systemd:", "0::")
                .flatMap(kind -> KernelText.lines(cgroup)
                        .filter(line -> line.contains(kind))
                        .map(line -> line.substring(line.indexOf(kind) + kind.length())))
                .map(EngineProcesses::service)
                .findFirst()
                .orElse("");
    }

    private static String service(String path) {
        List<String> parts =
                Stream.of(path.split("/", -1)).filter(part -> !part.isEmpty()).toList();
        // a control group namespace shows what is not below its root by way of ..
        boolean ofHost = !parts.isEmpty()
                && parts.getLast().endsWith(".service")
                && parts.stream()
                        .limit(parts.size() - 1L)
                        .allMatch(part -> part.endsWith(".slice") || part.equals(".."));
        return ofHost ? parts.getLast() : "";
    }

    /// Programs by role: those that run, else those that the search path would give.
    Map<String, String> binaries(Optional<EngineProcess> engine) {
        Map<String, String> found = new TreeMap<>();
        engine.filter(process -> !process.executable().isEmpty())
                .ifPresent(process -> found.put("dockerd", process.executable()));
        for (String name : Stream.concat(Stream.of("dockerd", "containerd", "runc"), SHIMS.stream())
                .toList()) {
            if (found.containsKey(name)) {
                continue;
            }
            // comm holds 15 characters
            processes.named(name.substring(0, Math.min(15, name.length()))).stream()
                    .flatMap(pid -> Proc.link(Proc.of(pid).resolve("exe")).stream())
                    .filter(executable -> executable.endsWith("/" + name))
                    .findFirst()
                    .or(() -> SEARCH_PATH.stream()
                            .map(directory -> directory + "/" + name)
                            .filter(files::isProgram)
                            .findFirst())
                    .ifPresent(path -> found.put(name, path));
        }
        return found;
    }

    /// The socket of the containerd that the engine talks to: what its containerd, or the one it started,
    /// listens on.
    Optional<String> containerdSocket(Optional<EngineProcess> engine, String configured) {
        if (!configured.isEmpty()) {
            return Optional.of(configured.replaceFirst("^unix://", ""));
        }
        return processes.named("containerd").stream()
                .sorted(java.util.Comparator.comparing(
                        pid -> engine.filter(process -> processes.parent(pid) == process.pid())
                                .isEmpty()))
                .flatMap(pid -> SocketTable.unixOf(pid)
                        .filter(path -> path.endsWith("/containerd.sock"))
                        .filter(path -> isOfHost(pid, path)))
                .findFirst();
    }

    /// True if the path leads that process to the host's file: a program in a container can take any name.
    private boolean isOfHost(long pid, String path) {
        Optional<ProcessRoot.Identity> host = files.fact(path).map(ProcessRoot.Identity::of);
        return host.isPresent() && host.equals(ProcessRoot.identity(pid, path));
    }

    /// Processes that are called like an engine, but for the one that was asked.
    public List<Long> others(List<EngineProcess> engines) {
        return Stream.of("dockerd", "crio")
                .flatMap(name -> processes.named(name).stream())
                .filter(pid -> engines.stream().noneMatch(process -> process.pid() == pid))
                .toList();
    }

    /// How many of the engine's port proxies run.
    int proxies(Optional<EngineProcess> engine) {
        return (int) processes.named("docker-proxy").stream()
                .filter(pid -> engine.filter(process -> processes.parent(pid) == process.pid())
                        .isPresent())
                .count();
    }
}
