package dev.caisson.containerfile.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Seeds;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.compose.ComposeLoader;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.kubernetes.KubernetesManifest;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class YamlPropertiesTest {
    private static final List<String> CHARACTERS = "abc #:,[]{}'&*!|>%@\uD83D\uDE00\u00e9"
            .codePoints()
            .mapToObj(Character::toString)
            .toList();

    private static final List<String> FRAGMENTS = List.of(
            "services:",
            "\n",
            "  ",
            "    ",
            "web:",
            " image: ",
            "a",
            "${A",
            "}",
            ":-",
            "$",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&x ",
            "*x",
            "<<: ",
            "!reset ",
            "!override ",
            "|\n",
            ">-\n",
            "'",
            "\"",
            "# c",
            "? ",
            ": ",
            "---\n",
            "kind: Pod\n",
            "securityContext:",
            "capabilities: ",
            "hostNetwork: ",
            "volumeMounts:",
            "emptyDir: ",
            "resources: {limits: {cpu: ",
            "livenessProbe:",
            "runAsUser: ",
            "spec:\n",
            "containers:\n",
            "name: c\n",
            "ports:",
            "volumes:",
            "80:80",
            "/etc:/x",
            "extends: ",
            "include: ",
            "build: .",
            "healthcheck:",
            "test:",
            "%YAML 1.1\n",
            "\t",
            "\uD83D\uDE00",
            "\uFEFF",
            "mem_limit: ",
            "1g",
            "x: ",
            "logging:",
            "user: ",
            "0",
            "tmpfs: ");

    @Test
    void positions_point_at_what_they_name() {
        Seeds.check(500, random -> assertPositions(values(random)));
    }

    private static void assertPositions(Map<String, List<String>> values) {
        StringBuilder text = new StringBuilder("# \uD83D\uDE00 first\n");
        values.forEach((key, items) -> {
            text.append(key).append(": # c\n");
            items.forEach(item -> text.append("  - \"").append(item).append("\" # \u00e9\n"));
            text.append("\n");
        });
        YamlMap map = (YamlMap) Yaml.document(Source.of("x", text.toString())).orElseThrow();

        assertThat(map.entries().keySet()).containsExactlyElementsOf(values.keySet());
        values.forEach((key, items) -> {
            var entry = map.entry(key).orElseThrow();
            assertThat(entry.key().place().text()).isEqualTo(key);
            assertThat(entry.place().text()).startsWith(key + ":").doesNotEndWith("\n");
            YamlSeq seq = map.seq(key).orElseThrow();
            for (int at = 0; at < items.size(); at++) {
                YamlScalar item = (YamlScalar) seq.items().get(at);
                assertThat(item.place().text()).isEqualTo("\"" + items.get(at) + "\"");
                assertThat(item.place().endLine()).isEqualTo(item.place().line());
            }
        });
    }

    @Test
    void any_text_gives_a_model_or_a_coded_error_in_time() {
        Seeds.check(1000, random -> assertModelOrError(anything(random)));
    }

    private static void assertModelOrError(String text) {
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            try {
                SourceTree tree = new SourceTree(Path.of("/nowhere"));
                Path file = Path.of("/nowhere/compose.yaml");
                tree.put(file, Source.of("compose.yaml", text));
                ComposeProject project = ComposeLoader.load(tree, List.of(file), Map.of("A", "b"));
                assertThat(ComposeWorkloads.of(project, tree, BaseImages.NONE))
                        .hasSameSizeAs(project.services().entrySet());
            } catch (ContainerFileException e) {
                assertThat(e.problem()).isNotBlank();
            }
            try {
                KubernetesManifest manifest = KubernetesManifest.parse(Source.of("k.yaml", text));
                manifest.pods()
                        .forEach(pod -> assertThat(KubernetesWorkloads.of(pod)).isNotNull());
            } catch (ContainerFileException e) {
                assertThat(e.place()).isPresent();
            }
        });
    }

    private static Map<String, List<String>> values(SplittableRandom random) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (int left = random.nextInt(1, 6); left > 0; left--) {
            String key = String.join("", Seeds.list(random, 1, 8, YamlPropertiesTest::letter));
            values.put(key, Seeds.list(random, 1, 4, YamlPropertiesTest::item));
        }
        return values;
    }

    private static String letter(SplittableRandom random) {
        return Character.toString(random.nextInt('a', 'z' + 1) - (random.nextBoolean() ? 0 : 'a' - 'A'));
    }

    private static String item(SplittableRandom random) {
        return String.join("", Seeds.list(random, 0, 10, from -> Seeds.one(from, CHARACTERS)));
    }

    private static String anything(SplittableRandom random) {
        String fragments = String.join("", Seeds.list(random, 0, 50, from -> Seeds.one(from, FRAGMENTS)));
        return switch (random.nextInt(5)) {
            case 0 -> fragments;
            case 1 -> "services:\n  web:\n    " + fragments;
            case 2 -> "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    " + fragments;
            case 3 ->
                "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      "
                        + "containers: [{name: c}]\n      " + fragments;
            default -> Seeds.text(random, 150);
        };
    }
}
