import org.jspecify.annotations.NullMarked;

/// Values that an embedder writes and reads: the spec of a container with its limits, mounts and devices, and
/// what a container has used. Values alone, checked when they are made; nothing here starts, judges or plans
/// anything.
@NullMarked
module dev.caisson.spec {
    requires transitive dev.caisson.image;
    requires transitive dev.caisson.seccomp;
    requires transitive dev.caisson.secret;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires static org.jspecify;

    exports dev.caisson.spec;
}
