package dev.caisson.state;

import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.Fd;
import dev.caisson.spec.SharedName;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What is written down of a workspace or volume.
///
/// @param bytes that its files may take
/// @param inodes that they may be
/// @param anonymous whether its name was made up for one container
/// @param sized whether somebody asked for its size
public record SharedRecord(
        SharedName name,
        long bytes,
        long inodes,
        LayerMedium medium,
        Instant created,
        Map<String, String> labels,
        boolean anonymous,
        boolean sized) {
    public SharedRecord {
        labels = Map.copyOf(labels);
    }

    void write(Fd directory, SharedKind kind) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("bytes", bytes);
        fields.put("inodes", inodes);
        fields.put("medium", medium.name());
        fields.put("createdMillis", created.toEpochMilli());
        if (kind == SharedKind.VOLUME) {
            fields.put("labels", labels);
            fields.put("anonymous", anonymous);
            fields.put("sized", sized);
        }
        KeptFile.write(directory, kind.record(), fields);
    }

    /// Empty if it is not there, or not as this version writes it.
    static Optional<SharedRecord> read(Fd directory, SharedKind kind, SharedName name) {
        return KeptFile.read(
                directory,
                kind.record(),
                fields -> new SharedRecord(
                        name,
                        KeptFile.number(fields, "bytes"),
                        KeptFile.number(fields, "inodes"),
                        LayerMedium.valueOf(KeptFile.text(fields, "medium")),
                        Instant.ofEpochMilli(KeptFile.number(fields, "createdMillis")),
                        labels(fields),
                        Boolean.TRUE.equals(fields.get("anonymous")),
                        Boolean.TRUE.equals(fields.get("sized"))));
    }

    private static Map<String, String> labels(Map<?, ?> fields) {
        var labels = new LinkedHashMap<String, String>();
        if (fields.get("labels") instanceof Map<?, ?> found) {
            found.forEach((key, value) -> labels.put((String) key, (String) value));
        }
        return labels;
    }
}
