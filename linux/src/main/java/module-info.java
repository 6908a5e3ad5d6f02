import org.jspecify.annotations.NullMarked;

/// The kernel's interface as typed Java: file descriptors, mounts, sockets with descriptor passing, processes by
/// pidfd, terminals, epoll. The only room that touches `java.lang.foreign`; it holds no policy and joins no paths.
@NullMarked
module dev.caisson.linux {
    requires static transitive org.jspecify;
    requires transitive dev.caisson.error;

    exports dev.caisson.linux;
}
