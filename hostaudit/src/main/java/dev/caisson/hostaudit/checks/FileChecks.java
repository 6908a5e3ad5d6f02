package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostFacts.FileFact;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Checks of the files that decide what the engine does: owners, mode bits as a mask, access control lists,
/// and the directories above. CIS section 3.
final class FileChecks {
    private static final String CERTIFICATES = "/etc/docker/certs.d/";

    static final List<HostRule> ALL = Stream.of(
                    pair("service-file", 0644, facts -> units(facts, "docker.service")),
                    pair("socket-unit", 0644, facts -> units(facts, "docker.socket")),
                    pair("etc-docker", 0755, facts -> List.of("/etc/docker")),
                    List.of(
                            HostRule.of(
                                    "registry-certificate-owner",
                                    facts -> each(
                                            facts,
                                            "registry-certificate",
                                            FileChecks::certificates,
                                            file -> owner(facts, file, false))),
                            HostRule.of(
                                    "registry-certificate-mode",
                                    facts -> each(
                                            facts,
                                            "registry-certificate",
                                            FileChecks::certificates,
                                            file -> mode(facts, file, file.isRegistryKey() ? 0400 : 0444)))),
                    pair("tls-ca", 0444, facts -> tls(facts, "tlscacert")),
                    pair("tls-certificate", 0444, facts -> tls(facts, "tlscert")),
                    pair("tls-key", 0400, facts -> tls(facts, "tlskey")),
                    pair(
                            "engine-socket-file",
                            0660,
                            facts -> facts.engine().map(EngineFacts::sockets).orElse(List.of())),
                    pair(
                            "daemon-json",
                            0644,
                            facts -> List.of(facts.engine()
                                    .map(EngineFacts::configurationFile)
                                    .orElse(EngineFacts.DEFAULT_FILE))),
                    pair("default-docker", 0644, facts -> List.of("/etc/default/docker")),
                    pair("sysconfig-docker", 0644, facts -> List.of("/etc/sysconfig/docker")),
                    pair(
                            "containerd-socket-file",
                            0660,
                            facts -> facts.engine()
                                    .flatMap(EngineFacts::containerdSocket)
                                    .map(List::of)
                                    .orElse(List.of())))
            .flatMap(List::stream)
            .toList();

    private static final Pattern OPEN = Pattern.compile(".* ([0-7]{4}) uid (\\d+)");
    private static final int OTHERS_WRITE = 022;

    private FileChecks() {}

    private static List<HostRule> pair(String kind, int mode, Function<Facts, List<String>> paths) {
        boolean shared = kind.equals("engine-socket-file");
        return List.of(
                HostRule.of(kind + "-owner", facts -> each(facts, kind, paths, file -> owner(facts, file, shared))),
                HostRule.of(kind + "-mode", facts -> each(facts, kind, paths, file -> mode(facts, file, mode))));
    }

    private static List<Answer> each(
            Facts facts, String kind, Function<Facts, List<String>> paths, Function<FileFact, Answer> judge) {
        List<String> wanted = paths.apply(facts);
        List<Answer> answers = wanted.stream()
                .flatMap(path ->
                        Optional.ofNullable(facts.host().files().get(path))
                                .map(judge)
                                .or(() -> unread(facts, path))
                                .stream())
                .toList();
        return answers.isEmpty()
                ? List.of(Answer.notApplicable(
                        Answer.file(wanted.isEmpty() ? kind : wanted.getFirst()), "it does not exist on this host"))
                : answers;
    }

    private static Optional<Answer> unread(Facts facts, String path) {
        return facts.gapAt(path).map(gap -> Answer.notEvaluated(Answer.file(path), gap.reason()));
    }

    /// Paths that could not be looked at and may lie where those of a kind do.
    private static Stream<String> unread(Facts facts, Predicate<String> kind) {
        return facts.gaps().stream().map(Facts.Gap::what).filter(kind);
    }

