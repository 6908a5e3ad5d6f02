package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.compose.ComposeLoader;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.kubernetes.KubernetesManifest;
import dev.caisson.containerfile.kubernetes.KubernetesPod;
import dev.caisson.containerfile.kubernetes.ServiceAccounts;
import dev.caisson.containerfile.workload.ComposeWorkloads;
import dev.caisson.containerfile.workload.KubernetesWorkloads;
import dev.caisson.containerfile.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Audits container files: finds them, judges each by the rules of its kind, and applies waivers and
/// baseline.
public final class FileAudit {
    /// The version that reports name.
    public static final String VERSION = "0.1.0";

    private final AuditRequest request;
    private final SourceTree tree;
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> targets = new ArrayList<>();
    private final Set<Source> sources = new LinkedHashSet<>();
    private final IdentityHashMap<Finding, Fix> fixes = new IdentityHashMap<>();
    private final Map<String, Fix> fixesByFingerprint = new HashMap<>();
    private final List<ComposeProject> projects = new ArrayList<>();

    private final Map<Check, String> passes = new HashMap<>();
    private final IdentityHashMap<Source, InlineDockerfile> inlines = new IdentityHashMap<>();

    private Map<Path, Source> laidOver = Map.of();
    private ServiceAccounts accounts = ServiceAccounts.NONE;

    FileAudit(AuditRequest request, SourceTree tree) {
        this.request = request;
        this.tree = tree;
    }

    /// Runs the audit.
    /// @throws AuditException if an input is missing or of no known kind, or waivers or baseline cannot
    /// be read
    public static Report run(AuditRequest request) {
        return run(request, new SourceTree(request.root()));
    }

    static Report run(AuditRequest request, SourceTree tree) {
        return new FileAudit(request, tree).run();
    }

    /// Runs the audit as if each project, named by its first file, had one more file.
    static Report run(AuditRequest request, Map<Path, Source> laidOver) {
        FileAudit audit = new FileAudit(request, new SourceTree(request.root()));
        audit.laidOver = laidOver;
        return audit.run();
    }

    /// Audits one compose project of these files, the base first.
    Report ofProject(List<Path> files) {
        judge(new FileDiscovery.Found(FileDiscovery.Kind.COMPOSE, files));
        return Baseline.apply(request, targets, numbered());
    }

    /// The compose projects that were audited.
    List<ComposeProject> projects() {
        return List.copyOf(projects);
    }

    /// Runs the audit and proposes changes to the files.
    /// @throws AuditException as [#run], or because standard input is no file that a patch could name
    public static Proposal propose(AuditRequest request) {
        if (request.standardInput().isPresent()) {
            throw new AuditException(
                    AuditException.Code.OPTION_INVALID, "A patch needs a file's name; standard input has none.");
        }
        FileAudit audit = new FileAudit(request, new SourceTree(request.root()));
        Report report = audit.run();
        return new Patches(request, audit.tree, report, audit.fixesByFingerprint, audit.projects).propose();
    }

    private Report run() {
        request.standardInput().ifPresent(this::standardInput);
        for (Path input : request.inputs()) {
            Path path = tree.root().resolve(input).normalize();
            targets.add(tree.name(path).isEmpty() ? "." : tree.name(path));
            if (!Files.exists(path)) {
                throw new AuditException(AuditException.Code.INPUT_MISSING, "There is no file " + input + ".");
            }
            if (Files.isDirectory(path)) {
                List<FileDiscovery.Found> found = FileDiscovery.directory(path, tree, this::closed);
                if (found.isEmpty()) {
                    notUnderstood(
                            new Subject(Subject.Kind.FILE, tree.name(path).isEmpty() ? "." : tree.name(path)),
                            "there is nothing to judge in it: no Dockerfile, no compose file and no Kubernetes manifest",
                            Optional.empty());
                }
                accounts = accounts(found);
                found.forEach(this::judge);
            } else {
                judge(named(path));
            }
        }
        List<Finding> waived = new Waivers(request.today(), request.waivers(), sources).apply(numbered());
        return Baseline.apply(request, targets, waived);
    }

    /// Service accounts of all manifests of a directory, which belong together.
    private ServiceAccounts accounts(List<FileDiscovery.Found> found) {
        ServiceAccounts all = ServiceAccounts.NONE;
        for (FileDiscovery.Found file : found) {
            if (file.kind() == FileDiscovery.Kind.KUBERNETES) {
                try {
                    Source source = tree.read(file.files().getFirst());
                    if (source.text().contains("ServiceAccount")
                            && source.text().contains("automountServiceAccountToken")) {
                        all = all.and(ServiceAccounts.of(source));
                    }
                } catch (ContainerFileException e) {
                    // It is reported when it is judged.
                }
            }
        }
        return all;
    }

