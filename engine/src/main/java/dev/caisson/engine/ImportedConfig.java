package dev.caisson.engine;

import dev.caisson.image.Digest;
import dev.caisson.image.Platform;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The configuration of an image that is made of a root file system.
final class ImportedConfig {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    private final Map<String, @Nullable Object> run = new LinkedHashMap<>();
    private final String comment;

    /// @throws EngineException CHANGE_REFUSED
    ImportedConfig(ImportOptions how, String source) {
        var changes = new ConfigChanges(run);
        how.changes().forEach(changes::apply);
        this.comment = how.message().orElse("Imported from " + source);
    }

    /// Returns it, JSON of the OCI image specification.
    byte[] with(List<Digest> layers) {
        String now = Instant.now().truncatedTo(ChronoUnit.MICROS).toString();
        Platform here = Platform.running();
        var config = new LinkedHashMap<String, @Nullable Object>();
        config.put("created", now);
        config.put("architecture", here.architecture());
        if (!here.variant().isEmpty()) {
            config.put("variant", here.variant());
        }
        config.put("os", here.os());
        config.put("config", run);
        config.put(
                "rootfs",
                Map.of(
                        "type",
                        "layers",
                        "diff_ids",
                        layers.stream().map(Digest::toString).toList()));
        config.put("history", List.of(Map.of("created", now, "comment", comment)));
        return JSON.toJson(config).getBytes(StandardCharsets.UTF_8);
    }
}
