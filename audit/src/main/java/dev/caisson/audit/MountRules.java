package dev.caisson.audit;

import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Mount;
import dev.caisson.containerfile.workload.Workload.MountKind;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Rules on what of the host is mounted into a container.
final class MountRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("engine-socket", MountRules::sockets),
            Rule.of("host-path", MountRules::hostPaths),
            Rule.of("mount-shared", MountRules::shared));
    static final List<Rule<Workload>> COMPOSE = List.of(Rule.of("source-tree-writable", MountRules::sourceTree));

    private static final List<String> SOCKETS = List.of(
            "/run/docker.sock",
            "/run/containerd/containerd.sock",
            "/run/containerd/containerd.sock.ttrpc",
            "/run/podman/podman.sock",
            "/run/crio/crio.sock",
            "/run/cri-dockerd.sock",
            "/run/dockershim.sock",
            "/run/buildkit/buildkitd.sock",
            "/run/k3s/containerd/containerd.sock");
    private static final Set<String> SOCKET_NAMES =
            Set.of("docker.sock", "containerd.sock", "podman.sock", "crio.sock", "cri-dockerd.sock", "buildkitd.sock");
    /// A directory below which a user's own engine has its socket: docker.sock, or podman/podman.sock.
    private static final Pattern ROOTLESS = Pattern.compile("/run/user(?:/[0-9]+(?:/podman)?)?");
    /// Writable or not, what is in these is the host's secret or its control.
    private static final Set<String> CRITICAL = Set.of(
            "/",
            "/etc",
            "/root",
            "/proc",
            "/sys",
            "/dev",
            "/boot",
            "/var/lib/docker",
            "/var/lib/containers",
            "/var/lib/containerd",
            "/var/lib/kubelet",
            "/etc/kubernetes",
            "/etc/shadow",
            "/etc/ssh",
            "/etc/sudoers",
            "/etc/docker",
            "/home",
            "/run",
            "/var/run",
            "/var",
            "/var/lib");
    /// Programs and libraries: harmless to read, the host to write.
    private static final Set<String> WRITABLE = Set.of(
            "/usr",
            "/bin",
            "/sbin",
            "/lib",
            "/lib64",
            "/usr/bin",
            "/usr/sbin",
            "/usr/lib",
            "/usr/local",
            "/opt",
            "/srv",
            "/tmp",
            "/var/tmp",
            "/var/log",
            "/var/spool",
            "/var/spool/cron",
            "/etc/cron.d",
            "/mnt",
            "/media");
    private static final Set<String> HARMLESS = Set.of(
            "/etc/localtime",
            "/etc/timezone",
            "/etc/ssl/certs",
            "/etc/ca-certificates",
            "/etc/os-release",
            "/etc/machine-id",
            "/etc/hosts",
            "/etc/resolv.conf",
            "/etc/group",
            "/etc/passwd",
            "/etc/hostname",
            "/dev/shm");

    /// Passwords and keys: to read them is enough.
    private static final Pattern KEYS =
            Pattern.compile("/root|/etc/g?shadow-?|/etc/(?:ssh|ssl/private|kubernetes)(?:/.*)?"
                    + "|/var/lib/kubelet(?:/.*)?|.*/\\.(?:ssh|aws|azure|kube|docker|gnupg|password-store)(?:/.*)?"
                    + "|.*/\\.(?:netrc|git-credentials|npmrc|pypirc)");
    /// A user's shell runs files that lie here.
    private static final Pattern HOME = Pattern.compile("~|/home/[^/]+");
    private static final Set<String> PLAIN_DEVICES = Set.of(
            "/dev/shm",
            "/dev/log",
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/random",
            "/dev/urandom",
            "/dev/tty",
            "/dev/net",
            "/dev/net/tun");

    private MountRules() {}

    private static List<Verdict> sockets(Workload workload) {
        return binds(workload)
                .filter(mount -> socket(mount).isPresent())
                .map(mount -> Verdict.fail(
                                mount.place(),
                                workload.name() + " reaches the engine's socket through the mount of " + shown(mount)
                                        + socket(mount)
                                                .filter(path -> !path.equals(host(mount)))
                                                .map(path -> ", which holds " + path)
                                                .orElse(""))
                        .with(drop(workload, mount)))
                .toList();
    }

    /// The socket that a mount shows: itself, or one below a mounted directory.
    private static Optional<String> socket(Mount mount) {
        return socket(host(mount));
    }

    /// The socket of an engine at or below a path of the host.
    static Optional<String> socket(String path) {
        String source = host(path);
        String name = source.substring(source.lastIndexOf('/') + 1);
        if (SOCKET_NAMES.contains(name)) {
            return Optional.of(source);
        }
        if (ROOTLESS.matcher(source).matches()) {
            return Optional.of("the socket of a rootless engine");
        }
        return SOCKETS.stream()
                .filter(socket -> source.equals("/") || socket.equals(source) || socket.startsWith(source + "/"))
                .findFirst();
    }

    private static List<Verdict> hostPaths(Workload workload) {
        return binds(workload)
                .filter(mount -> severity(mount).isPresent())
                .map(mount -> Verdict.fail(
                                mount.place(),
                                "the host's " + shown(mount) + " is mounted into " + workload.name()
                                        + (mount.readOnly() ? ", read-only" : ", writable"))
                        .as(severity(mount).orElse(Severity.HIGH)))
                .toList();
    }

    private static Optional<Severity> severity(Mount mount) {
        String source = host(mount);
        if (HARMLESS.contains(source) || isSocketFile(source)) {
            return mount.readOnly() || source.equals("/dev/shm") || isSocketFile(source)
                    ? Optional.empty()
                    : Optional.of(Severity.LOW);
        }
        if (source.equals("/")) {
            return Optional.of(mount.readOnly() ? Severity.HIGH : Severity.CRITICAL);
        }
        boolean critical = CRITICAL.contains(source)
                || source.startsWith("/etc/")
                || source.startsWith("/proc/")
                || source.startsWith("/sys/")
                || source.startsWith("/root/.")
                || source.startsWith("/boot/")
                || source.startsWith("/var/lib/docker/")
                || source.startsWith("/var/lib/kubelet/");
        if (KEYS.matcher(source).matches()) {
            return Optional.of(Severity.HIGH);
        }
        if (critical || HOME.matcher(source).matches() || isDevice(source)) {
            return Optional.of(mount.readOnly() ? Severity.MEDIUM : Severity.HIGH);
        }
        return WRITABLE.contains(source) && !mount.readOnly() ? Optional.of(Severity.HIGH) : Optional.empty();
    }

    /// The disk of a host is a file below `/dev`.
    private static boolean isDevice(String source) {
        return source.startsWith("/dev/") && !PLAIN_DEVICES.contains(source);
    }

    private static boolean isSocketFile(String source) {
        return source.endsWith(".sock");
    }

    private static List<Verdict> shared(Workload workload) {
        return workload.mounts().stream()
                .filter(mount -> mount.propagation()
                        .filter(mode -> mode.endsWith("shared"))
                        .isPresent())
                .map(mount -> Verdict.fail(
                        mount.place(),
                        "mounts that " + workload.name() + " makes below " + mount.target() + " appear on the host"))
                .toList();
    }

    private static List<Verdict> sourceTree(Workload workload) {
        if (!(workload.origin() instanceof WorkloadOrigin.Compose origin)) {
            return Verdict.none();
        }
        String project = origin.project().directory().toString();
        return binds(workload)
                .filter(mount -> !mount.readOnly()
                        && (host(mount).equals(project) || project.startsWith(host(mount) + "/"))
                        && severity(mount).isEmpty())
                .map(mount -> Verdict.fail(
                        mount.place(), "the project's own directory is mounted into " + workload.name() + ", writable"))
                .toList();
    }

    private static Stream<Mount> binds(Workload workload) {
        return workload.mounts().stream()
                .filter(mount ->
                        mount.kind() == MountKind.BIND && !mount.source().isEmpty());
    }

    /// `/var/run` is `/run` on every system of today.
    private static String host(Mount mount) {
        return host(mount.source());
    }

    private static String host(String source) {
        return source.equals("/var/run") || source.startsWith("/var/run/") ? source.substring(4) : source;
    }

    private static String shown(Mount mount) {
        return mount.written().isEmpty() ? mount.source() : mount.written();
    }

    private static Fix drop(Workload workload, Mount mount) {
        String item = mount.place().text();
        boolean own = Composes.body(workload)
                .flatMap(body -> body.seq("volumes"))
                .filter(volumes -> volumes.items().stream()
                        .anyMatch(volume -> volume.place().equals(mount.place())))
                .isPresent();
        if (!own) { // taken over from another service, or asked for in another way
            return Fixes.of(workload, false, List.of(), List.of());
        }
        return Fixes.of(workload, false, List.of(YamlChange.dropItem(item, "volumes")), List.of());
    }
}
