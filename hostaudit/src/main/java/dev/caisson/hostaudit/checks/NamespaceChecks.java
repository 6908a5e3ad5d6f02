package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Claims;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// Checks of the namespaces that containers are in, by inode: whether by name or through another container does not
/// matter. CIS section 5.
final class NamespaceChecks {
    static final List<HostRule> ALL = List.of(
            shared("host-net", "net", Claims::networkMode),
            shared("host-pids", "pid", Claims::pidMode),
            shared("host-ipcs", "ipc", Claims::ipcMode),
            shared(
                    "host-utsns",
                    "uts",
                    claims -> claims.utsMode().isEmpty() && claims.networkMode().equals("host")
                            ? "of the host network"
                            : claims.utsMode()),
            HostRule.of("userns-host", NamespaceChecks::userHost),
            ContainerRule.of("userns-shared", NamespaceChecks::userShared),
            HostRule.of("uids-shared", NamespaceChecks::uids),
            HostRule.of("cgroup-unexpected", NamespaceChecks::cgroup));

    private static final Set<String> PODMAN_PARENTS = Set.of("/libpod_parent", "machine.slice", "user.slice");

    private NamespaceChecks() {}

    private static HostRule shared(String check, String kind, Function<Claims, String> mode) {
        return ContainerRule.of(check, (container, truth) -> {
            boolean shared = truth.sharesHost().contains(kind);
            String claim = mode.apply(container.claims());
            long inode = truth.init().namespaces().getOrDefault(kind, 0L);
            boolean explained = claim.equals("host") || claim.startsWith("container:") || claim.contains("host");
            return Answer.failIf(
                            shared,
                            Answer.subject(container),
                            "its " + kind + " namespace is the host's"
                                    + (claim.startsWith("container:") ? ", through another container" : ""),
                            "its " + kind + " namespace is not the host's")
                    .claim("API", claim.isEmpty() ? "its own" : claim)
                    .truth("/proc/PID/ns/" + kind, kind + ":[" + inode + "]")
                    .agreeing(!shared || explained);
        });
    }

    private static List<Answer> userHost(Facts facts) {
        return ContainerRule.of("userns-host", (container, truth) -> {
                    boolean claimed = container.claims().userMode().equals("host");
                    boolean remapped = facts.engine()
                            .filter(engine -> engine.claims().securityOptions().stream()
                                    .anyMatch(option -> option.startsWith("name=userns")))
                            .isPresent();
                    boolean shared = truth.sharesHost().contains("user");
                    boolean caisson = container.imageId().isEmpty();
                    return Answer.failIf(
                                    claimed || ((remapped || caisson) && shared),
                                    Answer.subject(container),
                                    "it stays in the host's user namespace",
                                    remapped ? "it has the engine's user namespace" : "it did not opt out of one")
                            .claim("API", claimed ? "host" : "the engine's default")
                            .truth(
                                    "/proc/PID/ns/user",
                                    "user:[" + truth.init().namespaces().getOrDefault("user", 0L) + "]")
                            .agreeing(claimed || !remapped || !shared);
                })
                .judge()
                .apply(facts);
    }

    private static Answer userShared(ContainerFacts container, Truth truth) {
        return Answer.failIf(
                        truth.rootIsHosts(),
                        Answer.subject(container),
                        truth.sharesHost().contains("user")
                                ? "uid 0 inside is uid 0 of the host"
                                : "its user namespace maps a user inside to uid 0 of the host",
                        "uid 0 inside is uid "
                                + PrivilegeChecks.rootOutside(truth.uidMap())
                                        .map(String::valueOf)
                                        .orElse("of nobody")
                                + " of the host")
                .truth("/proc/PID/uid_map", truth.uidMap().toString());
    }

    /// Kernel user ids that processes of several containers run as.
    private static List<Answer> uids(Facts facts) {
        Map<Long, Integer> users = new HashMap<>();
        facts.containers().stream()
                .flatMap(container -> container.truth().stream())
                .map(truth -> truth.init().uids().get(1))
                .forEach(uid -> users.merge(uid, 1, Integer::sum));
        return ContainerRule.of("uids-shared", (container, truth) -> {
                    long uid = truth.init().uids().get(1);
                    int count = users.getOrDefault(uid, 1);
                    return Answer.failIf(
                                    count > 1,
                                    Answer.subject(container),
                                    (count - 1) + " other containers run as the host's uid " + uid,
                                    "no other container runs as the host's uid " + uid)
                            .truth("/proc/PID/status", "uid " + uid);
                })
                .judge()
                .apply(facts);
    }

    /// `/libpod_parent/libpod-ID`, or a scope in systemd's slice for machines or in a user's.
    private static boolean isOfPodman(String cgroup, String id) {
        return cgroup.startsWith("/libpod_parent/libpod-" + id)
                || cgroup.startsWith("/machine.slice/libpod-" + id + ".scope")
                || (cgroup.startsWith("/user.slice/") && cgroup.contains("/user.slice/libpod-" + id + ".scope"));
    }

    private static List<Answer> cgroup(Facts facts) {
        String parent =
                facts.engine().map(engine -> engine.text("cgroup-parent")).orElse("");
        boolean podman = facts.engine().filter(EngineFacts::isPodman).isPresent();
        boolean ofUser = facts.engine().filter(EngineFacts::isOfUser).isPresent();
        return ContainerRule.of("cgroup-unexpected", (container, truth) -> {
                    String claimed =
                            podman && PODMAN_PARENTS.contains(container.claims().cgroupParent())
                                    ? ""
                                    : container.claims().cgroupParent();
                    boolean caisson = container.imageId().isEmpty();
                    boolean own = truth.cgroup().contains(container.id());
                    boolean usual = truth.cgroup().equals("/docker/" + container.id())
                            || truth.cgroup().contains("/docker-" + container.id() + ".scope")
                            || (podman && isOfPodman(truth.cgroup(), container.id()))
                            || caisson;
                    boolean asked = !parent.isEmpty() && truth.cgroup().startsWith("/" + parent.replaceFirst("^/", ""));
                    return Answer.failIf(
                                    !own || (!usual && !asked) || (!claimed.isEmpty() && !asked && !caisson),
                                    Answer.subject(container),
                                    own || !ofUser
                                            ? "its control group is " + truth.cgroup()
                                            : "it has no control group of its own, and no limits: its engine runs"
                                                    + " without root and was given none below " + truth.cgroup(),
                                    "its control group is " + truth.cgroup())
                            .claim("API", claimed.isEmpty() ? "the engine's default" : claimed)
                            .truth("/proc/PID/cgroup", truth.cgroup())
                            // where an engine may make no groups, its default is that of its own process
                            .agreeing(own || ofUser || !claimed.isEmpty());
                })
                .judge()
                .apply(facts);
    }
}
