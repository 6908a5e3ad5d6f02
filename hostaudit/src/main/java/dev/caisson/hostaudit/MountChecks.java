package dev.caisson.hostaudit;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.ContainerFacts.Mount;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Checks of what containers see of the host's files, by file system and directory, wherever it was
/// mounted. CIS section 5.
final class MountChecks {
    private static final List<String> SENSITIVE = List.of(
            "/bin",
            "/boot",
            "/dev",
            "/etc",
            "/lib",
            "/lib64",
            "/proc",
            "/root",
            "/run",
            "/sbin",
            "/sys",
            "/usr",
            "/var/lib/containerd",
            "/var/lib/containers",
            "/var/lib/docker",
            "/var/lib/kubelet",
            "/var/run",
            "/var/spool/cron");
    private static final Pattern HOME_KEYS =
            Pattern.compile("/home/[^/]+(?:/\\.(?:ssh|aws|kube|docker|gnupg)(?:/.*)?)?");
    private static final long MAKE_NODE = Capability.mask(List.of("MKNOD"));
    /// Writing to these changes the kernel for everybody.
    static final List<String> KERNEL_FILES = List.of("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus");

    static final List<HostRule> ALL = List.of(
            HostRule.of("host-directory", MountChecks::directories),
            HostRule.container("root-writable-live", MountChecks::rootWritable),
            HostRule.container("host-devices", MountChecks::devices),
            HostRule.container("mount-propagates", MountChecks::propagation),
            HostRule.container("engine-socket-inside", MountChecks::sockets),
            HostRule.of(
                    "kernel-paths-open",
                    facts -> HostRule.container(
                                    "kernel-paths-open",
                                    (container, truth) -> kernelPaths(facts.host(), container, truth))
                            .judge()
                            .apply(facts)));

    private MountChecks() {}

    static Optional<Mount> root(Truth truth) {
        return truth.mounts().stream()
                .filter(mount -> mount.point().equals("/"))
                .reduce((first, last) -> last);
    }

    private static List<Answer> directories(Facts facts) {
        String dataRoot =
                facts.engine().map(engine -> engine.claims().rootDirectory()).orElse("/var/lib/docker");
        List<String> otherRoots = facts.engines().stream()
                .map(engine -> engine.claims().rootDirectory())
                .filter(root -> !root.equals(dataRoot) && root.startsWith("/"))
                .toList();
        return HostRule.container("host-directory", (container, truth) -> {
                    var open = new ArrayList<String>();
                    boolean writable = false;
                    for (Mount mount : truth.mounts()) {
                        if (sensitive(mount, container, dataRoot, otherRoots)) {
                            writable |= !mount.readOnly();
                            open.add(mount.hostPath() + " at " + mount.point() + (mount.readOnly() ? " ro" : " rw"));
                        }
                    }
                    Answer answer = Answer.failIf(
                            !open.isEmpty(),
                            Answer.subject(container),
                            "of the host it has " + Answer.list(open),
                            "it has no sensitive directory of the host");
                    return (open.isEmpty() || writable ? answer : answer.as(Severity.MEDIUM))
                            .claim(
                                    "API",
                                    container.claims().mounts().stream()
                                            .map(mount -> mount.source() + " at " + mount.target())
                                            .toList()
                                            .toString())
                            .truth("/proc/PID/mountinfo", open.isEmpty() ? "none" : Answer.list(open));
                })
                .judge()
                .apply(facts);
    }

    /// What lies at or below a sensitive directory, or holds one. Files and volumes that the engine itself
    /// keeps for this container are its own.
    private static boolean sensitive(Mount mount, ContainerFacts container, String dataRoot, List<String> otherRoots) {
        String host = mount.hostPath();
        if (host.isEmpty() || mount.point().equals("/")) {
            return false;
        }
        if (host.startsWith(dataRoot + "/containers/" + container.id() + "/")
                // what podman keeps of this very container
                || host.startsWith(dataRoot + "/overlay-containers/" + container.id() + "/userdata/")
                || (host.startsWith(dataRoot + "/volumes/") && host.contains("/_data"))) {
            return false;
        }
        // its own instances of kernel file systems, of which the host may show the same one
        if (mount.type().startsWith("cgroup")
                || mount.type().equals("mqueue")
                || mount.type().equals("nsfs")
                || (mount.type().equals("sysfs") && mount.point().startsWith("/sys"))) {
            return false;
        }
        if (mount.type().equals("proc") && mount.point().startsWith("/proc")) {
            return !host.startsWith("/proc");
        }
        // device nodes that the engine binds for a container in a user namespace
        if (host.startsWith("/dev/")
                && List.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
                        .contains(host)) {
            return false;
        }
        return host.equals("/")
                || HOME_KEYS.matcher(host).matches()
                || MountTable.isBelow(dataRoot, host)
                || MountTable.isBelow(host, dataRoot)
                || otherRoots.stream()
                        .anyMatch(root -> MountTable.isBelow(root, host) || MountTable.isBelow(host, root))
                || SENSITIVE.stream()
                        .anyMatch(directory ->
                                MountTable.isBelow(host, directory) || MountTable.isBelow(directory, host));
    }

