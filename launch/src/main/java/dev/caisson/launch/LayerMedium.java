package dev.caisson.launch;

/// The medium of a writable layer, and its bound.
public enum LayerMedium {
    /// A directory on the host's disk, by the quota that its file system has for projects.
    PROJECT,
    /// An ext4 file system in a file without a name, by its size.
    IMAGE,
    /// A tmpfs, by its size; counts against the memory limit.
    MEMORY
}
