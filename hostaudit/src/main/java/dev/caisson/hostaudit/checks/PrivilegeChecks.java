package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.Capability;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Task;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Numbers;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Checks of what the processes of containers may do: every process is looked at. CIS section 5.
final class PrivilegeChecks {
    static final List<HostRule> ALL = List.of(
            ContainerRule.of("container-root", PrivilegeChecks::root),
            HostRule.of("apparmor-off", PrivilegeChecks::appArmor),
            HostRule.of("selinux-off", PrivilegeChecks::seLinux),
            ContainerRule.of("capabilities-wide", PrivilegeChecks::capabilities),
            ContainerRule.of("privileged-in-effect", PrivilegeChecks::privileged),
            ContainerRule.of("filter-off", PrivilegeChecks::filter),
            ContainerRule.of("exec-privileged", PrivilegeChecks::entered),
            ContainerRule.of("exec-root", PrivilegeChecks::enteredAsRoot),
            ContainerRule.of("privileges-gainable", PrivilegeChecks::gainable),
            HostRule.of("filter-too-wide", PrivilegeChecks::filterContents),
            ContainerRule.of("ambient-capabilities", PrivilegeChecks::ambient));

    private static final Set<String> PODMAN_LEAVES = Set.of(
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "keyctl",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_tree",
            "pivot_root",
            "reboot",
            "setns",
            "umount2",
            "unshare");

    private PrivilegeChecks() {}

    private static String name(Task process) {
        return process.name() + " (" + process.pid() + ")";
    }

    private static List<String> those(Truth truth, java.util.function.Predicate<Task> bad) {
        return truth.own().stream().filter(bad).map(PrivilegeChecks::name).toList();
    }

    private static List<Answer> appArmor(Facts facts) {
        return ContainerRule.of("apparmor-off", (container, truth) -> {
                    if (!facts.host().appArmor()) {
                        return Answer.notApplicable(
                                Answer.subject(container), "the kernel has no AppArmor that is enabled");
                    }
                    List<String> open = those(truth, process -> !process.label().endsWith("(enforce)"));
                    return Answer.failIf(
                                    !open.isEmpty(),
                                    Answer.subject(container),
                                    "no profile is enforced on " + Excerpt.list(open),
                                    "the profile " + truth.init().label() + " is enforced")
                            .claim("API", container.claims().appArmorProfile())
                            .truth("/proc/PID/attr/current", truth.init().label())
                            .agreeing(open.isEmpty()
                                    || container.claims().appArmorProfile().equals("unconfined")
                                    || container.claims().appArmorProfile().isEmpty());
                })
                .judge()
                .apply(facts);
    }

    private static List<Answer> seLinux(Facts facts) {
        return ContainerRule.of("selinux-off", (container, truth) -> {
                    if (facts.host().seLinux().isEmpty()) {
                        return Answer.notApplicable(Answer.subject(container), "the kernel has no SELinux");
                    }
                    boolean enforcing = facts.host().seLinux().get().equals("enforcing");
                    List<String> open = those(
                            truth,
                            process -> !process.label().contains(":container_t:")
                                    && !process.label().contains(":svirt_lxc_net_t:"));
                    return Answer.failIf(
                                    !open.isEmpty() || !enforcing,
                                    Answer.subject(container),
                                    enforcing ? "not confined: " + Excerpt.list(open) : "SELinux only records",
                                    "it is confined as " + truth.init().label())
                            .truth("/proc/PID/attr/current", truth.init().label());
                })
                .judge()
                .apply(facts);
    }

    private static Answer capabilities(ContainerFacts container, Truth truth) {
        long bounding = truth.init().bounding();
        long effective = 0;
        for (Task process : truth.own()) {
            effective |= truth.sameUsers(process) ? process.effective() | process.permitted() : 0;
        }
        long beyond = (bounding | effective) & ~Capability.DOCKER_DEFAULT;
        boolean ownNamespace = !truth.sharesHost().contains("user");
        long unneeded = bounding & Capability.UNNEEDED;
        String text = String.format(Locale.ROOT, "bounding %012x, effective %012x", bounding, effective);
        Answer answer;
        if (beyond != 0 && !ownNamespace) {
            answer = Answer.fail(Answer.subject(container), "it has " + Excerpt.list(Capability.names(beyond)))
                    .as(Severity.HIGH);
        } else if (unneeded != 0 && !ownNamespace) {
            answer = Answer.fail(
                            Answer.subject(container),
                            "it keeps " + String.join(", ", Capability.names(unneeded)) + ", which few programs need")
                    .as(Severity.LOW);
        } else {
            answer = Answer.pass(
                    Answer.subject(container),
                    bounding == 0
                            ? "it has no capability"
                            : "it has " + String.join(", ", Capability.names(bounding))
                                    + (ownNamespace ? " in a user namespace of its own" : ""));
        }
        answer = answer.claim(
                        "API",
                        "added " + container.claims().addedCapabilities() + ", dropped "
                                + container.claims().droppedCapabilities())
                .truth("/proc/PID/status", text);
        boolean caisson = container.imageId().isEmpty();
        return answer.agreeing(caisson || (bounding & ~container.claims().boundingSet() & Capability.ALL) == 0);
    }