    private void closed(Path directory, IOException why) {
        String name = tree.name(directory);
        notUnderstood(
                new Subject(Subject.Kind.FILE, name.isEmpty() ? "." : name),
                FileError.FILE_UNREADABLE.code() + ": it cannot be looked into: "
                        + why.getClass().getSimpleName(),
                Optional.empty());
    }

    private FileDiscovery.Found named(Path path) {
        try {
            return FileDiscovery.file(path, tree);
        } catch (ContainerFileException e) {
            throw new AuditException(AuditException.Code.INPUT_UNREADABLE, e.sentence(), e);
        }
    }

    private void standardInput(Source source) {
        targets.add(source.name());
        FileDiscovery.Kind kind = FileDiscovery.kind(source)
                .orElseThrow(() -> new AuditException(
                        AuditException.Code.INPUT_UNKNOWN,
                        "Standard input is neither a Dockerfile nor a compose file nor a Kubernetes manifest."));
        Path path = tree.root().resolve(source.name());
        tree.put(path, source);
        judge(new FileDiscovery.Found(kind, List.of(path)));
    }

    private void judge(FileDiscovery.Found found) {
        Path first = found.files().getFirst();
        Subject file = new Subject(Subject.Kind.FILE, tree.name(first));
        try {
            found.files().forEach(path -> sources.add(tree.read(path)));
            switch (found.kind()) {
                case DOCKERFILE -> dockerfile(first);
                case COMPOSE -> compose(found.files(), file);
                case KUBERNETES -> kubernetes(tree.read(first), file);
            }
        } catch (ContainerFileException e) {
            notUnderstood(file, e.error().code() + ": " + e.problem(), e.place().map(Location::of));
        }
    }

    private void notUnderstood(Subject file, String why, Optional<Location> location) {
        Check check = Checks.named("file-not-understood");
        findings.add(
                Finding.ofFile(check, file, Status.NOT_EVALUATED, check.severity(), why, Optional.empty(), location));
    }

    private void dockerfile(Path path) {
        Source source = tree.read(path);
        DockerfileUnit unit = DockerfileUnit.of(source, Optional.of(path), tree, request.images());
        Subject subject = new Subject(
                Subject.Kind.BUILD_STAGE,
                source.name() + " stage " + unit.build().finalStage().label());
        for (List<Rule<DockerfileUnit>> rules :
                List.of(StageRules.ALL, BuildSecretRules.ALL, CommandRules.ALL, ImageContentRules.ALL)) {
            apply(rules, unit, subject);
        }
    }

    private void compose(List<Path> files, Subject file) {
        ComposeProject project = ComposeLoader.load(tree, withOverride(files), request.environment());
        projects.add(project);
        for (var note : project.unresolved()) {
            add(Checks.named("reference-not-followed"), file, Verdict.unknown(note.place(), note.value()));
        }
        for (Workload workload : ComposeWorkloads.of(project, tree, request.images())) {
            Subject subject = new Subject(Subject.Kind.COMPOSE_SERVICE, file.name() + " " + workload.name());
            InlineDockerfile.of(workload).ifPresent(inline -> inline(inline, subject));
            COMMON.forEach(rules -> apply(rules, workload, subject));
            for (List<Rule<Workload>> rules : List.of(
                    LimitRules.COMPOSE,
                    NamespaceRules.COMPOSE,
                    MountRules.COMPOSE,
                    SecretRules.COMPOSE,
                    ServiceRules.COMPOSE)) {
                apply(rules, workload, subject);
            }
        }
    }

    /// A Dockerfile within a compose file; what its final image is, is judged as the service.
    private void inline(InlineDockerfile inline, Subject subject) {
        inlines.put(inline.source(), inline);
        try {
            DockerfileUnit unit = DockerfileUnit.of(inline.source(), Optional.empty(), tree, request.images());
            for (List<Rule<DockerfileUnit>> rules :
                    List.of(StageRules.BUILD, BuildSecretRules.ALL, CommandRules.ALL, ImageContentRules.ALL)) {
                apply(rules, unit, subject);
            }
        } catch (ContainerFileException e) {
            notUnderstood(
                    subject,
                    e.error().code() + ": " + e.problem(),
                    e.place().map(inline::inFile).map(Location::of));
        }
    }

