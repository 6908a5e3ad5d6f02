package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.DataRoot;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostFacts.AuditFacts;
import dev.caisson.hostaudit.facts.HostFacts.FileFact;
import dev.caisson.hostaudit.facts.HostPaths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/// Checks of the host itself: its disk, its accounts, its records, its kernel. CIS section 1.
public final class HostChecks {
    private static final int OTHERS_WRITE = 02;
    private static final int GROUP_WRITE = 020;
    private static final List<String> UNIT_PLACES = HostFacts.UNIT_DIRECTORIES.stream()
            .map(directory -> directory + "/docker.service")
            .toList();

    private static final Map<String, BiFunction<Facts, EngineFacts, Optional<String>>> WATCHED = new HashMap<>();

    static final List<HostRule> ALL = List.of(
            HostRule.engine("data-root-shares-filesystem", (facts, engine) -> dataRoot(engine.dataRoot())),
            HostRule.engine("engine-users", HostChecks::users),
            watched("audit-dockerd", binary("dockerd")),
            watched("audit-run-containerd", engine -> Optional.of("/run/containerd")),
            watched("audit-data-root", engine -> Optional.of(engine.dataRoot().path())),
            watched("audit-etc-docker", engine -> Optional.of("/etc/docker")),
            watched("audit-docker-service", null),
            watched("audit-containerd-socket", EngineFacts::containerdSocket),
            watched("audit-docker-socket", engine -> Optional.of(engine.socket())),
            watched("audit-default-docker", engine -> Optional.of("/etc/default/docker")),
            watched("audit-daemon-json", engine -> Optional.of(engine.configurationFile())),
            watched("audit-containerd-config", engine -> Optional.of("/etc/containerd/config.toml")),
            watched("audit-sysconfig-docker", engine -> Optional.of("/etc/sysconfig/docker")),
            watched("audit-containerd", binary("containerd")),
            watched("audit-shim", binary("containerd-shim")),
            watched("audit-shim-v1", binary("containerd-shim-runc-v1")),
            watched("audit-shim-v2", binary("containerd-shim-runc-v2")),
            watched("audit-runc", binary("runc")),
            HostRule.one("kernel-settings", KernelSettings::judge),
            HostRule.engine("engine-outdated", (facts, engine) -> Releases.judge(facts.second(), engine.claims())),
            HostRule.of("not-read", HostChecks::gaps));

    private HostChecks() {}

    private static Answer dataRoot(DataRoot root) {
        return Answer.failIf(
                        !root.mountedAlone(),
                        Answer.HOST,
                        root.path() + " is on the file system " + root.parentDevice() + " of the directory above it",
                        root.path() + " is a file system of its own, " + root.device())
                .truth("/proc/1/mountinfo", "device " + root.device() + ", above it " + root.parentDevice());
    }

    /// Everybody who can open a socket of the API: owner, group, others, and its access control list.
    private static Answer users(Facts facts, EngineFacts engine) {
        HostFacts host = facts.host();
        var users = new ArrayList<String>();
        var unread = new ArrayList<String>();
        Stream.of("/etc/passwd", "/etc/group")
                .filter(path -> facts.gapAt(path).isPresent())
                .forEach(unread::add);
        for (String path : engine.sockets()) {
            FileFact socket = host.files().get(path);
            if (socket == null) {
                unread.add(path);
                continue;
            }
            // an engine without root gives its user no more than they have
            long engineUid = engine.process().map(EngineProcess::uid).orElse(0L);
            if (socket.uid() != 0 && socket.uid() != engineUid) {
                users.add(host.userName(socket.uid()) + " owns " + path);
            }
            if ((socket.mode() & OTHERS_WRITE) != 0) {
                users.add("everybody by the mode " + socket.modeText() + " of " + path);
            }
            if ((socket.mode() & GROUP_WRITE) != 0) {
                host.membersOf(socket.gid())
                        .forEach(name -> users.add(name + " by the group " + host.groupName(socket.gid())));
            }
            socket.grants().stream()
                    .filter(grant -> grant.indexOf('w', grant.indexOf(':')) > 0)
                    .forEach(grant -> users.add(grant + " by the list of " + path));
        }
        if (users.isEmpty() && !unread.isEmpty()) {
            return Answer.notEvaluated(Answer.HOST, "it could not be looked at " + Excerpt.list(unread));
        }
        Answer answer = users.isEmpty()
                ? Answer.pass(Answer.HOST, "only root can open " + String.join(", ", engine.sockets()))
                : Answer.fail(Answer.HOST, "these can drive the engine: " + Excerpt.list(users));
        return answer.truth("stat, acl, /etc/group", users.isEmpty() ? "nobody but root" : Excerpt.list(users));
    }

