package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.Capability;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Claims;
import dev.caisson.hostaudit.facts.DeviceRules;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostDirectories;
import dev.caisson.hostaudit.facts.HostDirectories.Exposure;
import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.hostaudit.facts.ImageFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/// Judges a container that does not run by its configuration: what it will have when it is started, by somebody or by
/// its restart policy. What only a running one shows is not asked.
final class ConfiguredChecks {
    private static final String IF_STARTED = "when it runs: ";
    private static final int MOST_JOINED = 8;

    private static final Map<String, BiFunction<Facts, ContainerFacts, Answer>> ALL = Map.ofEntries(
            Map.entry("privileged-in-effect", ConfiguredChecks::privileged),
            Map.entry("capabilities-wide", ConfiguredChecks::capabilities),
            Map.entry("host-directory", ConfiguredChecks::directories),
            Map.entry("engine-socket-inside", ConfiguredChecks::sockets),
            Map.entry("host-net", namespace("net", Claims::networkMode)),
            Map.entry("host-pids", namespace("pid", Claims::pidMode)),
            Map.entry("host-ipcs", namespace("ipc", Claims::ipcMode)),
            Map.entry("host-utsns", namespace("uts", Claims::utsMode)),
            Map.entry("userns-host", ConfiguredChecks::userNamespace),
            Map.entry("filter-off", ConfiguredChecks::filter),
            Map.entry("apparmor-off", ConfiguredChecks::appArmor),
            Map.entry("privileges-gainable", ConfiguredChecks::gainable),
            Map.entry("container-root", ConfiguredChecks::root),
            Map.entry("memory-unbounded", ConfiguredChecks::memory),
            Map.entry("cpu-unbounded", ConfiguredChecks::cpu),
            Map.entry("pids-unbounded", ConfiguredChecks::pids),
            Map.entry("root-writable-live", ConfiguredChecks::rootWritable),
            Map.entry("host-devices", ConfiguredChecks::devices),
            Map.entry("mount-propagates", ConfiguredChecks::propagation),
            Map.entry("kernel-paths-open", ConfiguredChecks::kernelPaths));

    private ConfiguredChecks() {}

    /// Empty for a check that needs processes.
    static Optional<Answer> judge(String check, Facts facts, ContainerFacts container) {
        return Optional.ofNullable(ALL.get(check)).map(judge -> judge.apply(facts, container));
    }

    private static Answer failIf(boolean bad, ContainerFacts container, String badMessage, String goodMessage) {
        return Answer.failIf(bad, Answer.subject(container), IF_STARTED + badMessage, IF_STARTED + goodMessage);
    }

    private static Answer privileged(Facts facts, ContainerFacts container) {
        boolean privileged = container.claims().privileged();
        return failIf(privileged, container, "it was created with --privileged", "it is not privileged")
                .claim("API", "Privileged " + privileged);
    }

    private static Answer capabilities(Facts facts, ContainerFacts container) {
        Claims claims = container.claims();
        String claim = "added " + claims.addedCapabilities() + ", dropped " + claims.droppedCapabilities();
        long all = claims.boundingSet();
        long beyond = all & ~Capability.DOCKER_DEFAULT;
        if (ownUsers(facts, container) || (beyond == 0 && (all & Capability.UNNEEDED) == 0)) {
            return Answer.pass(Answer.subject(container), IF_STARTED + "it has no capability beyond the usual ones")
                    .claim("API", claim);
        }
        return Answer.fail(
                        Answer.subject(container),
                        IF_STARTED + "it has "
                                + Excerpt.list(Capability.names(beyond != 0 ? beyond : all & Capability.UNNEEDED)))
                .as(beyond != 0 ? Severity.HIGH : Severity.LOW)
                .claim("API", claim);
    }

    private static Answer directories(Facts facts, ContainerFacts container) {
        var open = new ArrayList<String>();
        var worst = Exposure.NONE;
        for (ContainerFacts.MountClaim mount : container.claims().mounts()) {
            Exposure exposure = mount.type().equals("volume")
                    ? Exposure.NONE
                    : HostDirectories.of(hostPath(mount.source()), !mount.writable(), facts.dataRoots());
            if (exposure != Exposure.NONE && mount.source().startsWith("/")) {
                worst = exposure.compareTo(worst) > 0 ? exposure : worst;
                open.add(mount.source() + " at " + mount.target() + (mount.writable() ? " rw" : " ro"));
            }
        }
        Answer answer = failIf(
                        !open.isEmpty(),
                        container,
                        "of the host it has " + Excerpt.list(open),
                        "it has no sensitive directory of the host")
                .claim("API", open.isEmpty() ? "none" : Excerpt.list(open));
        return worst == Exposure.READ ? answer.as(Severity.MEDIUM) : answer;
    }

