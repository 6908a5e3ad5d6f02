package dev.caisson.containerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.caisson.containerfile.YamlNode.YamlMap;
import dev.caisson.containerfile.YamlNode.YamlScalar;
import dev.caisson.containerfile.YamlNode.YamlSeq;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class YamlPropertiesTest {
    @Property(tries = 500)
    void positions_point_at_what_they_name(@ForAll("values") Map<String, List<String>> values) {
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

    @Property(tries = 1000)
    void any_text_gives_a_model_or_a_coded_error_in_time(@ForAll("anything") String text) {
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
                manifest.pods().forEach(pod -> assertThat(pod.containers()).isNotNull());
            } catch (ContainerFileException e) {
                assertThat(e.place()).isPresent();
            }
        });
    }

    @Provide
    Arbitrary<Map<String, List<String>>> values() {
        Arbitrary<String> key = Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(8);
        Arbitrary<String> item = Arbitraries.strings()
                .withChars("abc #:,[]{}'&*!|>%@\uD83D\uDE00\u00e9")
                .ofMaxLength(10)
                .map(text -> new String(
                        text.codePoints()
                                .filter(c -> !(c >= 0xD800 && c <= 0xDFFF))
                                .toArray(),
                        0,
                        (int) text.codePoints()
                                .filter(c -> !(c >= 0xD800 && c <= 0xDFFF))
                                .count()));
        return Arbitraries.maps(key, item.list().ofMinSize(1).ofMaxSize(4))
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    @Provide
    Arbitrary<String> anything() {
        Arbitrary<String> fragments = Arbitraries.of(
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
                        "tmpfs: ")
                .list()
                .ofMaxSize(50)
                .map(parts -> String.join("", parts));
        return Arbitraries.oneOf(
                fragments,
                fragments.map(text -> "services:\n  web:\n    " + text),
                fragments.map(text -> "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    " + text),
                fragments.map(text -> "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      "
                        + "containers: [{name: c}]\n      " + text),
                Arbitraries.strings().ofMaxLength(150));
    }
}