    /// The flag, or what it comes to: all capabilities, no filter, kernel file systems that can be written.
    private static Answer privileged(ContainerFacts container, Truth truth) {
        boolean all = (Capability.LEADING_OUT & ~truth.init().bounding()) == 0;
        boolean unfiltered = truth.init().seccompMode() == 0;
        boolean inEffect = all && unfiltered && truth.sharesHost().contains("user");
        boolean claimed = container.claims().privileged();
        return Answer.failIf(
                        claimed || inEffect,
                        Answer.subject(container),
                        claimed ? "it was started with --privileged" : "it has all that --privileged gives",
                        "it is not privileged")
                .claim("API", "Privileged " + claimed)
                .truth(
                        "/proc/PID/status",
                        (all ? "all capabilities that lead out" : "not all capabilities that lead out")
                                + (unfiltered ? ", no filter" : ", a filter"))
                .agreeing(claimed || !inEffect);
    }

    private static Answer filter(ContainerFacts container, Truth truth) {
        List<String> open = those(truth, process -> process.seccompMode() != 2 || process.seccompFilters() == 0);
        boolean asked = container.claims().securityOptions().stream()
                .anyMatch(option -> option.startsWith("seccomp=") || option.startsWith("seccomp:"));
        boolean unconfined = container.claims().privileged()
                || container.claims().securityOptions().stream()
                        .anyMatch(option -> option.endsWith("unconfined") && option.startsWith("seccomp"));
        return Answer.failIf(
                        !open.isEmpty(),
                        Answer.subject(container),
                        "no filter holds for " + Excerpt.list(open),
                        "a filter holds for all " + truth.own().size() + " processes")
                .claim("API", container.claims().securityOptions().toString())
                .truth(
                        "/proc/PID/status",
                        "Seccomp " + truth.init().seccompMode() + ", filters "
                                + truth.init().seccompFilters())
                .agreeing(open.isEmpty() || unconfined || !asked);
    }

    /// Podman's own profile leaves calls that need a capability to the capabilities; what a container was given instead
    /// of it is judged like any other.
    private static List<Answer> filterContents(Facts facts) {
        boolean podman = facts.engine().filter(EngineFacts::isPodman).isPresent();
        return ContainerRule.of("filter-too-wide", (container, truth) -> {
                    boolean own = podman
                            && truth.init().seccompMode() == 2
                            && PODMAN_LEAVES.containsAll(truth.filter().allowed())
                            && (truth.init().bounding() & Capability.LEADING_OUT) == 0
                            && container.claims().securityOptions().stream()
                                    .noneMatch(option -> option.startsWith("seccomp"));
                    return own && !truth.filter().source().isEmpty()
                            ? Answer.pass(
                                            Answer.subject(container),
                                            "its filter is podman's own, which leaves mounts and namespaces to the"
                                                    + " capabilities that it lacks")
                                    .truth(
                                            truth.filter().source(),
                                            Excerpt.list(truth.filter().allowed()))
                            : filterContent(container, truth);
                })
                .judge()
                .apply(facts);
    }

    private static Answer filterContent(ContainerFacts container, Truth truth) {
        if (truth.init().seccompMode() != 2) {
            return Answer.notApplicable(Answer.subject(container), "there is no filter; another check judges that");
        }
        if (truth.filter().source().isEmpty()) {
            return Answer.notEvaluated(Answer.subject(container), truth.filter().reason());
        }
        List<String> allowed = truth.filter().allowed();
        boolean admin = (truth.init().bounding() & Capability.mask(List.of("SYS_ADMIN"))) != 0;
        return Answer.failIf(
                        !allowed.isEmpty(),
                        Answer.subject(container),
                        "its filter lets through " + Excerpt.list(allowed)
                                + (admin ? " (the engine opens them with SYS_ADMIN)" : ""),
                        "its filter stops every dangerous call that was asked about")
                .truth(truth.filter().source(), allowed.isEmpty() ? "none of them" : Excerpt.list(allowed));
    }

    /// All that a privileged entry gives is one finding: its capabilities, and that no filter or profile holds for it.
    private static Answer entered(ContainerFacts container, Truth truth) {
        Task first = truth.init();
        List<String> wider = truth.processes().stream()
                .filter(truth::sameUsers)
                .filter(process -> ((process.effective() | process.bounding()) & ~first.bounding()) != 0
                        || (process.entered() && first.seccompMode() == 2 && process.seccompMode() == 0)
                        || (process.entered()
                                && first.label().endsWith("(enforce)")
                                && !process.label().endsWith("(enforce)")))
                .map(process -> name(process)
                        + (first.seccompMode() == 2 && process.seccompMode() == 0 ? " without a filter" : ""))
                .toList();
        return Answer.failIf(
                        !wider.isEmpty(),
                        Answer.subject(container),
                        "wider than the container itself: " + Excerpt.list(wider),
                        "no process has more than the container itself")
                .truth(
                        "/proc/PID/status",
                        truth.processes().stream()
                                .map(process -> String.format(
                                        Locale.ROOT, "%s CapEff %012x", name(process), process.effective()))
                                .limit(8)
                                .toList()
                                .toString());
    }

