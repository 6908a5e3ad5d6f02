package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/// The manifests against the published OpenAPI document of Kubernetes: every field is one that the API has, each
/// that it must have is there, and values have its types. What only a server checks and the manifests rely on is
/// asserted here; they were run in no cluster.
class ManifestSchemaTest {
    private static String manifest(String name) throws IOException {
        return Files.readString(Path.of(System.getProperty("caisson.root"), "deploy/kubernetes", name));
    }

    private static List<JsonObject> objects(String yaml) {
        Load load = new Load(LoadSettings.builder().build());
        List<JsonObject> objects = new ArrayList<>();
        load.loadAllFromString(yaml)
                .forEach(document -> objects.add(new Gson().toJsonTree(document).getAsJsonObject()));
        return objects;
    }

    private static void check(JsonObject object) throws ReflectiveOperationException {
        String kind = object.get("kind").getAsString();
        String json = object.toString();
        String model = switch (object.get("apiVersion").getAsString() + " " + kind) {
            case "v1 Namespace" -> "V1Namespace";
            case "apps/v1 DaemonSet" -> "V1DaemonSet";
            case "batch/v1 CronJob" -> "V1CronJob";
            case String other -> throw new IllegalArgumentException(other + " is no kind that is checked");
        };
        try {
            // by name, for what annotates these classes is not here to compile against
            Class.forName("io.kubernetes.client.openapi.models." + model)
                    .getMethod("fromJson", String.class)
                    .invoke(null, json);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(e.getCause());
        }
    }

    private static JsonElement at(JsonElement element, String... path) {
        JsonElement found = element;
        for (String name : path) {
            found = name.matches("\\d+")
                    ? found.getAsJsonArray().get(Integer.parseInt(name))
                    : found.getAsJsonObject().get(name);
            assertThat(found).as(name).isNotNull();
        }
        return found;
    }

    @ParameterizedTest
    @ValueSource(strings = {"audit-daemonset.yaml", "audit-cronjob.yaml"})
    void every_field_of_a_manifest_is_one_of_the_api(String name) throws Exception {
        List<JsonObject> objects = objects(manifest(name));

        assertThat(objects).hasSize(2);
        for (JsonObject object : objects) {
            check(object);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "recursiveReadOnly, recursiveReadonly",
        "mountPath, path",
        "hostPID, hostPid",
        "apps/v1, v1",
        "'runAsUser: 0', 'runAsUser: root'",
        "'hostPID: true', 'hostPID: {}'",
        "selector:, chooser:",
    })
    void a_mistake_in_a_manifest_is_refused(String right, String wrong) throws IOException {
        String yaml = manifest("audit-daemonset.yaml");
        assertThat(yaml).contains(right);

        assertThatThrownBy(() -> {
                    for (JsonObject object : objects(yaml.replace(right, wrong))) {
                        check(object);
                    }
                })
                .isInstanceOf(IllegalArgumentException.class);
    }

    /// Validation of DaemonSet, Pod and volume mount in the API server.
    @Test
    void a_daemon_set_selects_its_own_pods_and_its_mounts_fit_together() throws IOException {
        JsonObject set = objects(manifest("audit-daemonset.yaml")).getLast();

        assertThat(at(set, "spec", "selector", "matchLabels"))
                .isEqualTo(at(set, "spec", "template", "metadata", "labels"));
        mountsFit(at(set, "spec", "template", "spec"));
        assertThat(at(set, "metadata", "namespace"))
                .isEqualTo(at(objects(manifest("audit-daemonset.yaml")).getFirst(), "metadata", "name"));
    }

    /// backoffLimitPerIndex takes an indexed job, and a job's pods may not be restarted always.
    @Test
    void a_cron_job_has_one_pod_a_node_and_none_is_restarted() throws IOException {
        JsonObject job = objects(manifest("audit-cronjob.yaml")).getLast();
        JsonElement spec = at(job, "spec", "jobTemplate", "spec");
        JsonElement pod = at(spec, "template", "spec");

        assertThat(at(spec, "completionMode").getAsString()).isEqualTo("Indexed");
        assertThat(at(spec, "backoffLimitPerIndex").getAsInt()).isZero();
        assertThat(at(spec, "completions")).isEqualTo(at(spec, "parallelism"));
        assertThat(at(pod, "restartPolicy").getAsString()).isEqualTo("Never");
        assertThat(at(
                        pod,
                        "affinity",
                        "podAntiAffinity",
                        "requiredDuringSchedulingIgnoredDuringExecution",
                        "0",
                        "labelSelector",
                        "matchLabels"))
                .isEqualTo(at(spec, "template", "metadata", "labels"));
        mountsFit(pod);
    }

    /// A recursively read-only mount is read-only and has no propagation, and each mount has a volume.
    private static void mountsFit(JsonElement pod) {
        List<String> volumes = at(pod, "volumes").getAsJsonArray().asList().stream()
                .map(volume -> at(volume, "name").getAsString())
                .toList();
        for (JsonElement mount : at(pod, "containers", "0", "volumeMounts").getAsJsonArray()) {
            assertThat(volumes).contains(at(mount, "name").getAsString());
            if (mount.getAsJsonObject().has("recursiveReadOnly")) {
                assertThat(at(mount, "recursiveReadOnly").getAsString()).isEqualTo("Enabled");
                assertThat(at(mount, "readOnly").getAsBoolean()).isTrue();
                assertThat(at(mount, "mountPropagation").getAsString()).isEqualTo("None");
            }
        }
    }
}
