package dev.caisson.image;

import java.nio.file.Path;

/// A directory of the host that belongs to the image, with all that is mounted below it, always read-only.
///
/// @param source absolute, on the host
/// @param target in the root file system, relative to it: an empty directory of the layer
public record HostBind(Path source, String target) {}
