package dev.caisson.spec;

/// The name of a directory that the engine keeps for containers: a workspace or a volume.
public sealed interface SharedName permits WorkspaceName, VolumeName {
    String value();

    /// Returns the word for what has the name.
    default String kind() {
        return switch (this) {
            case WorkspaceName _ -> "workspace";
            case VolumeName _ -> "volume";
        };
    }
}
