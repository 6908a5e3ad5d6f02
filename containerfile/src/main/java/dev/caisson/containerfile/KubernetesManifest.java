package dev.caisson.containerfile;

import dev.caisson.containerfile.YamlNode.YamlMap;
import dev.caisson.containerfile.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The objects of a Kubernetes manifest, lists taken apart, and the pods that its workloads make.
public record KubernetesManifest(Source source, List<KubernetesObject> objects, List<KubernetesPod> pods) {
    private static final Pattern TEMPLATE = Pattern.compile("\\{\\{-?\\s*[^}]*}}");
    private static final int MAX_LIST_DEPTH = 4;

    /// Parses a manifest of one or more documents.
    /// @throws ContainerFileException for text that is no YAML, a template that still has to be rendered among it
    public static KubernetesManifest parse(Source source) {
        List<KubernetesObject> objects = new ArrayList<>();
        for (YamlNode document : documents(source)) {
            collect(document, objects, 0);
        }
        List<KubernetesPod> pods = new ArrayList<>();
        for (KubernetesObject object : objects) {
            podSpec(object).ifPresent(spec -> pods.add(KubernetesWorkloads.pod(object, spec, objects)));
        }
        return new KubernetesManifest(source, List.copyOf(objects), List.copyOf(pods));
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

    private static void collect(YamlNode node, List<KubernetesObject> objects, int depth) {
        if (!(node instanceof YamlMap map) || map.scalar("kind").isEmpty()) {
            return;
        }
        KubernetesObject object = KubernetesObject.of(map);
        if (object.kind().endsWith("List") && map.seq("items").isPresent() && depth < MAX_LIST_DEPTH) {
            map.seq("items").get().items().forEach(item -> collect(item, objects, depth + 1));
        } else {
            objects.add(object);
        }
    }

    /// The pod's spec in any object: itself, its template, or its job's template. Kinds of other makers that keep a
    /// template where the known ones do are read alike.
    private static Optional<YamlMap> podSpec(KubernetesObject object) {
        YamlMap body = object.body();
        Optional<YamlMap> spec = switch (object.kind()) {
            case "Pod" -> body.map("spec");
            case "PodTemplate" -> body.map("template").flatMap(template -> template.map("spec"));
            case "CronJob" ->
                body.map("spec")
                        .flatMap(cron -> cron.map("jobTemplate"))
                        .flatMap(job -> job.map("spec"))
                        .flatMap(KubernetesManifest::templateSpec);
            default -> body.map("spec").flatMap(KubernetesManifest::templateSpec);
        };
        return spec.filter(found -> found.seq("containers").isPresent());
    }

    private static Optional<YamlMap> templateSpec(YamlMap spec) {
        return spec.map("template").flatMap(template -> template.map("spec"));
    }

    /// Whether a text looks like a manifest: some document's top has `apiVersion` and `kind`.
    public static boolean looksLike(Source source) {
        String text = source.text();
        return hasTopKey(text, "apiVersion") && hasTopKey(text, "kind");
    }

    private static boolean hasTopKey(String text, String key) {
        return Pattern.compile("(?m)^(?:\\{?\\s*\"" + key + "\"|" + key + ")\\s*:")
                .matcher(text)
                .find();
    }

    /// The value of a scalar in nested mappings.
    static Optional<Setting<String>> scalar(YamlMap map, String... path) {
        Optional<YamlMap> at = Optional.of(map);
        for (int step = 0; step + 1 < path.length; step++) {
            String key = path[step];
            at = at.flatMap(here -> here.map(key));
        }
        return at.flatMap(here -> Scalars.text(here, path[path.length - 1]));
    }

    static String text(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }
}
