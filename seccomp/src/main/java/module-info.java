import org.jspecify.annotations.NullMarked;

/// Seccomp profiles as data and as programs: reads Docker's and the OCI's JSON, compiles it to a classic BPF filter,
/// and says what a filter decides. Pure computation, but for a cache of files: it loads no filter and needs no
/// privilege.
@NullMarked
module dev.caisson.seccomp {
    requires transitive dev.caisson.error;
    requires dev.caisson.linux;
    requires dev.caisson.text;
    requires static transitive org.jspecify;

    exports dev.caisson.seccomp;
}