    private static Answer owner(Facts facts, FileFact file, boolean shared) {
        long engine = engineUid(facts);
        boolean userRight = file.uid() == 0 || file.uid() == engine;
        String wantedGroup = facts.engine().map(found -> found.text("group")).orElse("docker");
        String group = facts.host().groupName(file.gid());
        boolean groupRight =
                file.gid() == 0 || (shared && group.equals(wantedGroup)) || (engine != 0 && file.uid() == engine);
        String owners = facts.host().userName(file.uid()) + ":" + group;
        return Answer.failIf(
                        !userRight || !groupRight,
                        Answer.file(file.resolved()),
                        "it belongs to " + owners,
                        "it belongs to " + owners)
                .truth("stat", owners);
    }

    private static Answer mode(Facts facts, FileFact file, int widest) {
        long engine = engineUid(facts);
        var wrong = new ArrayList<String>();
        int extra = file.mode() & ~widest & 0777;
        // a key that root may write is as closed as one that root may only read
        if (widest == 0400 || widest == 0444) {
            extra &= ~0200;
        }
        if (extra != 0) {
            wrong.add("its mode " + file.modeText() + " has bits beyond " + String.format(Locale.ROOT, "%04o", widest));
        }
        file.grants().stream()
                .filter(grant -> beyond(grant, widest & 07))
                .forEach(grant -> wrong.add("its access control list gives " + grant));
        file.openParents().stream()
                .filter(parent -> !isEngines(parent, engine))
                .forEach(parent -> wrong.add("the directory above it is open: " + parent));
        return Answer.failIf(
                        !wrong.isEmpty(),
                        Answer.file(file.resolved()),
                        String.join("; ", wrong),
                        "its mode is " + file.modeText() + ", and nobody else can replace it")
                .truth("stat, getfacl", file.modeText() + (file.grants().isEmpty() ? "" : " " + file.grants()));
    }

    private static long engineUid(Facts facts) {
        return facts.engine()
                .flatMap(EngineFacts::process)
                .map(EngineFacts.EngineProcess::uid)
                .orElse(0L);
    }

    /// True if nobody but the user that the engine runs as may write there.
    private static boolean isEngines(String openParent, long engine) {
        Matcher directory = OPEN.matcher(openParent);
        return engine != 0
                && directory.matches()
                && directory.group(2).equals(Long.toString(engine))
                && (Integer.parseInt(directory.group(1), 8) & OTHERS_WRITE) == 0;
    }

    private static boolean beyond(String grant, int allowed) {
        String bits = grant.substring(grant.indexOf(": ") + 2);
        int given = (bits.charAt(0) == 'r' ? 4 : 0) + (bits.charAt(1) == 'w' ? 2 : 0) + (bits.charAt(2) == 'x' ? 1 : 0);
        return (given & ~allowed) != 0;
    }

    /// Returns the path from which systemd takes a unit.
    static Optional<String> unit(Facts facts, String name) {
        return HostFacts.UNIT_DIRECTORIES.stream()
                .map(directory -> directory + "/" + name)
                .filter(facts.host().files()::containsKey)
                .findFirst();
    }

    /// The unit and its drop-ins.
    private static List<String> units(Facts facts, String name) {
        return Stream.of(
                        unit(facts, name).stream(),
                        facts.host().files().keySet().stream()
                                .filter(path -> path.contains("/" + name + ".d/") && path.endsWith(".conf")),
                        unread(facts, path -> path.endsWith("/" + name) || path.contains("/" + name + ".d")))
                .flatMap(paths -> paths)
                .toList();
    }

    private static List<String> certificates(Facts facts) {
        return Stream.concat(
                        facts.host().files().entrySet().stream()
                                .filter(entry -> entry.getKey().startsWith(CERTIFICATES)
                                        && entry.getValue().kind().equals("file"))
                                .map(java.util.Map.Entry::getKey),
                        unread(facts, path -> (path + "/").startsWith(CERTIFICATES)))
                .toList();
    }

    private static List<String> tls(Facts facts, String setting) {
        return facts.engine()
                .map(engine -> engine.text(setting))
                .filter(path -> !path.isEmpty())
                .map(List::of)
                .orElse(List.of());
    }
}
