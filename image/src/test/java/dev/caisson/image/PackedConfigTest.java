package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What an image's configuration says, and what it may not say.
class PackedConfigTest {
    private static final String DIFF = "sha256:" + "ab".repeat(32);

    private static String document(String run, String platform, String diffs) {
        return "{" + platform + ",\"rootfs\":{\"diff_ids\":[" + diffs + "]},\"config\":{" + run + "}}";
    }

    private static String here() {
        return "\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture() + "\"";
    }

    private static PackedConfig parse(String document) {
        return PackedConfig.parse(document.getBytes(StandardCharsets.UTF_8));
    }

    private static ImageConfig config(String run) {
        return parse(document(run, here(), "\"" + DIFF + "\"")).config();
    }

    private static void assertRefused(Code code, String sentence, String document) {
        var refused = catchThrowableOfType(ImageException.class, () -> parse(document));
        assertThat(refused).isNotNull().hasMessageContaining(sentence);
        assertThat(refused.reason()).isEqualTo(code);
    }

    @Test
    void everything_that_is_said_is_read() {
        ImageConfig config = config("""
                "Entrypoint":["/a"],"Cmd":["b","c"],"Env":["X=1","Y=a=b","X=2","PATH=/x"],"User":"me:us","WorkingDir":"/w",
                "ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"Labels":{"l":"m"},"StopSignal":"SIGUSR1",
                "Healthcheck":{"Test":["CMD","t"],"Interval":1,"Timeout":2,"StartPeriod":3,"StartInterval":4,"Retries":5}""");

        assertThat(config.entrypoint()).containsExactly("/a");
        assertThat(config.cmd()).containsExactly("b", "c");
        assertThat(config.env()).containsOnly(Map.entry("X", "2"), Map.entry("Y", "a=b"), Map.entry("PATH", "/x"));
        assertThat(config.user()).isEqualTo("me:us");
        assertThat(config.workingDir()).isEqualTo("/w");
        assertThat(config.stopSignal()).contains("SIGUSR1");
        ImageHealth health = config.health().orElseThrow();
        assertThat(health.test()).containsExactly("CMD", "t");
        assertThat(List.of(health.interval(), health.timeout(), health.startPeriod(), health.startInterval()))
                .containsExactly(Duration.ofNanos(1), Duration.ofNanos(2), Duration.ofNanos(3), Duration.ofNanos(4));
        assertThat(health.retries()).isEqualTo(5);
    }

