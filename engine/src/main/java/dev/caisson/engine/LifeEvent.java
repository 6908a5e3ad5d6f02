package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptFile;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Something that happened to a container, an image, a network or a volume, in Docker's words.
///
/// @param action of a container as `create`, `start`, `die`, `oom`, `kill`, `stop`, `restart`, `pause`, `unpause`,
///     `rename`, `update`, `destroy`, `exec_create: COMMAND`, `exec_start: COMMAND`, `exec_die`,
///     `health_status: healthy|unhealthy`; `egress_denied`, with `domain`, `address`, `port`, `protocol` and `reason`;
///     `gate_ended`, with `reason`; `secret_stale`, with `secret` and `reason`; of an image `pull`, `push`, `tag`,
///     `untag`, `delete`, `import`, `load` or `save`; of a network `create`, `connect`, `disconnect` or `destroy`; of a
///     volume `create` or `destroy`
/// @param id of the container, the image or the network, or a name: of a volume, or of an image that was pulled or
///     pushed
/// @param attributes of a container `name` and `image` first, then those of the action, as `exitCode` and `signal`,
///     then its labels; of a network `name`, `type` and the id of the `container`
public record LifeEvent(Instant time, Kind kind, String action, String id, Map<String, String> attributes) {
    /// The kind of thing that an event is about.
    public enum Kind {
        CONTAINER,
        IMAGE,
        NETWORK,
        VOLUME;

        /// Returns Docker's word for it.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int LONGEST = 256;
    private static final int MOST_ATTRIBUTES = 10;
    private static final long NANOS = 1_000_000_000;
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    public LifeEvent {
        present(time, "time");
        present(kind, "kind");
        present(action, "action");
        present(id, "id");
        present(attributes, "attributes");
        attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes)); // in their order
    }

    LifeEvent(Instant time, String action, ContainerId id, Map<String, String> attributes) {
        this(time, Kind.CONTAINER, action, id.value(), attributes);
    }

    /// The line of it in the journal; texts of the user are cut where they are long, labels left out where they are
    /// many.
    String line() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("seconds", time.getEpochSecond());
        fields.put("nanos", (long) time.getNano());
        fields.put("action", cut(action));
        fields.put("id", cut(id));
        if (kind != Kind.CONTAINER) {
            fields.put("kind", kind.word());
        }
        var told = new LinkedHashMap<String, String>();
        attributes.entrySet().stream()
                .limit(MOST_ATTRIBUTES)
                .forEach(entry -> told.put(cut(entry.getKey()), cut(entry.getValue())));
        fields.put("attributes", told);
        return JSON.toJson(fields);
    }

    private static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 1) + "…";
    }

    /// Empty if the line was not written whole.
    static Optional<LifeEvent> parse(String line) {
        try {
            if (!(Json.parse(line.getBytes(StandardCharsets.UTF_8), Json.Limits.DEFAULT) instanceof Map<?, ?> fields)
                    || !(fields.get("attributes") instanceof Map<?, ?> found)) {
                return Optional.empty();
            }
            var attributes = new LinkedHashMap<String, String>();
            found.forEach((key, value) -> attributes.put((String) key, (String) value));
            long nanos = KeptFile.number(fields, "nanos");
            Kind kind = fields.get("kind") instanceof String word
                    ? Kind.valueOf(word.toUpperCase(Locale.ROOT))
                    : Kind.CONTAINER;
            String id = KeptFile.text(fields, "id");
            return Optional.of(new LifeEvent(
                    Instant.ofEpochSecond(KeptFile.number(fields, "seconds"), Math.floorMod(nanos, NANOS)),
                    kind,
                    KeptFile.text(fields, "action"),
                    kind == Kind.CONTAINER ? new ContainerId(id).value() : id,
                    attributes));
        } catch (MalformedJsonException
                | ArgumentException
                | DateTimeException
                | IllegalArgumentException
                | ClassCastException e) {
            return Optional.empty();
        }
    }
}
