import org.jspecify.annotations.NullMarked;

/// A gate for HTTPS requests of one container: it ends their TLS with a certificate made for that container, puts a
/// secret in that the container never has, and asks the real server. Talks to nobody but the container and the servers
/// that it was given.
@NullMarked
@SuppressWarnings("module") // the one that it is exported to is compiled later
module dev.caisson.gate {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.error;
    requires dev.caisson.linux;
    requires dev.caisson.seccomp;
    requires dev.caisson.text;
    requires transitive dev.caisson.secret;
    requires transitive dev.caisson.spec;

    exports dev.caisson.gate to
            dev.caisson.cli,
            dev.caisson.engine;
}