    @Test
    void what_is_not_said_has_its_default() {
        PackedConfig packed = parse(document("", here(), "\"" + DIFF + "\""));

        assertThat(packed.healthCheck()).isEmpty();
        assertThat(packed.config().env()).containsOnly(Map.entry("PATH", ImageConfig.DEFAULT_PATH));
        assertThat(packed.config().workingDir()).isEqualTo("/");
        assertThat(packed.config().stopSignal()).isEmpty();
        assertThat(packed.config().health()).isEmpty();
        assertThat(packed.diffIds()).containsExactly(new Digest("ab".repeat(32)));
        assertThat(config("\"WorkingDir\":\"w\"").workingDir()).isEqualTo("/w");
        assertThat(parse(document("\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"]}", here(), "\"" + DIFF + "\""))
                        .healthCheck())
                .containsExactly("CMD", "t");
    }

    @Test
    void a_line_of_a_health_check_is_run_by_the_shell_that_the_image_names() {
        String line = "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a && b\"]}";
        String words = "\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"]}";
        String shell = ",\"Shell\":[\"/bin/ash\",\"-ec\"]";

        assertThat(config(line).health().orElseThrow().test()).containsExactly("CMD-SHELL", "a && b");
        assertThat(config(line + shell).health().orElseThrow().test())
                .containsExactly("CMD", "/bin/ash", "-ec", "a && b");
        assertThat(config(words + shell).health().orElseThrow().test()).containsExactly("CMD", "t");
    }

    @Test
    void retries_are_bounded_and_zero_durations_pass() {
        String large = "\"Healthcheck\":{\"Interval\":0,\"Retries\":" + (Integer.MAX_VALUE + 1L) + "}";

        assertThat(config(large).health().orElseThrow().retries()).isEqualTo(Integer.MAX_VALUE);
    }

    static Stream<Arguments> refused() {
        String diff = "\"" + DIFF + "\"";
        String most = String.join(",", Collections.nCopies(ManifestDocument.MOST_LAYERS + 1, diff));
        return Stream.of(
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "NUL character in Entrypoint",
                        document("\"Entrypoint\":[\"a\\u0000\"]", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "NUL character in Cmd",
                        document("\"Cmd\":[\"a\",\"\\u0000b\"]", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST, "NUL character in Env", document("\"Env\":[\"a=\\u0000\"]", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST, "NUL character in User", document("\"User\":\"a\\u0000\"", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "NUL character in WorkingDir",
                        document("\"WorkingDir\":\"/\\u0000\"", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "NUL character in StopSignal",
                        document("\"StopSignal\":\"\\u0000\"", here(), diff)),
                Arguments.of(Code.BAD_MANIFEST, "without a name or value", document("\"Env\":[\"=b\"]", here(), diff)),
                Arguments.of(Code.BAD_MANIFEST, "without a name or value", document("\"Env\":[\"b\"]", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "negative Timeout",
                        document("\"Healthcheck\":{\"Timeout\":-1}", here(), diff)),
                Arguments.of(
                        Code.BAD_MANIFEST,
                        "negative Retries",
                        document("\"Healthcheck\":{\"Retries\":-1}", here(), diff)),
                Arguments.of(Code.BAD_MANIFEST, "has no layers", document("", here(), "")),
                Arguments.of(Code.BAD_MANIFEST, "has no rootfs", "{" + here() + "}"),
                Arguments.of(Code.BAD_MANIFEST, "a manifest too", "{" + here() + ",\"layers\":[]}"),
                Arguments.of(Code.BAD_MANIFEST, "a manifest too", "{" + here() + ",\"manifests\":[]}"),
                Arguments.of(Code.TOO_LARGE, "layers", document("", here(), most)),
                Arguments.of(
                        Code.PLATFORM_MISSING,
                        "this host is linux/",
                        here().replace("linux", "plan9").replaceFirst("^", "{") + "}"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void what_makes_no_sense_is_refused(Code code, String sentence, String document) {
        assertRefused(code, sentence, document);
    }

    @Test
    void as_many_layers_as_may_be_pass() {
        String most = String.join(",", Collections.nCopies(ManifestDocument.MOST_LAYERS, "\"" + DIFF + "\""));

        assertThat(parse(document("", here(), most)).diffIds()).hasSize(ManifestDocument.MOST_LAYERS);
    }

    @ParameterizedTest
    @CsvSource({"'',true", "v1,true", "v3,false"})
    void a_variant_that_not_every_machine_has_does_not_run_here(String variant, boolean runs) {
        Platform here = Platform.running();

        assertThat(new Platform("linux", here.architecture(), variant).runsHere())
                .isEqualTo(runs);
        assertThat(new Platform("linux", "other", variant).runsHere()).isFalse();
        assertThat(new Platform("other", here.architecture(), variant).runsHere())
                .isFalse();
    }

    @Test
    void the_machine_that_runs_is_named_as_go_does() {
        String before = System.getProperty("os.arch");
        try {
            System.setProperty("os.arch", "aarch64");
            assertThat(Platform.running()).hasToString("linux/arm64");
            assertThat(new Platform("linux", "arm64", "v8").runsHere()).isTrue();
            System.setProperty("os.arch", "amd64");
            assertThat(Platform.running()).hasToString("linux/amd64");
            System.setProperty("os.arch", "riscv64");
            assertThat(Platform.running()).hasToString("linux/riscv64");
        } finally {
            System.setProperty("os.arch", before);
        }
    }
}