    /// Returns the path as the host has it: `/var/run` is a link on every host.
    private static String hostPath(String source) {
        String path = java.nio.file.Path.of(source).normalize().toString();
        return HostPaths.isBelow(path, "/var/run") ? path.substring("/var".length()) : path;
    }

    private static Answer sockets(Facts facts, ContainerFacts container) {
        List<String> within = container.claims().mounts().stream()
                .filter(mount -> mount.source().startsWith("/"))
                .flatMap(mount -> facts.host().engineSockets().stream()
                        .filter(socket -> HostPaths.isBelow(hostPath(socket.path()), hostPath(mount.source())))
                        .map(socket -> socket.engine() + " " + socket.path() + " below " + mount.target()))
                .toList();
        return failIf(
                        !within.isEmpty(),
                        container,
                        "it reaches " + Excerpt.list(within),
                        "it reaches no engine's socket")
                .claim("API", within.isEmpty() ? "none" : Excerpt.list(within));
    }

    private static BiFunction<Facts, ContainerFacts, Answer> namespace(String kind, Function<Claims, String> mode) {
        return (facts, container) -> failIf(
                        isHosts(kind, mode, facts, container),
                        container,
                        "its " + kind + " namespace is the host's",
                        "its " + kind + " namespace is not the host's")
                .claim("API", mode.apply(container.claims()));
    }

    /// Also through other containers, whether those run or not.
    private static boolean isHosts(String kind, Function<Claims, String> mode, Facts facts, ContainerFacts container) {
        ContainerFacts here = container;
        for (int joined = 0; joined < MOST_JOINED; joined++) {
            String chosen = mode.apply(here.claims());
            if (!chosen.startsWith("container:")) {
                return chosen.equals("host");
            }
            Optional<ContainerFacts> other = facts.container(chosen.substring("container:".length()));
            if (other.isEmpty()) {
                return false;
            }
            if (other.get().truth().isPresent()) {
                return other.get().truth().get().sharesHost().contains(kind);
            }
            here = other.get();
        }
        return false;
    }

    private static Answer userNamespace(Facts facts, ContainerFacts container) {
        boolean host = container.claims().userMode().equals("host");
        return failIf(host, container, "it stays in the host's user namespace", "it did not opt out of one")
                .claim("API", host ? "host" : "the engine's default");
    }

    /// True if root inside is not root outside.
    private static boolean ownUsers(Facts facts, ContainerFacts container) {
        boolean remapped = facts.engine()
                .filter(engine -> engine.rootless()
                        || engine.isOfUser()
                        || engine.claims().securityOptions().stream()
                                .anyMatch(option -> option.startsWith("name=userns")))
                .isPresent();
        String mode = container.claims().userMode();
        return (remapped && !mode.equals("host"))
                || mode.startsWith("auto")
                || mode.startsWith("private")
                || mode.startsWith("nomap");
    }

    private static boolean isUnconfined(ContainerFacts container, String what) {
        return container.claims().privileged()
                || container.claims().securityOptions().stream()
                        .anyMatch(option -> option.equals(what + "=unconfined") || option.equals(what + ":unconfined"));
    }

    private static Answer filter(Facts facts, ContainerFacts container) {
        return failIf(
                        isUnconfined(container, "seccomp"),
                        container,
                        "no system call filter is set",
                        "a system call filter is set")
                .claim("API", container.claims().securityOptions().toString());
    }

    private static Answer appArmor(Facts facts, ContainerFacts container) {
        if (!facts.host().appArmor()) {
            return Answer.notApplicable(Answer.subject(container), "the kernel has no AppArmor that is enabled");
        }
        return failIf(isUnconfined(container, "apparmor"), container, "no profile is enforced", "a profile is enforced")
                .claim("API", container.claims().securityOptions().toString());
    }

    private static Answer gainable(Facts facts, ContainerFacts container) {
        List<String> options = container.claims().securityOptions().stream()
                .filter(option -> option.startsWith("no-new-privileges"))
                .toList();
        boolean set = options.isEmpty()
                ? facts.engine()
                        .filter(engine -> engine.isOn("no-new-privileges"))
                        .isPresent()
                : !options.getLast().endsWith("false");
        return failIf(!set, container, "no_new_privs is not set", "no_new_privs is set")
                .claim("API", container.claims().securityOptions().toString());
    }

