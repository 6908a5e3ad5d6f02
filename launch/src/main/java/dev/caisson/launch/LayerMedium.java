package dev.caisson.launch;

/// What a writable layer is kept in, and by what it is bounded.
public enum LayerMedium {
    /// A directory on the host's disk, by the quota that its file system has for projects.
    PROJECT,
    /// An ext4 file system in a file without a name, by its size.
    IMAGE,
    /// A tmpfs, by its size; counts against the memory limit.
    MEMORY
}
