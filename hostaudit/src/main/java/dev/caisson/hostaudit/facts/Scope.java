package dev.caisson.hostaudit.facts;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Selects what is collected, and where.
///
/// @param socket the engine's API by a path of this process; the host's usual places are tried if it is empty
/// @param hostRoot where the host's root directory is mounted
/// @param caissonState the state directory of Caisson's own engine; empty to leave its containers out
/// @param caissonNetworks the directory of records of its networks; empty where it has none
/// @param target `container:NAME` or `image:REFERENCE`; everything if it is empty
/// @param liveFilters reads system call filters from the kernel, which stops each process for a moment
/// @param second when it is collected, seconds since 1970
public record Scope(
        Optional<Path> socket,
        Path hostRoot,
        Optional<Path> caissonState,
        Optional<Path> caissonNetworks,
        Optional<String> target,
        boolean liveFilters,
        long second) {
    public static final List<Path> USUAL_SOCKETS =
            List.of(Path.of("/run/docker.sock"), Path.of("/var/run/docker.sock"), Path.of("/run/podman/podman.sock"));

    /// Returns the host's own name of a path of this process.
    public Path asHostHasIt(Path path) {
        return hostRoot.getNameCount() > 0 && path.startsWith(hostRoot)
                ? Path.of("/").resolve(hostRoot.relativize(path))
                : path;
    }

    /// The target without its kind.
    public String targetName() {
        String text = target.orElse("");
        return text.substring(text.indexOf(':') + 1);
    }
}
