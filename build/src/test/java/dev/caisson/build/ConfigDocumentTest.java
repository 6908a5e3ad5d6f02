package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Platform;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigDocumentTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");

    private static ConfigDocument full() {
        Settings settings = Plans.settings(
                "FROM scratch",
                "ENV A=1 B=\"x y\"",
                "LABEL l=\"quo\\\"ted\"",
                "EXPOSE 80",
                "VOLUME /v",
                "WORKDIR /w",
                "USER u:g",
                "SHELL [\"/b\"]",
                "STOPSIGNAL SIGUSR1",
                "HEALTHCHECK --interval=5s --retries=2 CMD true",
                "ONBUILD RUN x",
                "ENTRYPOINT [\"/e\"]",
                "CMD [\"c\"]",
                "MAINTAINER somebody");
        return ConfigDocument.scratch(Platform.running())
                .settings(settings)
                .and("RUN x", "sha256:" + "a".repeat(64), TIME)
                .and("ENV A=1");
    }

    @Test
    void a_configuration_is_read_as_it_was_written() {
        ConfigDocument document = full();
        byte[] json = document.toJson();
        ConfigDocument again = ConfigDocument.parse(json);
        assertThat(new String(again.toJson(), StandardCharsets.UTF_8))
                .isEqualTo(new String(json, StandardCharsets.UTF_8));
        assertThat(again.history()).isEqualTo(document.history());
        assertThat(again.diffIds()).containsExactly("sha256:" + "a".repeat(64));
        assertThat(again.created()).isEqualTo(TIME);
        assertThat(again.settings().labels()).isEqualTo(Map.of("l", "quo\"ted"));
        assertThat(again.settings().volumes()).containsExactly("/v");
        assertThat(again.settings().triggers()).containsExactly("RUN x");
    }

    @Test
    void names_are_those_of_docker() {
        String json = new String(full().toJson(), StandardCharsets.UTF_8);
        assertThat(json)
                .contains("\"Env\":[\"A=1\",\"B=x y\"]")
                .contains("\"ExposedPorts\":{\"80/tcp\":{}}")
                .contains("\"Volumes\":{\"/v\":{}}")
                .contains("\"WorkingDir\":\"/w\"")
                .contains("\"User\":\"u:g\"")
                .contains("\"Entrypoint\":[\"/e\"]")
                .contains("\"Cmd\":[\"c\"]")
                .contains("\"OnBuild\":[\"RUN x\"]")
                .contains("\"StopSignal\":\"SIGUSR1\"")
                .contains("\"Shell\":[\"/b\"]")
                .contains("\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":5000000000,\"Retries\":2}")
                .contains("\"author\":\"somebody\"")
                .contains("\"created\":\"2026-01-02T03:04:05Z\"")
                .contains("\"created_by\":\"ENV A=1\",\"empty_layer\":true");
    }

    @Test
    void what_a_base_leaves_out_is_empty() {
        ConfigDocument document = ConfigDocument.parse("{\"rootfs\":{}}".getBytes(StandardCharsets.UTF_8));
        assertThat(document.settings().environment()).isEmpty();
        assertThat(document.settings().health()).isEmpty();
        assertThat(document.diffIds()).isEqualTo(List.of());
        assertThat(document.created()).isEqualTo(Instant.EPOCH);
        assertThatThrownBy(() -> ConfigDocument.parse(new byte[] {'{'})).hasMessageContaining("no JSON");
    }
}
