package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.compose.ComposeProject;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Makes patches of fixes. Each patch is tried before it is proposed: the changed files are audited anew, in memory.
final class Patches {
    private final AuditRequest request;
    private final SourceTree tree;
    private final Report report;
    private final Map<String, Fix> fixes;
    private final List<ComposeProject> projects;
    private final SequencedMap<String, Proposal.Contents> files = new LinkedHashMap<>();
    private final List<Proposal.Note> notes = new ArrayList<>();
    private final Set<String> refused = new LinkedHashSet<>();

    Patches(
            AuditRequest request,
            SourceTree tree,
            Report report,
            Map<String, Fix> fixes,
            List<ComposeProject> projects) {
        this.request = request;
        this.tree = tree;
        this.report = report;
        this.fixes = fixes;
        this.projects = projects;
    }

    Proposal propose() {
        patch("safe.patch", true);
        patch("fixes.patch", false);
        projects.forEach(this::override);
        return new Proposal(report, files, List.copyOf(notes), List.copyOf(refused));
    }

    /// The fixes of what fails and nobody tolerates, in the report's order.
    private List<Fix> wanted(boolean safeOnly) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .flatMap(finding -> Optional.ofNullable(fixes.get(finding.fingerprint())).stream())
                .filter(fix -> (!safeOnly || fix.safe())
                        && sources(fix)
                                .filter(source -> !isNamed(source))
                                .toList()
                                .isEmpty())
                .toList();
    }

    private static Stream<Source> sources(Fix fix) {
        return switch (fix) {
            case Fix.OfYaml changes ->
                changes.changes().stream().map(change -> change.target().place().source());
            case Fix.OfText text ->
                text.edits().stream().map(edit -> edit.place().source());
            case Fix.OfLines lines -> Stream.of(lines.beside().source());
        };
    }

    private void patch(String name, boolean safeOnly) {
        Map<String, Edited> edited = edit(wanted(safeOnly));
        edited.values()
                .removeIf(file -> file.before().text().equals(file.after().text()));
        Report after = tried(edited);
        Outcome outcome = new Outcome(report, after);
        if (!outcome.broken().isEmpty()) {
            refuse(outcome);
            edited.keySet().removeAll(outcome.broken());
            after = tried(edited);
            outcome = new Outcome(report, after);
        }
        if (edited.isEmpty()) {
            return;
        }
        if (!outcome.broken().isEmpty()) {
            refuse(outcome);
            return;
        }
        Path base = base(edited.values());
        ByteArrayOutputStream patch = new ByteArrayOutputStream();
        patch.writeBytes((Proposal.MARK + "\n").getBytes(StandardCharsets.UTF_8));
        for (Edited file : edited.values()) {
            Path relative = base.relativize(file.path());
            String diff = UnifiedDiff.of(
                    relative.toString(), file.before().text(), file.after().text());
            patch.writeBytes(file.before().encode(diff));
        }
        files.put(name, new Proposal.Contents(patch.toByteArray()));
        String where = base.equals(Path.of("").toAbsolutePath()) ? "." : base.toString();
        notes.add(new Proposal.Note(name, outcome.text(), "patch -d " + ShellText.path(where) + " -p1 <", ""));
    }

    private Report tried(Map<String, Edited> edited) {
        SourceTree changed = new SourceTree(request.root());
        edited.values().forEach(file -> changed.put(file.path(), file.after()));
        return FileAudit.run(request, changed);
    }

    private void refuse(Outcome outcome) {
        outcome.broken()
                .forEach(file -> refused.add(TextReport.printable(file)
                        + ": no change is proposed, because with it the file would not be understood any more"));
    }

    /// A patch names its files in lines of text, and a file by another name is another file.
    private boolean isNamed(Source source) {
        if (ShellText.isPlain(source.name())) {
            return true;
        }
        refused.add(TextReport.printable(source.name())
                + ": no change is proposed, because its name holds characters that a patch cannot carry; rename it");
        return false;
    }

    private record Edited(Path path, Source before, Source after) {}

    /// Applies fixes, each of them wholly or not at all.
    private Map<String, Edited> edit(List<Fix> wanted) {
        Map<Source, YamlEditor> yaml = new LinkedHashMap<>();
        Map<Source, List<Fix.Edit>> texts = new LinkedHashMap<>();
        Map<Path, Set<String>> lines = new TreeMap<>();
        ExtendedServices extended = new ExtendedServices(projects, wanted);
        for (Fix fix : wanted) {
            switch (fix) {
                case Fix.OfYaml changes -> apply(changes, yaml, extended);
                case Fix.OfText text ->
                    text.edits()
                            .forEach(edit -> texts.computeIfAbsent(edit.place().source(), source -> new ArrayList<>())
                                    .add(edit));
                case Fix.OfLines added ->
                    lines.computeIfAbsent(
                                    path(added.beside().source()).resolveSibling(added.fileName()),
                                    path -> new LinkedHashSet<>())
                            .addAll(added.lines());
            }
        }
        Map<String, Edited> edited = new TreeMap<>();
        yaml.forEach((source, editor) -> edited.put(source.name(), new Edited(path(source), source, editor.source())));
        texts.forEach((source, edits) ->
                edited.put(source.name(), new Edited(path(source), source, replaced(source, edits))));
        lines.forEach((path, added) -> edited.put(tree.name(path), extended(path, added)));
        return edited;
    }

    private void apply(Fix.OfYaml fix, Map<Source, YamlEditor> editors, ExtendedServices extended) {
        Map<Source, YamlEditor> tried = new HashMap<>();
        for (Fix.Targeted targeted : fix.changes()) {
            if (extended.inherits(targeted)) {
                continue;
            }
            Source source = targeted.target().place().source();
            Optional<YamlEditor.Path> at = YamlEditor.find(source, targeted.target());
            YamlEditor editor = tried.computeIfAbsent(
                    source,
                    original -> new YamlEditor(Optional.ofNullable(editors.get(original))
                            .map(YamlEditor::source)
                            .orElse(original)));
            if (at.isEmpty() || !editor.apply(at.get(), targeted.change())) {
                return;
            }
        }
        editors.putAll(tried);
    }

    private static Source replaced(Source source, List<Fix.Edit> edits) {
        List<Fix.Edit> backwards = edits.stream()
                .sorted(Comparator.comparing(Fix.Edit::place).reversed())
                .toList();
        String text = source.text();
        int limit = text.length();
        for (Fix.Edit edit : backwards) {
            Place place = edit.place();
            if (place.end() <= limit) {
                text = text.substring(0, place.start()) + edit.replacement() + text.substring(place.end());
                limit = place.start();
            }
        }
        return Source.of(source.name(), source.encode(text));
    }

    private Edited extended(Path path, Set<String> added) {
        Source before = tree.isFile(path) ? tree.read(path) : Source.of(tree.name(path), "");
        String text = before.text();
        String all = text
                + (text.isEmpty() || text.endsWith("\n") ? "" : "\n")
                + added.stream().map(line -> line + "\n").collect(Collectors.joining());
        return new Edited(path, before, Source.of(before.name(), before.encode(all)));
    }

    private Path path(Source source) {
        return tree.root().resolve(source.name()).normalize();
    }

    /// The directory that patches are applied in: the audit's own, or where all files lie if one is outside of it.
    private Path base(Collection<Edited> edited) {
        if (edited.stream().allMatch(file -> file.path().startsWith(tree.root()))) {
            return tree.root();
        }
        Path base = parent(edited.iterator().next().path());
        for (Edited file : edited) {
            while (!file.path().startsWith(base)) {
                base = parent(base);
            }
        }
        return base;
    }

    private void override(ComposeProject project) {
        if (project.files().stream().filter(file -> !isNamed(file)).count() > 0) {
            return;
        }
        ComposeOverride override = new ComposeOverride(project);
        report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .forEach(finding -> {
                    if (fixes.get(finding.fingerprint()) instanceof Fix.OfYaml fix && isOf(project, fix)) {
                        override.add(finding.check(), fix);
                    }
                });
        Optional<String> text = override.text();
        if (text.isEmpty()) {
            return;
        }
        Path first = path(project.files().getFirst());
        String name = freeName(first, project.files().size() == 1);
        Outcome outcome = new Outcome(report, FileAudit.run(request, Map.of(first, Source.of(name, text.get()))));
        if (!outcome.broken().isEmpty()) {
            refuse(outcome);
            return;
        }
        files.put(name, new Proposal.Contents(text.get().getBytes(StandardCharsets.UTF_8)));
        String given = project.files().stream()
                .map(file -> " -f " + ShellText.path(file.name()))
                .collect(Collectors.joining());
        notes.add(new Proposal.Note(name, outcome.text(), "docker compose" + given + " -f", " config"));
    }

    /// A name that no other project's proposal has: in the project's own place below the audit's directory, and for
    /// several of one directory, or of directories outside, told apart by the project's file and a number.
    private String freeName(Path first, boolean alone) {
        String kind = alone ? "compose.override" : "compose.hardened";
        Path directory = tree.root().relativize(parent(first));
        Path below = directory.startsWith("..") ? Path.of("") : directory;
        Path name = below.resolve(kind + ".yaml");
        for (int number = 1; files.containsKey(name.toString()); number++) {
            String suffix = number == 1 ? "" : "-" + number;
            name = below.resolve(first.getFileName() + "." + kind + suffix + ".yaml");
        }
        return name.toString();
    }

    private static boolean isOf(ComposeProject project, Fix.OfYaml fix) {
        return fix.service()
                .flatMap(name -> Optional.ofNullable(project.services().get(name)))
                .filter(service -> fix.changes().stream()
                        .allMatch(change -> service.definitions().contains(change.target())))
                .isPresent();
    }

    private static Path parent(Path file) {
        return Optional.ofNullable(file.getParent()).orElse(file);
    }
}