    /// Uid 0 as the container sees it: its user namespace may map it to any uid of the host.
    static boolean isRootInside(Task process, Truth truth) {
        long root = truth.uidMap().isEmpty() ? 0 : rootOutside(truth.uidMap()).orElse(-1L);
        return process.uids().contains(root);
    }

    static Optional<Long> rootOutside(List<Long> map) {
        for (int at = 0; at + 2 < map.size(); at += 3) {
            if (map.get(at) == 0) {
                return Optional.of(map.get(at + 1));
            }
        }
        return Optional.empty();
    }

    /// By what runs, not by what was asked for: `--user 0:0` and a name that stands for uid 0 are root, and
    /// so is what a setuid program made of another user. In a user namespace of its own root is nobody
    /// outside.
    private static Answer root(ContainerFacts container, Truth truth) {
        String user = container.claims().user();
        String asked = user.isEmpty() ? "no user was chosen" : "user " + user;
        if (!truth.rootIsHosts()) {
            return Answer.pass(
                            Answer.subject(container),
                            "root inside is uid "
                                    + rootOutside(truth.uidMap())
                                            .map(String::valueOf)
                                            .orElse("of nobody")
                                    + " outside")
                    .claim("API", asked)
                    .truth("/proc/PID/uid_map", truth.uidMap().toString());
        }
        List<String> root = those(truth, process -> process.uids().contains(0L));
        String name = user.split(":", 2)[0];
        return Answer.failIf(
                        !root.isEmpty(),
                        Answer.subject(container),
                        "these run as root: " + Excerpt.list(root),
                        "none of its " + truth.processes().size() + " processes runs as root")
                .claim("API", asked)
                .truth(
                        "/proc/PID/status",
                        "uids of process 1 " + truth.init().uids()
                                + (root.isEmpty() ? "" : ", root: " + Excerpt.list(root)))
                // who enters is of no user that was chosen for the container
                .agreeing(!truth.init().uids().contains(0L) || !Numbers.isNumber(name) || Long.parseLong(name) == 0);
    }

    private static Answer enteredAsRoot(ContainerFacts container, Truth truth) {
        String user = container.claims().user().split(":", 2)[0];
        boolean forRoot = user.isEmpty() || user.equals("0") || user.equals("root");
        boolean startsAsRoot = isRootInside(truth.init(), truth);
        if (forRoot || startsAsRoot) {
            return Answer.notApplicable(
                    Answer.subject(container), "the container itself runs as root; another check judges that");
        }
        List<String> root = truth.processes().stream()
                .filter(process -> isRootInside(process, truth))
                .map(PrivilegeChecks::name)
                .toList();
        return Answer.failIf(
                        !root.isEmpty(),
                        Answer.subject(container),
                        "root beside user " + user + ": " + Excerpt.list(root),
                        "every process runs as another user than root")
                .claim("API", "user " + user)
                .truth("/proc/PID/status", root.isEmpty() ? "no uid 0" : "uid 0: " + Excerpt.list(root));
    }

    private static Answer gainable(ContainerFacts container, Truth truth) {
        List<String> open = those(truth, process -> !process.noNewPrivileges());
        boolean asked = container.claims().securityOptions().stream()
                .anyMatch(option -> option.equals("no-new-privileges")
                        || option.equals("no-new-privileges=true")
                        || option.equals("no-new-privileges:true"));
        return Answer.failIf(
                        !open.isEmpty(),
                        Answer.subject(container),
                        "no_new_privs is not set for " + Excerpt.list(open),
                        "no_new_privs is set for all processes")
                .claim("API", container.claims().securityOptions().toString())
                .truth("/proc/PID/status", open.isEmpty() ? "NoNewPrivs 1" : "NoNewPrivs 0: " + Excerpt.list(open))
                .agreeing(open.isEmpty() || !asked);
    }

    private static Answer ambient(ContainerFacts container, Truth truth) {
        List<String> kept = those(
                truth, process -> truth.sameUsers(process) && (process.ambient() != 0 || process.inheritable() != 0));
        return Answer.failIf(
                        !kept.isEmpty(),
                        Answer.subject(container),
                        "inheritable or ambient capabilities: " + Excerpt.list(kept),
                        "no inheritable or ambient capability")
                .truth(
                        "/proc/PID/status",
                        String.format(
                                Locale.ROOT,
                                "CapInh %012x, CapAmb %012x",
                                truth.init().inheritable(),
                                truth.init().ambient()));
    }
}
