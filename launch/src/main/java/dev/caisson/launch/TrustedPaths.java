package dev.caisson.launch;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Parts of the host that others trust, or through which the host is steered. A container gets none of them as a
/// volume, not even to read, without [dev.caisson.spec.Allowance#HOST_PATHS].
public final class TrustedPaths {
    private static final List<Path> EVERYWHERE = Stream.of(
                    "/proc",
                    "/sys",
                    "/dev",
                    "/boot",
                    "/etc",
                    "/root",
                    "/run",
                    "/var/run",
                    "/usr",
                    "/bin",
                    "/sbin",
                    "/lib",
                    "/lib64",
                    "/snap",
                    "/nix",
                    "/gnu",
                    "/var/lib/caisson",
                    "/var/lib/docker",
                    "/var/lib/containers",
                    "/var/lib/containerd",
                    "/var/lib/kubelet",
                    "/var/lib/rancher",
                    "/var/lib/etcd",
                    "/var/lib/systemd",
                    "/var/lib/dpkg",
                    "/var/lib/apt",
                    "/var/cache/apt",
                    "/var/lib/rpm",
                    "/var/lib/dnf",
                    "/var/cache/dnf",
                    "/var/lib/zypp",
                    "/var/lib/pacman",
                    "/var/cache/pacman",
                    "/var/lib/portage",
                    "/var/lib/snapd",
                    "/var/lib/flatpak",
                    "/var/spool/at",
                    "/var/spool/cron")
            .map(Path::of)
            .toList();

    public static final TrustedPaths OF_ANY_HOST = new TrustedPaths(List.of());

    private final List<Path> paths;

    /// Paths that every host has, and those that belong to an engine.
    ///
    /// @param own absolute: its state, its data, its own program
    public TrustedPaths(Collection<Path> own) {
        var all = new ArrayList<>(EVERYWHERE);
        for (Path path : own) {
            all.add(path.toAbsolutePath().normalize());
            real(path).ifPresent(all::add);
        }
        this.paths = List.copyOf(all);
    }

    private static Optional<Path> real(Path path) {
        try {
            return Optional.of(path.toRealPath());
        } catch (IOException e) {
            return Optional.empty(); // it is not there yet
        }
    }

    /// True for one of them, for what is below one, and for what holds one: a socket is reached through its parent.
    ///
    /// @param real without links
    boolean touches(Path real) {
        for (Path path : paths) {
            if (real.startsWith(path) || path.startsWith(real)) {
                return true;
            }
        }
        return real.toString().endsWith(".sock");
    }
}
