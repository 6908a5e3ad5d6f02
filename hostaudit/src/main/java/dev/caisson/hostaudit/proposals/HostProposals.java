package dev.caisson.hostaudit.proposals;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.ShellText;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.audit.UnifiedDiff;
import dev.caisson.hostaudit.checks.Answer;
import dev.caisson.hostaudit.checks.HostChecks;
import dev.caisson.hostaudit.checks.KernelSettings;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.EngineFacts.Setting;
import dev.caisson.hostaudit.facts.Facts;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Proposes files with which failed checks of host, engines and their files pass: for each engine a patch of
/// `daemon.json` and a drop-in for its unit where flags decide; kernel settings, audit rules, and a script for owners
/// and modes. Each names the checks that it is for. What is for another engine than `docker` lies in a directory that
/// is called like that engine. A setting whose change takes something away from containers that are there is left to
/// people.
public final class HostProposals {
    private static final Pattern RULE_PATH = Pattern.compile("/[A-Za-z0-9_./@:+-]*");
    private static final Pattern UNIT = Pattern.compile("[A-Za-z0-9_.@-]+\\.service");

    private final Report report;
    private final Facts facts;
    private final Path hostRoot;
    private final LinkedHashMap<String, Proposal.Contents> files = new LinkedHashMap<>();
    private final List<Proposal.Note> notes = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();
    private final Set<Finding> settled = new LinkedHashSet<>();

    private HostProposals(Report report, Facts facts, Path hostRoot) {
        this.report = report;
        this.facts = facts;
        this.hostRoot = hostRoot;
    }

    /// How an engine was started.
    ///
    /// @param configuration the text of its configuration file, empty where it has none
    /// @param problem why that cannot be read, empty where it can
    /// @param arguments its command line, its name first; empty where it is not known
    public record Started(String configuration, String problem, List<String> arguments) {}

    /// Proposes files for the failed checks of host and engine.
    ///
    /// @param started how each engine was started, by its socket
    public static Proposal of(Report report, Facts facts, Path hostRoot, Map<String, Started> started) {
        HostProposals proposals = new HostProposals(report, facts, hostRoot);
        // first of all: a patched file is another inode, and directories are closed before anything is put there
        proposals.owners();
        Set<String> names = new LinkedHashSet<>();
        for (Facts.View view : facts.views()) {
            Optional<EngineFacts> engine = view.facts().engine().filter(found -> !found.isPodman());
            if (engine.isPresent() && names.add(view.name())) {
                Optional.ofNullable(started.get(engine.get().socket()))
                        .ifPresent(how -> proposals.engine(view, engine.get(), how));
            }
        }
        proposals.kernelSettings();
        proposals.auditRules();
        proposals.tellTheRest();
        return new Proposal(report, proposals.files, proposals.notes, proposals.refused);
    }

