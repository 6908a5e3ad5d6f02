package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.Capability;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Mount;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.DeviceRules;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostDirectories;
import dev.caisson.hostaudit.facts.HostDirectories.Exposure;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostPaths;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Checks of what containers see of the host's files, by file system and directory, wherever it was
/// mounted. CIS section 5.
final class MountChecks {
    private static final String OWN_GROUP = " (its own control group, and with it its limits)";
    private static final long MAKE_NODE = Capability.mask(List.of("MKNOD"));
    /// Writing to these changes the kernel for everybody.
    static final List<HostRule> ALL = List.of(
            HostRule.of("host-directory", MountChecks::directories),
            ContainerRule.of("root-writable-live", MountChecks::rootWritable),
            ContainerRule.of("host-devices", MountChecks::devices),
            ContainerRule.of("mount-propagates", MountChecks::propagation),
            ContainerRule.of("engine-socket-inside", MountChecks::sockets),
            HostRule.of(
                    "kernel-paths-open",
                    facts -> ContainerRule.of(
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
        List<String> dataRoots = facts.dataRoots();
        return ContainerRule.of("host-directory", (container, truth) -> {
                    var open = new ArrayList<String>();
                    var worst = Exposure.NONE;
                    for (Mount mount : truth.mounts()) {
                        Exposure exposure = exposure(mount, container, truth, dataRoots);
                        if (exposure != Exposure.NONE) {
                            worst = exposure.compareTo(worst) > 0 ? exposure : worst;
                            open.add(told(mount, dataRoots));
                        }
                    }
                    Answer answer = Answer.failIf(
                            !open.isEmpty(),
                            Answer.subject(container),
                            "of the host it has "
                                    + Excerpt.list(open.stream().distinct().toList()),
                            "it has no sensitive directory of the host");
                    return (worst == Exposure.READ ? answer.as(Severity.MEDIUM) : answer)
                            .claim(
                                    "API",
                                    container.claims().mounts().stream()
                                            .map(mount -> mount.source() + " at " + mount.target())
                                            .toList()
                                            .toString())
                            .truth("/proc/PID/mountinfo", open.isEmpty() ? "none" : Excerpt.list(open));
                })
                .judge()
                .apply(facts);
    }

    private static String told(Mount mount, List<String> dataRoots) {
        boolean byItself =
                !mount.hostPath().isEmpty() && HostDirectories.of(mount.hostPath(), false, dataRoots) != Exposure.NONE;
        return (mount.hostPath().isEmpty() ? mount.root() + " of the file system " + mount.source() : mount.hostPath())
                + (byItself ? "" : ", which holds " + Excerpt.list(mount.holds()) + ",")
                + " at " + mount.point()
                + (mount.readOnly() ? " ro" : " rw");
    }

    /// Returns what a mount exposes by where it leads in the kernel's view: at, below or above a sensitive directory.
    private static Exposure exposure(Mount mount, ContainerFacts container, Truth truth, List<String> dataRoots) {
        boolean holds = !mount.holds().isEmpty();
        if ((mount.hostPath().isEmpty() && !holds) || isOwnKernelInterface(mount, truth)) {
            return Exposure.NONE;
        }
        // layers of its image, unless that is the host itself
        if (mount.point().equals("/") && !holds) {
            return Exposure.NONE;
        }
        if (isOfContainer(mount, container)
                || HostDirectories.isInit(mount.hostPath(), mount.point(), mount.readOnly())) {
            return Exposure.NONE;
        }
        if (holds) {
            return HostDirectories.exposed(mount.hostPath(), mount.readOnly());
        }
        return HostDirectories.of(mount.hostPath(), mount.readOnly(), dataRoots);
    }

    /// Files that the engine keeps for this very container, and those of a container whose namespaces it joins.
    private static boolean isOfContainer(Mount mount, ContainerFacts container) {
        String host = mount.hostPath();
        if (host.contains("/containers/" + container.id() + "/")
                || host.contains("/overlay-containers/" + container.id() + "/userdata/")) {
            return true;
        }
        return HostDirectories.ownerOfShared(host, mount.point())
                .filter(owner -> Stream.of(
                                container.claims().networkMode(),
                                container.claims().ipcMode(),
                                container.claims().utsMode())
                        .anyMatch(mode -> mode.startsWith("container:")))
                .isPresent();
    }

    /// Its own instance of a kernel file system at its usual place; or the host's there, where it is in the namespace
    /// that the instance belongs to, which another check judges.
    private static boolean isOwnKernelInterface(Mount mount, Truth truth) {
        boolean own = mount.hostPath().isEmpty();
        return switch (mount.type()) {
            case "proc" ->
                mount.point().equals(HostPaths.join("/proc", mount.root()))
                        && (own || truth.sharesHost().contains("pid"));
            case "sysfs" ->
                mount.point().equals(HostPaths.join("/sys", mount.root()))
                        && (own || truth.sharesHost().contains("net"));
            case "cgroup", "cgroup2" -> HostPaths.isBelow(mount.point(), "/sys/fs/cgroup");
            case "mqueue" -> mount.point().equals("/dev/mqueue");
            case "nsfs" -> true;
            default -> false;
        };
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
                truth.deviceNodes().stream().filter(DeviceRules::isUnseen).toList();
        List<String> within = new ArrayList<>(truth.deviceNodes().stream()
                .filter(node -> !unseen.contains(node))
                .filter(node -> DeviceRules.permitted(node, truth.deviceRules()))
                .toList());
        List<String> wide = DeviceRules.wide(truth.deviceRules());
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
                            + Excerpt.list(unseen));
        }
        return Answer.failIf(
                        !within.isEmpty(),
                        Answer.subject(container),
                        "it can use " + Excerpt.list(within),
                        "it has no device but the usual ones")
                .claim(
                        "API",
                        "devices " + container.claims().devices() + ", rules "
                                + container.claims().deviceRules())
                .truth("/proc/PID/root, devices.list", within.isEmpty() ? "none" : Excerpt.list(within))
                .agreeing(within.isEmpty()
                        || container.claims().privileged()
                        || !container.claims().devices().isEmpty()
                        || !container.claims().deviceRequests().isEmpty()
                        || !container.claims().deviceRules().isEmpty()
                        || container.claims().mounts().stream()
                                .anyMatch(mount -> mount.source().startsWith("/dev")
                                        || HostPaths.isBelow("/dev", mount.source())));
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
                        "mounts made inside reach the host: " + Excerpt.list(shared),
                        "no mount made inside reaches the host")
                .claim("API", claimed ? "shared" : "private")
                .truth("/proc/PID/mountinfo", shared.isEmpty() ? "no common peer group" : Excerpt.list(shared))
                .agreeing(shared.isEmpty() || claimed);
    }

    private static Answer sockets(ContainerFacts container, Truth truth) {
        List<String> within = truth.sockets().stream()
                .filter(ContainerFacts.Reached::writable)
                .map(socket -> socket.engine() + " " + socket.socket() + " at " + socket.path())
                .toList();
        if (within.isEmpty() && !truth.sockets().isEmpty()) {
            return Answer.notEvaluated(
                    Answer.subject(container),
                    "an engine's socket has several names, and there are too many files to look at below "
                            + Excerpt.list(truth.sockets().stream()
                                    .map(ContainerFacts.Reached::path)
                                    .toList()));
        }
        return Answer.failIf(
                        !within.isEmpty(),
                        Answer.subject(container),
                        "it reaches " + Excerpt.list(within),
                        "it reaches no engine's socket")
                .truth("/proc/PID/root by inode", within.isEmpty() ? "none" : Excerpt.list(within));
    }

    private static Answer kernelPaths(HostFacts host, ContainerFacts container, Truth truth) {
        var open = new ArrayList<String>();
        if (truth.rootIsHosts()) {
            List<Mount> mounts = truth.mounts();
            for (int at = 0; at < mounts.size(); at++) {
                Mount mount = mounts.get(at);
                List<Mount> later = mounts.subList(at + 1, mounts.size());
                if (!mount.readOnly() && !isCovered(mount.point(), later)) {
                    open.addAll(writable(mount, later, host, truth));
                }
            }
        }
        Answer answer = Answer.failIf(
                !open.isEmpty(),
                Answer.subject(container),
                "it can write " + Excerpt.list(open),
                "kernel interfaces are read-only or its own");
        return (open.stream().allMatch(path -> path.endsWith(OWN_GROUP)) && !open.isEmpty()
                        ? answer.as(Severity.LOW)
                        : answer)
                .truth("/proc/PID/mountinfo", open.isEmpty() ? "read-only" : Excerpt.list(open));
    }

    /// Lists files that change the kernel for everybody and can be written through a mount, whatever instance of
    /// its file system it shows and wherever it is mounted.
    private static List<String> writable(Mount mount, List<Mount> later, HostFacts host, Truth truth) {
        return switch (mount.type()) {
            case "proc" ->
                host.kernelFiles().stream()
                        .map(file -> file.substring("/proc".length()))
                        .flatMap(file -> inside(mount, file).stream())
                        .filter(path -> !isCovered(path, later))
                        .toList();
            case "sysfs" -> List.of(mount.point() + " (sysfs)");
            case "cgroup", "cgroup2" ->
                // with a namespace of its own the container sees no more than its own group
                HostPaths.isBelow(mount.root(), truth.cgroup())
                                && !truth.cgroup().equals("/")
                        ? List.of(mount.point() + OWN_GROUP)
                        : List.of(mount.point() + " (" + mount.type() + " from " + mount.root() + " on)");
            default -> List.of();
        };
    }

    /// Returns the path at which a mount of procfs shows a file or directory, or the mount if it shows a part of that.
    private static Optional<String> inside(Mount mount, String file) {
        if (HostPaths.isBelow(file, mount.root())) {
            return Optional.of(HostPaths.join(
                    mount.point(),
                    mount.root().equals("/")
                            ? file
                            : file.substring(mount.root().length())));
        }
        return HostPaths.isBelow(mount.root(), file) ? Optional.of(mount.point()) : Optional.empty();
    }

    /// True if something is mounted over a path.
    private static boolean isCovered(String path, List<Mount> later) {
        return later.stream().anyMatch(mount -> HostPaths.isBelow(path, mount.point()));
    }
}
