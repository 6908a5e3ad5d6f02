package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.RuleSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An image of the store with secrets in its configuration, its history and its layers.
@Tag("root")
class ImageLeaksTest {
    private static final TarWriter.Attributes PLAIN = new TarWriter.Attributes(0644, 0, 0, Instant.EPOCH);
    /// Their parts stand apart, so that this file holds no secret.
    private static final String TOKEN = "glpat" + "-Xk93jfLq02mZ7vRt5bNw";

    private static final String STRIPE = "sk_live" + "_4fT9xQ2vLm4RzkW81nBc7dYq";

    @TempDir
    Path root;

    private static NewLayer layer(String... namesAndContents) {
        return new NewLayer(
                to -> {
                    var tar = new TarWriter(to);
                    for (int at = 0; at < namesAndContents.length; at += 2) {
                        byte[] content = namesAndContents[at + 1].getBytes(StandardCharsets.UTF_8);
                        tar.file(namesAndContents[at], content.length, PLAIN);
                        tar.content(content, content.length);
                    }
                    tar.finish();
                },
                true);
    }

    private static byte[] config(List<Digest> layers) {
        return """
                {"os": "linux", "architecture": "%s",
                 "config": {"Env": ["PATH=/bin", "DB_PASSWORD=hunter22x", "MODE=test"], "Cmd": ["sh", "-c", "run"],
                            "Labels": {"build.token": "%s", "title": "shop"}},
                 "history": [{"created_by": "COPY app.ini /etc/"}, {"created_by": "ENV A=b", "empty_layer": true},
                             {"created_by": "RUN rm /etc/app.ini --password=hunter22x"},
                             {"created_by": "RUN login %s"}],
                 "rootfs": {"type": "layers", "diff_ids": [%s]}}
                """.formatted(
                        Platform.running().architecture(),
                        TOKEN,
                        STRIPE,
                        layers.stream().map(digest -> "\"" + digest + "\"").collect(Collectors.joining(",")))
                .getBytes(StandardCharsets.UTF_8);
    }

    private Report scanned(NewLayer... layers) throws IOException {
        var scanner = new LeakScanner(RuleSet.own(), Instant.parse("2026-01-01T00:00:00Z"));
        var audit = new LeakAudit(RuleSet.own());
        try (ImageStore store = ImageStore.open(root.resolve("store"))) {
            StoredImage image = store.make(
                    Optional.empty(), List.of(layers), ImageLeaksTest::config, ImageReference.parse("shop:1"));
            ImageLeaks.scan(scanner, "shop:1", store.config(image), use -> store.readLayers(image, use), audit);
        }
        return audit.conclude(
                List.of("shop:1"), LocalDate.of(2026, 1, 1), Severity.HIGH, Optional.empty(), Optional.empty());
    }

    private static List<String> places(Report report) {
        return report.findings().stream()
                .map(finding -> finding.location().orElseThrow().toString())
                .toList();
    }

    @Test
    void variables_labels_history_and_layers_are_scanned() throws IOException {
        Report report = scanned(layer("etc/app.ini", "a\nkey: " + TOKEN), layer("f", "x"), layer("g", STRIPE));

        assertThat(places(report))
                .containsExactlyInAnyOrder(
                        "shop:1 env DB_PASSWORD:1:1",
                        "shop:1 label build.token:1:14",
                        "shop:1 history 4:1:11",
                        "shop:1 layer 1!/etc/app.ini:2:6",
                        "shop:1 layer 3!/g:1:1");
        String text = ReportFormat.JSON.write(report);
        assertThat(text)
                .contains("the layer was made by: COPY app.ini /etc/")
                .doesNotContain("hunter22", TOKEN.substring(8), STRIPE.substring(10));
        // the instruction itself holds a secret
        assertThat(text).contains("the layer was made by: RUN …").doesNotContain("RUN login");
    }

    @Test
    void a_file_that_a_later_layer_removes_or_replaces_is_found_in_its_own() throws IOException {
        Report report = scanned(
                layer("etc/app.ini", "key: " + TOKEN, "opt/a/b", TOKEN, "srv/c", TOKEN, "kept", TOKEN),
                layer("etc/.wh.app.ini", "", "opt/a/.wh..wh..opq", ""),
                layer("./srv/c", "empty"));

        assertThat(report.findings())
                .filteredOn(finding -> finding.message().contains("hides the file"))
                .extracting(
                        finding -> finding.location().orElseThrow().file(),
                        finding -> finding.message().replaceAll(".*; layer (\\d) hides.*", "$1"))
                .containsExactlyInAnyOrder(
                        tuple("shop:1 layer 1!/etc/app.ini", "2"),
                        tuple("shop:1 layer 1!/opt/a/b", "2"),
                        tuple("shop:1 layer 1!/srv/c", "3"));
        assertThat(places(report)).contains("shop:1 layer 1!/kept:1:1");
    }
}
