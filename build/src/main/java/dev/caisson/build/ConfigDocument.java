package dev.caisson.build;

import dev.caisson.build.Settings.Health;
import dev.caisson.image.ImageConfig;
import dev.caisson.image.Platform;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The configuration of an image as the OCI image specification has it (`config.md`), with what Docker adds.
///
/// @param history one entry for each instruction, those without a layer too
/// @param diffIds lowest layer first
record ConfigDocument(
        Settings settings, List<History> history, List<String> diffIds, Instant created, Platform platform) {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();
    private static final Json.Limits LIMITS = new Json.Limits(4 << 20, 32, 200_000);

    /// One line of an image's history.
    record History(Instant created, String createdBy, boolean emptyLayer) {}

    public ConfigDocument {
        history = List.copyOf(history);
        diffIds = List.copyOf(diffIds);
    }

    /// The configuration of an image without files: a search path and `/`, as other builders give it.
    static ConfigDocument scratch(Platform platform) {
        Settings settings = Settings.scratch()
                .environment(Map.of("PATH", ImageConfig.DEFAULT_PATH))
                .workingDirectory("/");
        return new ConfigDocument(settings, List.of(), List.of(), Instant.EPOCH, platform);
    }

    // ---- reading

    /// Reads that of a base image.
    /// @throws BuildException BUILD_BASE
    static ConfigDocument parse(byte[] json) {
        try {
            Map<String, @Nullable Object> document =
                    Json.parse(json, LIMITS) instanceof Map<?, ?> map ? Json.members(map) : Map.of();
            Map<String, @Nullable Object> config = object(document, "config");
            return new ConfigDocument(
                    settings(config, document),
                    history(document),
                    texts(object(document, "rootfs"), "diff_ids"),
                    instant(document),
                    new Platform(text(document, "os"), text(document, "architecture"), text(document, "variant")));
        } catch (MalformedJsonException e) {
            throw new BuildException(
                    "BUILD_BASE", null, "the configuration of the base image is no JSON: pull it again", e);
        }
    }

    private static Settings settings(Map<String, @Nullable Object> config, Map<String, @Nullable Object> document) {
        var environment = new LinkedHashMap<String, String>();
        for (String pair : texts(config, "Env")) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                environment.put(pair.substring(0, equals), pair.substring(equals + 1));
            }
        }
        Settings settings = Settings.scratch()
                .environment(environment)
                .labels(labels(config))
                .ports(keys(config, "ExposedPorts"))
                .volumes(keys(config, "Volumes"))
                .workingDirectory(text(config, "WorkingDir"))
                .user(text(config, "User"))
                .shell(texts(config, "Shell"))
                .stopSignal(text(config, "StopSignal"))
                .author(text(document, "author"))
                .inherited(texts(config, "Entrypoint"), texts(config, "Cmd"));
        for (String trigger : texts(config, "OnBuild")) {
            settings = settings.trigger(trigger);
        }
        Map<String, @Nullable Object> health = object(config, "Healthcheck");
        return texts(health, "Test").isEmpty() ? settings : settings.health(health(health));
    }

    private static Health health(Map<String, @Nullable Object> health) {
        return new Health(
                texts(health, "Test"),
                number(health, "Interval"),
                number(health, "Timeout"),
                number(health, "StartPeriod"),
                number(health, "StartInterval"),
                (int) number(health, "Retries"));
    }

    private static List<History> history(Map<String, @Nullable Object> document) {
        var history = new ArrayList<History>();
        if (document.get("history") instanceof List<?> entries) {
            for (Object entry : entries) {
                if (entry instanceof Map<?, ?> map) {
                    Map<String, @Nullable Object> fields = Json.members(map);
                    history.add(new History(
                            instant(fields),
                            text(fields, "created_by"),
                            Boolean.TRUE.equals(fields.get("empty_layer"))));
                }
            }
        }
        return history;
    }

    private static Map<String, @Nullable Object> object(Map<String, @Nullable Object> from, String key) {
        return from.get(key) instanceof Map<?, ?> map ? Json.members(map) : Map.of();
    }

    private static String text(Map<String, @Nullable Object> from, String key) {
        return from.get(key) instanceof String text ? text : "";
    }

    private static long number(Map<String, @Nullable Object> from, String key) {
        return from.get(key) instanceof Number number ? number.longValue() : 0;
    }

    private static List<String> texts(Map<String, @Nullable Object> from, String key) {
        var texts = new ArrayList<String>();
        if (from.get(key) instanceof List<?> list) {
            for (Object item : list) {
                if (item instanceof String text) {
                    texts.add(text);
                }
            }
        }
        return texts;
    }

    private static List<String> keys(Map<String, @Nullable Object> from, String key) {
        return List.copyOf(object(from, key).keySet());
    }

    private static Map<String, String> labels(Map<String, @Nullable Object> config) {
        var labels = new LinkedHashMap<String, String>();
        object(config, "Labels").forEach((key, value) -> {
            if (value instanceof String text) {
                labels.put(key, text);
            }
        });
        return labels;
    }

    private static Instant instant(Map<String, @Nullable Object> from) {
        try {
            return Instant.parse(text(from, "created"));
        } catch (DateTimeParseException e) {
            return Instant.EPOCH; // an image need not say when it was made
        }
    }

    // ---- writing

    /// Returns it as JSON; the same bytes for the same configuration.
    byte[] toJson() {
        return toJson(Map.of());
    }

    /// @param more members beside those of the specification
    byte[] toJson(Map<String, Object> more) {
        var document = new LinkedHashMap<String, Object>();
        document.put("architecture", platform.architecture());
        if (!platform.variant().isEmpty()) {
            document.put("variant", platform.variant());
        }
        document.put("os", platform.os());
        if (!settings.author().isEmpty()) {
            document.put("author", settings.author());
        }
        document.put("created", created.toString());
        document.put("config", config());
        var rootfs = new LinkedHashMap<String, Object>();
        rootfs.put("type", "layers");
        rootfs.put("diff_ids", diffIds);
        document.put("rootfs", rootfs);
        document.put("history", history.stream().map(ConfigDocument::fields).toList());
        document.putAll(more);
        return JSON.toJson(document).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> fields(History entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("created", entry.created().toString());
        fields.put("created_by", entry.createdBy());
        if (entry.emptyLayer()) {
            fields.put("empty_layer", true);
        }
        return fields;
    }

    private Map<String, Object> config() {
        var config = new LinkedHashMap<String, Object>();
        putText(config, "User", settings.user());
        putKeys(config, "ExposedPorts", List.copyOf(settings.ports()));
        config.put(
                "Env",
                settings.environment().entrySet().stream()
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .toList());
        putTexts(config, "Entrypoint", settings.entrypoint());
        putTexts(config, "Cmd", settings.command());
        settings.health().ifPresent(health -> config.put("Healthcheck", fields(health)));
        putKeys(config, "Volumes", List.copyOf(settings.volumes()));
        putText(config, "WorkingDir", settings.workingDirectory());
        putTexts(config, "OnBuild", settings.triggers());
        if (!settings.labels().isEmpty()) {
            config.put("Labels", settings.labels());
        }
        putText(config, "StopSignal", settings.stopSignal());
        putTexts(config, "Shell", settings.shell());
        return config;
    }

    private static Map<String, Object> fields(Health health) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Test", health.test());
        putNumber(fields, "Interval", health.interval());
        putNumber(fields, "Timeout", health.timeout());
        putNumber(fields, "StartPeriod", health.startPeriod());
        putNumber(fields, "StartInterval", health.startInterval());
        putNumber(fields, "Retries", health.retries());
        return fields;
    }

    private static void putText(Map<String, Object> into, String key, String value) {
        if (!value.isEmpty()) {
            into.put(key, value);
        }
    }

    private static void putTexts(Map<String, Object> into, String key, List<String> value) {
        if (!value.isEmpty()) {
            into.put(key, value);
        }
    }

    private static void putNumber(Map<String, Object> into, String key, long value) {
        if (value != 0) {
            into.put(key, value);
        }
    }

    private static void putKeys(Map<String, Object> into, String key, List<String> names) {
        if (!names.isEmpty()) {
            var keys = new LinkedHashMap<String, Object>();
            names.forEach(name -> keys.put(name, Map.of()));
            into.put(key, keys);
        }
    }

    // ---- changing

    ConfigDocument settings(Settings value) {
        return new ConfigDocument(value, history, diffIds, created, platform);
    }

    /// Adds an instruction that made no layer.
    ConfigDocument and(String createdBy) {
        return withHistory(new History(created, createdBy, true), diffIds, created);
    }

    /// Adds an instruction that made a layer.
    ConfigDocument and(String createdBy, String diffId, Instant time) {
        var ids = new ArrayList<>(diffIds);
        ids.add(diffId);
        return withHistory(new History(time, createdBy, false), ids, time);
    }

    private ConfigDocument withHistory(History entry, List<String> ids, Instant time) {
        var all = new ArrayList<>(history);
        all.add(entry);
        return new ConfigDocument(settings, all, ids, time, platform);
    }

    /// Returns the last layer, if it has any.
    Optional<String> lastDiffId() {
        return diffIds.isEmpty() ? Optional.empty() : Optional.of(diffIds.getLast());
    }
}