    private static Answer root(Facts facts, ContainerFacts container) {
        String user = container.claims().user().split(":", 2)[0];
        Optional<ImageFacts.Content> content = facts.images().stream()
                .filter(image -> image.id().equals(container.imageId()))
                .flatMap(image -> image.content().stream())
                .findFirst();
        boolean root = user.equals("root")
                || ImageFacts.uid(user, "").orElse(-1) == 0
                || content.filter(found -> found.rootNames().contains(user)).isPresent();
        boolean known = root || content.isPresent() || ImageFacts.uid(user, "").isPresent();
        if (!known && !ownUsers(facts, container)) {
            return Answer.notEvaluated(
                            Answer.subject(container),
                            IF_STARTED + "user " + user + " may stand for any uid: its image could not be read")
                    .claim("API", "user " + user);
        }
        return failIf(
                        root && !ownUsers(facts, container),
                        container,
                        "it starts as root",
                        root ? "root inside is another user outside" : "it starts as " + user)
                .claim("API", user.isEmpty() ? "no user was chosen" : "user " + user);
    }

    private static Answer memory(Facts facts, ContainerFacts container) {
        long memory = container.claims().memory();
        boolean unlimited = memory <= 0 || memory >= facts.host().memoryTotal();
        return failIf(unlimited, container, "nothing limits its memory", memory + " bytes")
                .claim("API", memory <= 0 ? "no limit" : memory + " bytes");
    }

    private static Answer cpu(Facts facts, ContainerFacts container) {
        Claims claims = container.claims();
        boolean bounded = claims.boundsCpu(facts.host().processors());
        String text = claims.cpuText();
        return failIf(!bounded, container, "nothing limits its CPU time: " + text, text)
                .claim("API", text);
    }

    private static Answer pids(Facts facts, ContainerFacts container) {
        long pids = container.claims().pids();
        return failIf(
                        pids <= 0 || pids >= facts.host().mostTasks(),
                        container,
                        "nothing limits the number of its processes",
                        pids + " processes")
                .claim("API", pids <= 0 ? "no limit" : Long.toString(pids));
    }

    private static Answer rootWritable(Facts facts, ContainerFacts container) {
        boolean readOnly = container.claims().readOnlyRoot();
        return failIf(!readOnly, container, "its root file system can be written", "its root file system is read-only")
                .claim("API", "ReadonlyRootfs " + readOnly);
    }

    private static Answer devices(Facts facts, ContainerFacts container) {
        Claims claims = container.claims();
        var all = new ArrayList<String>();
        claims.devices().stream()
                .filter(device -> !DeviceRules.isUsualNode(device))
                .forEach(all::add);
        DeviceRules.wide(claims.deviceRules()).forEach(rule -> all.add("the rule " + rule));
        claims.deviceRequests().forEach(request -> all.add("requested " + request));
        if (claims.privileged()) {
            all.add("all of them, as a privileged container");
        }
        claims.mounts().stream()
                .filter(mount -> HostPaths.isBelow("/dev", hostPath(mount.source())))
                .forEach(mount -> all.add("the host's /dev below " + mount.target()));
        return failIf(
                        !all.isEmpty(),
                        container,
                        "it can use " + Excerpt.list(all),
                        "it has no device but the usual ones")
                .claim("API", all.isEmpty() ? "none" : Excerpt.list(all));
    }

    private static Answer propagation(Facts facts, ContainerFacts container) {
        List<String> shared = container.claims().mounts().stream()
                .filter(mount -> mount.propagation().endsWith("shared"))
                .map(mount -> mount.target() + " " + mount.propagation())
                .toList();
        return failIf(
                        !shared.isEmpty(),
                        container,
                        "mounts made inside reach the host: " + Excerpt.list(shared),
                        "no mount made inside reaches the host")
                .claim("API", shared.isEmpty() ? "private" : Excerpt.list(shared));
    }

    private static Answer kernelPaths(Facts facts, ContainerFacts container) {
        Claims claims = container.claims();
        boolean open = claims.privileged() || claims.kernelPathsOpen();
        return failIf(open, container, "kernel interfaces can be written", "kernel interfaces are read-only or its own")
                .claim(
                        "API",
                        "Privileged " + claims.privileged() + ", read-only paths "
                                + (claims.kernelPathsOpen() ? "none" : "the usual ones"));
    }
}
