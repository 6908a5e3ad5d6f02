import org.jspecify.annotations.NullMarked;

/// Images, from a name to a root file system: the host's own `/usr`, an unpacked directory, an OCI
/// layout, a Docker archive. What an image brings is hostile: it is read with bounds, unpacked through
/// held descriptors, and its configuration and accounts are parsed by exact tables. Usable alone,
/// without an engine.
@NullMarked
@SuppressWarnings("module") // the one that the decoders are exported to is compiled later
module dev.caisson.image {
    requires transitive dev.caisson.linux;
    requires dev.caisson.text;
    requires java.net.http;
    requires static org.jspecify;

    exports dev.caisson.image;
    exports dev.caisson.image.bzip2 to
            dev.caisson.scan;
    exports dev.caisson.image.xz to
            dev.caisson.scan;
    exports dev.caisson.image.zstd to
            dev.caisson.scan;
}
