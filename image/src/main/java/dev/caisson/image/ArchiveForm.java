package dev.caisson.image;

/// The form of an archive of images.
public enum ArchiveForm {
    /// That of `docker save`, which is an OCI layout too: `manifest.json` beside `index.json`.
    DOCKER,
    /// A packed OCI image layout.
    OCI
}