    private Optional<Finding> failed(String check, Subject subject) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL
                        && finding.check().name().equals(check)
                        && finding.subject().equals(subject))
                .findFirst();
    }

    private List<Finding> failed(List<EngineChange> changes, Facts.View view) {
        return changes.stream()
                .flatMap(change -> failed(change.check(), view.subject(Answer.ENGINE)).stream())
                .toList();
    }

    private static String words(List<Finding> findings) {
        return "for "
                + findings.stream()
                        .map(finding -> finding.check().name())
                        .distinct()
                        .collect(Collectors.joining(", "));
    }

    private void put(String name, String text, List<Finding> findings, String before, String after) {
        settled.addAll(findings);
        files.put(name, new Proposal.Contents(text.getBytes(StandardCharsets.UTF_8)));
        notes.add(new Proposal.Note(name, words(findings), before, after));
    }

    private String onHost(String path) {
        return ShellText.path(hostRoot.resolve(path.substring(1)).toString());
    }

    private void engine(Facts.View view, EngineFacts engine, Started started) {
        List<EngineChange> changes = EngineChange.ALL.stream()
                .filter(change ->
                        failed(change.check(), view.subject(Answer.ENGINE)).isPresent())
                .toList();
        if (changes.isEmpty()) {
            return;
        }
        if (!started.problem().isEmpty()) {
            refused.add(started.problem() + ": no change of it is proposed");
            return;
        }
        // flags go only where the file can say it in their place
        Optional<Map<String, @Nullable Object>> parsed = EngineJson.parse(started.configuration());
        String path = engine.configurationFile();
        if (parsed.isEmpty()) {
            refused.add(ShellText.path(path) + " is no JSON object: no change of it is proposed");
            return;
        }
        if (!path.startsWith("/") || !ShellText.isPlain(path)) {
            refused.add("the configuration file of " + view.name() + " has a name that a patch cannot carry");
            return;
        }
        Optional<String> unit = engine.process()
                .map(EngineProcess::unit)
                .filter(name -> UNIT.matcher(name).matches());
        List<EngineChange> byFlag = changes.stream()
                .filter(change -> change.settings().stream()
                        .flatMap(name -> engine.setting(name).stream())
                        .map(Setting::source)
                        .anyMatch("flag"::equals))
                .toList();
        boolean written =
                !started.arguments().isEmpty() && started.arguments().stream().allMatch(ShellText::isPlain);
        if (!byFlag.isEmpty() && (unit.isEmpty() || !written)) {
            refused.add("flags of " + view.name() + " decide about "
                    + byFlag.stream().map(EngineChange::check).collect(Collectors.joining(", "))
                    + ", and no unit of systemd can say so: change them where it is started");
            changes =
                    changes.stream().filter(change -> !byFlag.contains(change)).toList();
        } else if (!byFlag.isEmpty()) {
            dropIn(view, unit.get(), byFlag, started.arguments());
        }
        configuration(view, engine, started.configuration(), parsed.get(), changes);
    }

    /// Files for one engine do not overwrite those for another.
    private static String file(Facts.View view, String name) {
        return view.name().equals(Facts.DOCKER) ? name : view.name() + "/" + name;
    }

    /// A setting may stand in the file or among the flags; dockerd refuses to start where it stands in both.
    private void dropIn(Facts.View view, String unit, List<EngineChange> byFlag, List<String> arguments) {
        List<String> kept = EngineFlags.kept(
                arguments, (name, value) -> byFlag.stream().allMatch(change -> change.keeps(name, value)));
        put(
                file(view, unit + ".d-caisson.conf"),
                Proposal.MARK + "\n# Flags that daemon.json decides are taken out.\n[Service]\nExecStart=\n"
                        + EngineFlags.execStart(kept) + "\n",
                failed(byFlag, view),
                "install -D -m 0644 -T",
                " " + onHost("/etc/systemd/system/" + unit + ".d/caisson.conf") + " && systemctl daemon-reload");
    }

    private void configuration(
            Facts.View view,
            EngineFacts engine,
            String text,
            Map<String, @Nullable Object> parsed,
            List<EngineChange> changes) {
        Map<String, @Nullable Object> changed = new LinkedHashMap<>(parsed);
        changes.forEach(change -> change.apply().accept(changed));
        if (changed.equals(parsed)) {
            return;
        }
        String diff = UnifiedDiff.of(engine.configurationFile().substring(1), text, EngineJson.write(changed));
        Optional<String> rights = rights(engine);
        if (rights.isEmpty()) {
            refused.add("the user of " + view.name() + " has no account here: change "
                    + ShellText.path(engine.configurationFile()) + " as that user");
            return;
        }
        put(
                file(view, "daemon.json.patch"),
                Proposal.MARK + "\n" + diff,
                failed(changes, view),
                rights.get() + "patch -d " + onHost("/") + " -p1 <",
                "");
    }

    /// Returns the prefix that gives a command the rights of the engine's user. They may make a directory of theirs a
    /// link to any other, so their file is changed with no rights but theirs.
    private Optional<String> rights(EngineFacts engine) {
        long uid = engine.process().map(EngineProcess::uid).orElse(0L);
        return uid <= 0
                ? Optional.of("")
                : facts.host().accounts().stream()
                        .filter(account -> account.uid() == uid)
                        .findFirst()
                        .map(account -> "setpriv --reuid " + uid + " --regid " + account.gid() + " --clear-groups ");
    }

    private void kernelSettings() {
        Optional<Finding> finding = failed("kernel-settings", Answer.HOST);
        if (finding.isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder(Proposal.MARK).append('\n');
        int count = 0;
        for (KernelSettings.Wanted wanted : KernelSettings.WANTED) {
            Optional<String> value = facts.host().setting(wanted.name()).filter(now -> now.matches("-?\\d{1,18}"));
            if (value.isPresent() && !wanted.good().test(Long.parseLong(value.get()))) {
                text.append("# it is ").append(value.get()).append('\n');
                text.append(wanted.name())
                        .append(" = ")
                        .append(wanted.advised())
                        .append('\n');
                count++;
            }
        }
        if (count > 0) {
            put(
                    "99-caisson.conf",
                    text.toString(),
                    List.of(finding.get()),
                    "install -m 0644 -T",
                    " " + onHost("/etc/sysctl.d/99-caisson.conf") + " && sysctl --system");
        }
    }

    /// One file for all engines, which share programs and directories.
    private void auditRules() {
        Map<String, Finding> wanted = new TreeMap<>();
        List<Finding> findings = new ArrayList<>();
        for (Facts.View view : facts.views()) {
            view.facts()
                    .engine()
                    .ifPresent(engine -> report.findings().stream()
                            .filter(finding -> finding.status() == Status.FAIL
                                    && finding.subject().equals(view.subject(Answer.HOST)))
                            .forEach(finding -> HostChecks.watchedFile(
                                            facts, engine, finding.check().name())
                                    .filter(name -> RULE_PATH.matcher(name).matches())
                                    .ifPresent(name -> {
                                        wanted.put(name, finding);
                                        findings.add(finding);
                                    })));
        }
        if (wanted.isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder(Proposal.MARK).append('\n');
        wanted.keySet().forEach(path -> text.append("-w ").append(path).append(" -p wa -k docker\n"));
        if (facts.host().audit().state().equals("off")) {
            text.append("-e 1\n");
        }
        put(
                "caisson-docker.rules",
                text.toString(),
                findings,
                "install -m 0640 -T",
                " " + onHost("/etc/audit/rules.d/caisson-docker.rules") + " && augenrules --load");
    }

    private void owners() {
        FilesScript script = FilesScript.of(report, facts);
        refused.addAll(script.refused());
        script.text()
                .ifPresent(text -> put(
                        "files.sh",
                        text,
                        script.findings(),
                        "sh",
                        hostRoot.equals(Path.of("/")) ? "" : " " + ShellText.path(hostRoot.toString())));
    }

    private void tellTheRest() {
        String rest = report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL && !settled.contains(finding))
                .filter(finding -> switch (finding.subject().kind()) {
                    case HOST, DAEMON, FILE -> true;
                    case IMAGE,
                            CONTAINER,
                            NETWORK,
                            VOLUME,
                            BUILD_STAGE,
                            COMPOSE_SERVICE,
                            KUBERNETES_CONTAINER,
                            KUBERNETES_OBJECT -> false;
                })
                .map(finding -> finding.check().name())
                .distinct()
                .collect(Collectors.joining(", "));
        if (!rest.isEmpty()) {
            refused.add("left to you, because it needs a decision or would cut something off: " + rest
                    + "; the report says what to do");
        }
    }
}
