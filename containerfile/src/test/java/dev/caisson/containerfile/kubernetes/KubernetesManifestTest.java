package dev.caisson.containerfile.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.workload.KubernetesWorkloads;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Mount;
import dev.caisson.containerfile.workload.Workload.MountKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KubernetesManifestTest {
    private static KubernetesManifest parse(String text) {
        return KubernetesManifest.parse(Source.of("k.yaml", text));
    }

    private static final String POD = "{containers: [{name: c, image: a}]}";

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Pod                   | spec: %s
            Deployment            | spec: {template: {spec: %s}}
            StatefulSet           | spec: {template: {spec: %s}}
            DaemonSet             | spec: {template: {spec: %s}}
            ReplicaSet            | spec: {template: {spec: %s}}
            ReplicationController | spec: {template: {spec: %s}}
            Job                   | spec: {template: {spec: %s}}
            CronJob               | spec: {jobTemplate: {spec: {template: {spec: %s}}}}
            PodTemplate           | template: {spec: %s}
            Rollout               | spec: {template: {spec: %s}}
            """)
    void finds_the_pod_of_every_workload(String kind, String body) {
        KubernetesManifest manifest =
                parse("apiVersion: v1\nkind: " + kind + "\nmetadata: {name: x}\n" + body.formatted(POD) + "\n");

        assertThat(manifest.pods())
                .singleElement()
                .satisfies(
                        pod -> assertThat(KubernetesWorkloads.of(pod).getFirst().name())
                                .isEqualTo(kind + "/x container c"));
    }

    @Test
    void takes_lists_and_documents_apart() {
        KubernetesManifest manifest =
                parse("---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  spec: " + POD
                        + "\n- kind: Service\n---\nkind: Pod\nspec: " + POD + "\n");

        assertThat(manifest.objects()).extracting(KubernetesObject::kind).containsExactly("Pod", "Service", "Pod");
        assertThat(manifest.pods()).hasSize(2);
    }

    @Test
    void a_container_inherits_what_the_pod_says() {
        KubernetesManifest manifest = parse("""
                kind: Pod
                spec:
                  securityContext:
                    runAsUser: 1000
                    seccompProfile: {type: RuntimeDefault}
                  containers:
                  - name: a
                  - name: b
                    securityContext: {runAsUser: 0, seccompProfile: {type: Unconfined}}
                """);
        Workload a = KubernetesWorkloads.of(manifest.pods().getFirst()).get(0);
        Workload b = KubernetesWorkloads.of(manifest.pods().getFirst()).get(1);

        assertThat(a.runAs()).isInstanceOf(RunAs.Other.class);
        assertThat(a.privileges().seccomp().orElseThrow().place()).hasToString("k.yaml:5:22");
        assertThat(b.runAs()).isInstanceOf(RunAs.Root.class);
        assertThat(b.privileges().seccomp().orElseThrow().value()).isEqualTo("unconfined");
    }

    @Test
    void limits_come_from_the_container_the_pod_or_a_limit_range() {
        KubernetesManifest manifest = parse("""
                kind: Pod
                spec:
                  resources: {limits: {cpu: 500m}}
                  containers:
                  - name: a
                    resources: {limits: {memory: 128Mi}}
                ---
                kind: LimitRange
                spec:
                  limits:
                  - type: Container
                    default: {memory: 1Gi, ephemeral-storage: 2e9}
                """);
        Workload.Limits limits =
                KubernetesWorkloads.of(manifest.pods().getFirst()).getFirst().limits();

        assertThat(limits.memory().orElseThrow().value()).isEqualTo(128L << 20);
        assertThat(limits.cpus().orElseThrow().value()).isEqualTo(0.5);
        assertThat(limits.storage().orElseThrow().value()).isEqualTo(2_000_000_000L);
    }

    @Test
    void mounts_show_what_their_volumes_are() {
        KubernetesManifest manifest = parse("""
                kind: Pod
                spec:
                  containers:
                  - name: a
                    volumeMounts:
                    - {name: h, mountPath: /h, readOnly: true}
                    - {name: m, mountPath: /m}
                    - {name: c, mountPath: /c, mountPropagation: Bidirectional}
                  volumes:
                  - {name: h, hostPath: {path: /var//run/}}
                  - {name: m, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
                  - {name: c, configMap: {name: x}}
                """);

        assertThat(KubernetesWorkloads.of(manifest.pods().getFirst()).getFirst().mounts())
                .extracting(Mount::kind)
                .containsExactly(MountKind.BIND, MountKind.TMPFS, MountKind.OTHER);
        assertThat(KubernetesWorkloads.of(manifest.pods().getFirst())
                        .getFirst()
                        .mounts()
                        .getFirst()
                        .source())
                .isEqualTo("/var/run");
    }

    @Test
    void a_template_is_told_apart_from_bad_yaml() {
        assertThatThrownBy(() -> parse("kind: Pod\nspec: {{ .Values.x }}\n  a: b\n"))
                .hasMessageContaining("CF-105");
        assertThatThrownBy(() -> parse("kind: Pod\nspec: [\n")).hasMessageContaining("CF-301");
        KubernetesManifest manifest = parse("kind: Pod\nspec: {containers: [{resources: {limits: {memory: lots}}}]}\n");
        assertThatThrownBy(() -> KubernetesWorkloads.of(manifest.pods().getFirst()))
                .hasMessageContaining("CF-502")
                .hasMessageContaining("k.yaml:2:");
    }
}
