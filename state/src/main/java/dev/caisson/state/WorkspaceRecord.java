package dev.caisson.state;

import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.Fd;
import dev.caisson.spec.WorkspaceName;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What is written down of a workspace.
///
/// @param bytes that its files may take
/// @param inodes that they may be
public record WorkspaceRecord(WorkspaceName name, long bytes, long inodes, LayerMedium medium, Instant created) {
    static final String FILE = "workspace.json";

    void write(Fd directory) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("bytes", bytes);
        fields.put("inodes", inodes);
        fields.put("medium", medium.name());
        fields.put("createdMillis", created.toEpochMilli());
        KeptFile.write(directory, FILE, fields);
    }

    /// Empty if it is not there, or not as this version writes it.
    static Optional<WorkspaceRecord> read(Fd directory, WorkspaceName name) {
        return KeptFile.read(
                directory,
                FILE,
                fields -> new WorkspaceRecord(
                        name,
                        KeptFile.number(fields, "bytes"),
                        KeptFile.number(fields, "inodes"),
                        LayerMedium.valueOf(KeptFile.text(fields, "medium")),
                        Instant.ofEpochMilli(KeptFile.number(fields, "createdMillis"))));
    }
}
