package dev.caisson.containerfile.kubernetes;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The objects of a Kubernetes manifest, lists taken apart, and the pods that its workloads make.
public record KubernetesManifest(Source source, List<KubernetesObject> objects, List<KubernetesPod> pods) {
    private static final Pattern TEMPLATE = Pattern.compile("\\{\\{-?\\s*[^}]*}}");
    private static final int MAX_LIST_DEPTH = 4;
    private static final int MAX_SEARCH_DEPTH = 24;
    /// Keys under which objects of any maker name an image to run.
    private static final Set<String> RUNNING = Set.of(
            "container",
            "containers",
            "initContainers",
            "sidecars",
            "sidecarContainers",
            "script",
            "steps",
            "stepTemplate",
            "containerSet");

    /// Parses a manifest of one or more documents.
    /// @throws ContainerFileException for text that is no YAML, a template that still has to be rendered among it
    public static KubernetesManifest parse(Source source) {
        return parse(source, ServiceAccounts.NONE);
    }

    /// Parses a manifest that belongs to others.
    /// @param beside service accounts of the other manifests
    /// @throws ContainerFileException for text that is no YAML, a template that still has to be rendered among it
    public static KubernetesManifest parse(Source source, ServiceAccounts beside) {
        List<KubernetesObject> objects = objects(source);
        ServiceAccounts accounts = beside.and(ServiceAccounts.of(objects));
        LimitRanges ranges = LimitRanges.of(objects);
        List<KubernetesPod> pods = new ArrayList<>();
        for (KubernetesObject object : objects) {
            podTemplate(object).ifPresent(template -> pods.add(KubernetesPod.of(object, template, accounts, ranges)));
        }
        return new KubernetesManifest(source, List.copyOf(objects), List.copyOf(pods));
    }

    static List<KubernetesObject> objects(Source source) {
        List<KubernetesObject> objects = new ArrayList<>();
        for (YamlNode document : documents(source)) {
            collect(document, "", objects, 0);
        }
        return objects;
    }

    private static List<YamlNode> documents(Source source) {
        try {
            return Yaml.documents(source);
        } catch (ContainerFileException e) {
            if (TEMPLATE.matcher(source.text()).find()) {
                throw new ContainerFileException(
                        FileError.FILE_IS_TEMPLATE,
                        e.place().orElse(source.place(0, 0)),
                        "This is a template; render it first, as with `helm template`, and audit what comes out.");
            }
            throw e;
        }
    }

    private static void collect(YamlNode node, String kind, List<KubernetesObject> objects, int depth) {
        if (!(node instanceof YamlMap map) || (map.scalar("kind").isEmpty() && kind.isEmpty())) {
            return;
        }
        KubernetesObject object = KubernetesObject.of(map, kind);
        if (object.kind().endsWith("List") && map.seq("items").isPresent() && depth < MAX_LIST_DEPTH) {
            String items = object.kind().substring(0, object.kind().length() - "List".length());
            map.seq("items").get().items().forEach(item -> collect(item, items, objects, depth + 1));
        } else {
            objects.add(object);
        }
    }

    /// The pod's template in any object, a mapping with `metadata` and `spec`: itself, its template, or its job's
    /// template. Kinds of other makers that keep a template where the known ones do are read alike.
    private static Optional<YamlMap> podTemplate(KubernetesObject object) {
        YamlMap body = object.body();
        Optional<YamlMap> template = switch (object.kind()) {
            case "Pod" -> Optional.of(body);
            case "PodTemplate" -> body.map("template");
            default -> {
                Optional<YamlMap> spec = body.map("spec");
                yield spec.flatMap(found -> found.map("template"))
                        .or(() -> spec.flatMap(cron -> cron.map("jobTemplate"))
                                .flatMap(job -> job.map("spec"))
                                .flatMap(job -> job.map("template")));
            }
        };
        return template.filter(found ->
                found.map("spec").flatMap(spec -> spec.seq("containers")).isPresent());
    }

    /// Objects that run containers in a form that is not known here, as those of workflow engines. A review names
    /// images for somebody to judge, and runs none.
    public List<KubernetesObject> notUnderstood() {
        return objects.stream()
                .filter(object -> !object.kind().endsWith("Review"))
                .filter(object -> podTemplate(object).isEmpty() && runsSomething(object.body(), 0))
                .toList();
    }

    private static boolean runsSomething(YamlNode node, int depth) {
        if (depth > MAX_SEARCH_DEPTH) {
            return false;
        }
        return switch (node) {
            case YamlMap map ->
                map.entries().entrySet().stream()
                        .anyMatch(entry -> (RUNNING.contains(entry.getKey())
                                        && isRun(entry.getValue().value()))
                                || runsSomething(entry.getValue().value(), depth + 1));
            case YamlSeq seq -> seq.items().stream().anyMatch(item -> runsSomething(item, depth + 1));
            case YamlScalar scalar -> false;
        };
    }

    private static boolean isRun(YamlNode node) {
        return switch (node) {
            case YamlMap map -> map.scalar("image").isPresent();
            case YamlSeq seq -> seq.items().stream().anyMatch(KubernetesManifest::isRun);
            case YamlScalar scalar -> false;
        };
    }

    /// True if a text looks like a manifest: some document's top has `apiVersion` and `kind`.
    public static boolean looksLike(Source source) {
        String text = source.text();
        return hasTopKey(text, "apiVersion") && hasTopKey(text, "kind");
    }

    /// In JSON the key may stand anywhere: which object it belongs to is told when the text is parsed.
    private static boolean hasTopKey(String text, String key) {
        boolean json =
                text.stripLeading().startsWith("{") || text.stripLeading().startsWith("[");
        return Pattern.compile(json ? "\"" + key + "\"\\s*:" : "(?m)^(?:\"" + key + "\"|" + key + ")\\s*:")
                .matcher(text)
                .find();
    }

    /// The value of a scalar in nested mappings.
    public static Optional<Setting<String>> scalar(YamlMap map, String... path) {
        Optional<YamlMap> at = Optional.of(map);
        for (int step = 0; step + 1 < path.length; step++) {
            String key = path[step];
            at = at.flatMap(here -> here.map(key));
        }
        return at.flatMap(here -> Scalars.text(here, path[path.length - 1]));
    }

    public static String text(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }
}