    private List<Path> withOverride(List<Path> files) {
        Source override = laidOver.get(files.getFirst());
        if (override == null) {
            return files;
        }
        Path path = files.getFirst().resolveSibling("." + override.name().replace('/', '.'));
        tree.put(path, override);
        List<Path> all = new ArrayList<>(files);
        all.add(path);
        return all;
    }

    private void kubernetes(Source source, Subject file) {
        KubernetesManifest manifest = KubernetesManifest.parse(source, accounts);
        // all of them first: nothing is judged of a file that has a value which cannot be read
        List<List<Workload>> containers =
                manifest.pods().stream().map(KubernetesWorkloads::of).toList();
        for (var object : manifest.notUnderstood()) {
            notUnderstood(
                    new Subject(Subject.Kind.KUBERNETES_OBJECT, file.name() + " " + object.title()),
                    object.title() + " of " + object.apiVersion()
                            + " runs containers in a form that is not known here; they were not judged",
                    Optional.of(Location.of(Places.firstLine(object.body()))));
        }
        for (var object : manifest.objects()) {
            apply(
                    KubernetesRules.OBJECTS,
                    object,
                    new Subject(Subject.Kind.KUBERNETES_OBJECT, file.name() + " " + object.title()));
        }
        for (int at = 0; at < containers.size(); at++) {
            KubernetesPod pod = manifest.pods().get(at);
            apply(
                    KubernetesRules.PODS,
                    pod,
                    new Subject(
                            Subject.Kind.KUBERNETES_OBJECT,
                            file.name() + " " + pod.resource().title()));
            for (Workload workload : containers.get(at)) {
                Subject subject = new Subject(Subject.Kind.KUBERNETES_CONTAINER, file.name() + " " + workload.name());
                for (List<Rule<Workload>> rules : Stream.of(
                                COMMON, List.of(LimitRules.KUBERNETES, KubernetesRules.CONTAINERS))
                        .flatMap(List::stream)
                        .toList()) {
                    apply(pod.isWindows() ? onWindows(rules) : rules, workload, subject);
                }
            }
        }
    }

    private static final List<List<Rule<Workload>>> COMMON = List.of(
            LimitRules.ALL,
            PrivilegeRules.ALL,
            NamespaceRules.ALL,
            MountRules.ALL,
            ImageRules.ALL,
            SecretRules.ALL,
            ServiceRules.ALL);

    private static List<Rule<Workload>> onWindows(List<Rule<Workload>> rules) {
        return rules.stream()
                .filter(rule -> !KubernetesRules.isForLinuxOnly(rule))
                .toList();
    }

    private <T> void apply(List<Rule<T>> rules, T unit, Subject subject) {
        for (Rule<T> rule : rules) {
            List<Verdict> verdicts = rule.judge().apply(unit);
            if (verdicts.isEmpty()) {
                Check check = rule.check();
                findings.add(Finding.ofFile(
                        check,
                        subject,
                        Status.PASS,
                        check.severity(),
                        passes.computeIfAbsent(check, passed -> passed.title() + ": no"),
                        Optional.empty(),
                        Optional.empty()));
            }
            verdicts.forEach(verdict -> add(rule.check(), subject, verdict));
        }
    }

    private void add(Check check, Subject subject, Verdict verdict) {
        InlineDockerfile inline = inlines.get(verdict.place().source());
        Place place = inline == null ? verdict.place() : inline.inFile(verdict.place());
        sources.add(place.source());
        String shown = verdict.shown().orElseGet(() -> Secrets.masked(Places.shown(place)));
        Location location = Location.of(place);
        Finding finding = Finding.ofFile(
                check,
                subject,
                verdict.status(),
                verdict.severity().orElse(check.severity()),
                verdict.message(),
                Optional.of(new Evidence(place.file(), shown, Optional.of(location))),
                Optional.of(location));
        findings.add(finding);
        if (inline == null) {
            verdict.fix().ifPresent(fix -> fixes.put(finding, fix));
        }
    }

    /// Numbers findings with the same text: a finding is recognised by its text, not by its line.
    private List<Finding> numbered() {
        List<Finding> sorted = findings.stream().sorted().toList();
        List<Finding> numbered = Findings.numbered(
                sorted, finding -> finding.check().id() + "\n" + finding.subject() + "\n" + finding.message());
        for (int at = 0; at < sorted.size(); at++) {
            Fix fix = fixes.get(sorted.get(at));
            if (fix != null) {
                fixesByFingerprint.put(numbered.get(at).fingerprint(), fix);
            }
        }
        return numbered;
    }
}