    private static Answer rootWritable(ContainerFacts container, Truth truth) {
        boolean writable = root(truth).filter(mount -> !mount.readOnly()).isPresent();
        return Answer.failIf(
                        writable,
                        Answer.subject(container),
                        "its root file system can be written",
                        "its root file system is read-only")
                .claim("API", "ReadonlyRootfs " + container.claims().readOnlyRoot())
                .truth("/proc/PID/mountinfo", root(truth).map(Mount::options).orElse("no root"))
                .agreeing(!container.claims().readOnlyRoot() || !writable);
    }

    private static Answer devices(ContainerFacts container, Truth truth) {
        List<String> unseen =
                truth.deviceNodes().stream().filter(DeviceNodes::isUnseen).toList();
        List<String> within = new ArrayList<>(truth.deviceNodes().stream()
                .filter(node -> !unseen.contains(node))
                .filter(node -> DeviceNodes.permitted(node, truth.deviceRules()))
                .toList());
        List<String> wide = DeviceNodes.wide(truth.deviceRules());
        boolean makesNodes = truth.sharesHost().contains("user")
                && truth.processes().stream().anyMatch(process -> (process.bounding() & MAKE_NODE) != 0);
        if (makesNodes && truth.deviceRules().isEmpty()) {
            // version 2 keeps its rules in a program that only the engine has in words
            container
                    .claims()
                    .deviceRules()
                    .forEach(rule -> within.add("what it makes a node for by the rule " + rule));
            if (container.claims().privileged()) {
                within.add("what it makes a node for, as a privileged container");
            }
        } else if (makesNodes) {
            wide.forEach(rule -> within.add("what it makes a node for by the rule " + rule));
        }
        truth.mounts().stream()
                .filter(mount ->
                        mount.hostPath().equals("/dev") && !mount.point().equals("/dev"))
                .forEach(mount -> within.add("the host's /dev at " + mount.point()));
        container.claims().deviceRequests().forEach(request -> within.add("requested " + request));
        if (within.isEmpty() && !unseen.isEmpty()) {
            return Answer.notEvaluated(
                    Answer.subject(container),
                    "it has so many files below /dev that devices may be among those that were not looked at: "
                            + Answer.list(unseen));
        }
        return Answer.failIf(
                        !within.isEmpty(),
                        Answer.subject(container),
                        "it can use " + Answer.list(within),
                        "it has no device but the usual ones")
                .claim(
                        "API",
                        "devices " + container.claims().devices() + ", rules "
                                + container.claims().deviceRules())
                .truth("/proc/PID/root, devices.list", within.isEmpty() ? "none" : Answer.list(within))
                .agreeing(within.isEmpty()
                        || container.claims().privileged()
                        || !container.claims().devices().isEmpty()
                        || !container.claims().deviceRequests().isEmpty()
                        || !container.claims().deviceRules().isEmpty()
                        || container.claims().mounts().stream()
                                .anyMatch(mount -> mount.source().startsWith("/dev")));
    }

    private static Answer propagation(ContainerFacts container, Truth truth) {
        List<String> shared = truth.mounts().stream()
                .filter(Mount::sharedWithHost)
                .map(mount -> mount.point() + " " + mount.peers())
                .toList();
        boolean claimed = container.claims().mounts().stream()
                .anyMatch(mount -> mount.propagation().endsWith("shared"));
        return Answer.failIf(
                        !shared.isEmpty(),
                        Answer.subject(container),
                        "mounts made inside reach the host: " + Answer.list(shared),
                        "no mount made inside reaches the host")
                .claim("API", claimed ? "shared" : "private")
                .truth("/proc/PID/mountinfo", shared.isEmpty() ? "no common peer group" : Answer.list(shared))
                .agreeing(shared.isEmpty() || claimed);
    }

    private static Answer sockets(ContainerFacts container, Truth truth) {
        List<String> within = truth.sockets().stream()
                .map(socket -> socket.engine() + " " + socket.socket() + " at " + socket.path())
                .toList();
        return Answer.failIf(
                        !within.isEmpty(),
                        Answer.subject(container),
                        "it reaches " + Answer.list(within),
                        "it reaches no engine's socket")
                .truth("/proc/PID/root by inode", within.isEmpty() ? "none" : Answer.list(within));
    }

    private static Answer kernelPaths(HostFacts host, ContainerFacts container, Truth truth) {
        var open = new ArrayList<String>();
        Optional<Mount> proc = at(truth, "/proc");
        if (proc.filter(mount -> mount.type().equals("proc") && !mount.readOnly())
                        .isPresent()
                && truth.sharesHost().contains("user")) {
            host.kernelFiles().stream()
                    .filter(path -> at(truth, path).isEmpty())
                    .forEach(path -> open.add(path));
        }
        truth.mounts().stream()
                .filter(mount -> (mount.type().equals("sysfs") || mount.type().equals("cgroup"))
                        && !mount.readOnly()
                        && truth.sharesHost().contains("user"))
                .forEach(mount -> open.add(mount.point() + " (" + mount.type() + ")"));
        return Answer.failIf(
                        !open.isEmpty(),
                        Answer.subject(container),
                        "it can write " + Answer.list(open),
                        "kernel interfaces are read-only or its own")
                .truth("/proc/PID/mountinfo", open.isEmpty() ? "read-only" : Answer.list(open));
    }

    private static Optional<Mount> at(Truth truth, String point) {
        return truth.mounts().stream()
                .filter(mount -> mount.point().equals(point))
                .reduce((first, last) -> last);
    }
}
