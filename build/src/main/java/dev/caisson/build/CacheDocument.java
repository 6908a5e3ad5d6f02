package dev.caisson.build;

import dev.caisson.image.Digest;
import dev.caisson.image.LayerCache;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The list of results of steps that a cache outside the store has: the configuration of a manifest of its own, or a
/// part of an image's.
final class CacheDocument {
    static final String TYPE = "application/vnd.dev.caisson.build-cache.v1+json";
    static final String MEMBER = "dev.caisson.build-cache.v1";

    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();
    private static final Json.Limits LIMITS = new Json.Limits(4 << 20, 32, 200_000);
    private static final Pattern KEY = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

    /// A result of a step.
    ///
    /// @param layer digest of the layer as it is kept
    /// @param diffId digest of the uncompressed layer
    record Entry(String key, Digest layer, Digest diffId, Instant created) {}

    private CacheDocument() {}

    /// Writes a configuration.
    static byte[] write(List<Entry> entries) {
        return JSON.toJson(Map.of("results", fields(entries))).getBytes(StandardCharsets.UTF_8);
    }

    static List<Object> fields(List<Entry> entries) {
        var all = new ArrayList<Object>();
        for (Entry entry : entries) {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("key", entry.key());
            fields.put("layer", entry.layer().toString());
            fields.put("diffId", entry.diffId().toString());
            fields.put("created", entry.created().toString());
            all.add(fields);
        }
        return all;
    }

    /// Reads what a place has: of a cache's own configuration, or of an image's.
    /// @return empty if the image names no results
    /// @throws BuildException BUILD_CACHE
    static Optional<List<Entry>> read(LayerCache cache) {
        try {
            Map<String, @Nullable Object> document =
                    Json.parse(cache.config(), LIMITS) instanceof Map<?, ?> map ? Json.members(map) : Map.of();
            Object results = document.get(cache.configType().equals(TYPE) ? "results" : MEMBER);
            if (results == null) {
                return Optional.empty();
            }
            if (!(results instanceof List<?> list)) {
                throw bad();
            }
            return Optional.of(list.stream().map(CacheDocument::entry).toList());
        } catch (MalformedJsonException | DateTimeException e) {
            throw bad();
        }
    }

    private static Entry entry(@Nullable Object from) {
        Map<String, @Nullable Object> fields = from instanceof Map<?, ?> map ? Json.members(map) : Map.of();
        return new Entry(
                text(fields, "key", KEY),
                digest(fields, "layer"),
                digest(fields, "diffId"),
                Instant.parse(text(fields, "created", Pattern.compile("[0-9:TZ.-]{20,30}"))));
    }

    private static Digest digest(Map<String, @Nullable Object> fields, String name) {
        return new Digest(text(fields, name, DIGEST).substring("sha256:".length()));
    }

    private static String text(Map<String, @Nullable Object> fields, String name, Pattern pattern) {
        if (fields.get(name) instanceof String text && pattern.matcher(text).matches()) {
            return text;
        }
        throw bad();
    }

    private static BuildException bad() {
        return new BuildException("BUILD_CACHE", "its list of results is damaged: write it again by --cache-to");
    }
}