    private static Function<EngineFacts, Optional<String>> binary(String name) {
        return engine -> Optional.ofNullable(engine.binaries().get(name));
    }

    /// @param path where the engine has it; null stands for the unit file, which systemd's search path
    ///     gives
    private static HostRule watched(
            String name, @org.jspecify.annotations.Nullable Function<EngineFacts, Optional<String>> path) {
        BiFunction<Facts, EngineFacts, Optional<String>> file =
                (facts, engine) -> path == null ? FileChecks.unit(facts, "docker.service") : path.apply(engine);
        WATCHED.put(name, file);
        return HostRule.engine(name, (facts, engine) -> {
            Optional<String> wanted = file.apply(facts, engine);
            return wanted.filter(known -> !facts.host().files().containsKey(known))
                    .or(() -> path == null
                            ? UNIT_PLACES.stream()
                                    .filter(place -> facts.gapAt(place).isPresent())
                                    .findFirst()
                            : Optional.empty())
                    .flatMap(facts::gapAt)
                    .map(gap -> Answer.notEvaluated(Answer.HOST, gap.what() + ": " + gap.reason()))
                    .orElseGet(() -> watched(facts.host(), wanted));
        });
    }

    /// The file whose changes a check wants recorded, links resolved; nothing for other checks.
    public static Optional<String> watchedFile(Facts facts, EngineFacts engine, String check) {
        return Optional.ofNullable(WATCHED.get(check))
                .flatMap(path -> path.apply(facts, engine))
                .flatMap(path -> Optional.ofNullable(facts.host().files().get(path)))
                .map(FileFact::resolved);
    }

    private static Answer watched(HostFacts host, Optional<String> wanted) {
        AuditFacts audit = host.audit();
        Optional<FileFact> file =
                wanted.flatMap(path -> Optional.ofNullable(host.files().get(path)));
        if (file.isEmpty()) {
            return Answer.notApplicable(Answer.HOST, wanted.orElse("the program") + " does not exist here");
        }
        if (audit.state().equals("absent")) {
            return Answer.notApplicable(Answer.HOST, audit.reason());
        }
        if (audit.state().equals("unknown")) {
            return Answer.notEvaluated(Answer.HOST, audit.reason());
        }
        FileFact fact = file.get();
        boolean rule = audit.watches().stream()
                .filter(watch ->
                        watch.permissions().contains("w") && watch.permissions().contains("a"))
                .anyMatch(watch -> watch.path().equals(fact.path())
                        || watch.path().equals(fact.resolved())
                        || (watch.directory() && HostPaths.isBelow(fact.resolved(), watch.path())));
        boolean on = audit.state().equals("on");
        String what = fact.resolved();
        Answer answer = rule && on
                ? Answer.pass(Answer.HOST, "changes of " + what + " are recorded")
                : Answer.fail(
                        Answer.HOST,
                        rule
                                ? "a rule for " + what + " is loaded, but auditing is off"
                                : "no rule of the kernel records changes of " + what);
        return answer.truth(
                "audit netlink",
                "auditing is " + audit.state() + ", " + (rule ? "a rule covers it" : "no rule covers it"));
    }

    private static List<Answer> gaps(Facts facts) {
        if (facts.gaps().isEmpty()) {
            return List.of(Answer.pass(Answer.HOST, "all that was looked for could be read"));
        }
        return facts.gaps().stream()
                .map(gap -> Answer.notEvaluated(Answer.HOST, gap.what() + ": " + gap.reason())
                        .as(Severity.INFO))
                .toList();
    }
}
