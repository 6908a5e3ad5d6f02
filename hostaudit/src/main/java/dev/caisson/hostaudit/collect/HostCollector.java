package dev.caisson.hostaudit.collect;

import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostFacts.Account;
import dev.caisson.hostaudit.facts.HostFacts.AuditFacts;
import dev.caisson.hostaudit.facts.HostFacts.Group;
import dev.caisson.hostaudit.facts.HostFacts.SocketFile;
import dev.caisson.hostaudit.facts.HostFacts.Watch;
import dev.caisson.hostaudit.facts.Numbers;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.hostaudit.secrets.Variables;
import dev.caisson.linux.AuditRules;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Gathers what concerns the host as a whole.
public final class HostCollector {
    private static final List<String> SETTINGS = List.of(
            "kernel.kptr_restrict",
            "kernel.dmesg_restrict",
            "kernel.unprivileged_bpf_disabled",
            "kernel.perf_event_paranoid",
            "kernel.randomize_va_space",
            "kernel.kexec_load_disabled",
            "kernel.pid_max",
            "kernel.threads-max",
            "kernel.modules_disabled",
            "kernel.yama.ptrace_scope",
            "kernel.core_pattern",
            "net.core.bpf_jit_harden",
            "fs.protected_symlinks",
            "fs.protected_hardlinks",
            "fs.protected_fifos",
            "fs.protected_regular",
            "fs.suid_dumpable",
            "fs.inotify.max_user_instances",
            "fs.inotify.max_user_watches",
            "user.max_user_namespaces",
            "vm.unprivileged_userfaultfd",
            "net.ipv4.ip_unprivileged_port_start");

    /// Sockets that are as good as root to whoever may write to them.
    private static final Map<String, String> ENGINE_SOCKETS = Map.of(
            "/run/docker.sock", "docker",
            "/run/containerd/containerd.sock", "containerd",
            "/run/docker/containerd/containerd.sock", "containerd",
            "/run/podman/podman.sock", "podman",
            "/run/crio/crio.sock", "crio",
            "/run/buildkit/buildkitd.sock", "buildkit",
            "/run/k3s/containerd/containerd.sock", "containerd");

    private final HostFiles files;
    private final HostFiles here;

    public HostCollector(HostFiles files, HostFiles here) {
        this.files = files;
        this.here = here;
    }

    public HostFacts collect(Map<String, HostFacts.FileFact> wanted, List<String> moreSockets) {
        Map<String, String> settings = new TreeMap<>();
        for (String name : SETTINGS) {
            Proc.text(Path.of("/proc/sys/" + name.replace('.', '/'))).ifPresent(value -> settings.put(name, value));
        }
        Map<String, String> environment = new TreeMap<>();
        files.text("/etc/environment").stream().flatMap(String::lines).forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0 && !line.startsWith("#")) {
                environment.put(
                        line.substring(0, equals).replace("export ", "").strip(),
                        line.substring(equals + 1).replace("\"", "").strip());
            }
        });
        return new HostFacts(
                System.getProperty("os.version"),
                memoryTotal(),
                Runtime.getRuntime().availableProcessors(),
                settings,
                HostFacts.KERNEL_FILES.stream()
                        .filter(file -> Files.exists(Path.of(file)))
                        .toList(),
                Proc.text(Path.of("/sys/module/apparmor/parameters/enabled"))
                        .filter(value -> value.startsWith("Y"))
                        .isPresent(),
                Proc.text(Path.of("/sys/fs/selinux/enforce"))
                        .map(value -> value.equals("1") ? "enforcing" : "permissive"),
                Proc.firstNamespaces(),
                accounts(),
                groups(),
                audit(),
                wanted,
                sockets(moreSockets),
                Variables.withoutSecrets(environment));
    }

    private static long memoryTotal() {
        return Proc.text(Path.of("/proc/meminfo"))
                .map(text -> Proc.fields(text).getOrDefault("MemTotal", "0 kB"))
                .map(total -> Long.parseLong(total.split(" ", 2)[0]) * 1024)
                .orElse(0L);
    }

    private List<Account> accounts() {
        var all = new ArrayList<Account>();
        files.text("/etc/passwd").stream().flatMap(String::lines).forEach(line -> {
            String[] cells = line.split(":", -1);
            if (cells.length > 3 && Numbers.isNumber(cells[2]) && Numbers.isNumber(cells[3])) {
                all.add(new Account(cells[0], Long.parseLong(cells[2]), Long.parseLong(cells[3])));
            }
        });
        return all;
    }

    private List<Group> groups() {
        var all = new ArrayList<Group>();
        files.text("/etc/group").stream().flatMap(String::lines).forEach(line -> {
            String[] cells = line.split(":", -1);
            if (cells.length > 3 && Numbers.isNumber(cells[2])) {
                all.add(new Group(
                        cells[0],
                        Long.parseLong(cells[2]),
                        List.of(cells[3].split(",", -1)).stream()
                                .map(String::strip)
                                .filter(name -> !name.isEmpty())
                                .toList()));
            }
        });
        return all;
    }

    private static AuditFacts audit() {
        try {
            Optional<AuditRules> rules = AuditRules.read();
            if (rules.isEmpty()) {
                return new AuditFacts("absent", "the kernel was built without the audit subsystem", List.of());
            }
            return new AuditFacts(
                    rules.get().enabled() == 0 ? "off" : "on",
                    "",
                    rules.get().watches().stream()
                            .filter(watch -> !watch.never())
                            .map(watch -> new Watch(watch.path(), watch.directory(), watch.permissions()))
                            .toList());
        } catch (ErrnoException e) {
            return new AuditFacts("unknown", "the kernel does not tell its audit rules: " + e.getMessage(), List.of());
        }
    }

    private int links(String path, List<String> more) {
        return files.open(path)
                .or(() -> more.contains(path) ? here.open(path) : Optional.empty())
                .map(opened -> {
                    try (Fd file = opened) {
                        return FileSystem.status(file).links();
                    }
                })
                .orElse(1);
    }

    private List<SocketFile> sockets(List<String> more) {
        Map<String, String> paths = new TreeMap<>(ENGINE_SOCKETS);
        more.forEach(path -> paths.putIfAbsent(path, path.contains("containerd") ? "containerd" : "docker"));
        var found = new ArrayList<SocketFile>();
        var seen = new java.util.HashSet<List<Long>>();
        paths.forEach((path, engine) -> files.fact(path)
                // the socket that was asked lies where this process sees it
                .or(() -> more.contains(path) ? here.fact(path) : Optional.empty())
                .filter(file -> file.kind().equals("socket"))
                .filter(file -> seen.add(List.of(file.device(), file.inode())))
                .ifPresent(file -> found.add(
                        new SocketFile(file.resolved(), engine, file.device(), file.inode(), links(path, more)))));
        return found;
    }
}
