package dev.caisson.hostaudit.facts;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Judges directories and files of the host by what somebody inside a container could do with them.
public final class HostDirectories {
    /// The harm of an exposed directory.
    public enum Exposure {
        NONE,
        READ,
        /// It can be read, and holds what only root may know.
        SECRET,
        WRITE
    }

    /// Directories whose writers are root on the host, or can stop it.
    private static final List<String> SENSITIVE = List.of(
            "/bin",
            "/boot",
            "/etc",
            "/lib",
            "/lib32",
            "/lib64",
            "/libx32",
            "/proc",
            "/root",
            "/sbin",
            "/sys",
            "/usr",
            "/var/lib/caisson",
            "/var/lib/containerd",
            "/var/lib/containers",
            "/var/lib/docker",
            "/var/lib/dpkg",
            "/var/lib/kubelet",
            "/var/lib/rancher",
            "/var/lib/rpm",
            "/var/lib/systemd",
            "/var/spool/cron");

    /// Directories of which many a part is harmless: the whole and those parts are not.
    private static final List<String> WHOLE = List.of("/", "/dev", "/home", "/run", "/var", "/var/lib", "/var/run");

    private static final Pattern PART = Pattern.compile("/dev/shm(?:/.*)?"
            + "|/home/[^/]+(?:/(?:\\.(?:ssh|aws|azure|kube|docker|gnupg|password-store|netrc|git-credentials|bashrc|profile)"
            + "|\\.config/(?:gcloud|containers|systemd|autostart))(?:/.*)?)?"
            + "|/(?:var/)?run/(?:caisson|containerd|containers|credentials|crio|cron|dbus|docker|initctl|k3s|libpod|libvirt"
            + "|lock|lxd|netns|podman|secrets|sshd|sudo|systemd|udev|user|utmp)(?:[/.].*)?");

    /// Directories of passwords, keys and everybody's files.
    private static final Pattern SECRET =
            Pattern.compile("/|/etc|/etc/g?shadow-?|/etc/(?:docker|kubernetes|ssh|ssl|sudoers.*)"
                    + "|/etc/ssl/private(?:/.*)?|/root(?:/.*)?|/home(?:/.*)?|/proc|/run|/var|/var/lib"
                    + "|/var/lib/(?:containerd|containers|docker|kubelet|rancher)(?:/.*)?");

    /// The kernel's log of programs, which takes messages and gives none.
    private static final Pattern SINK =
            Pattern.compile("/dev/log|/run/systemd/journal/(?:dev-log|socket|stdout|syslog)");

    /// Directories that every account of the host may read and that hold no secret: time zones, names, certificates of
    /// authorities, modules and sources of the kernel.
    private static final List<String> PUBLIC = List.of(
            "/etc/alternatives",
            "/etc/ca-certificates",
            "/etc/debian_version",
            "/etc/fonts",
            "/etc/group",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/localtime",
            "/etc/lsb-release",
            "/etc/machine-id",
            "/etc/nsswitch.conf",
            "/etc/os-release",
            "/etc/passwd",
            "/etc/pki/ca-trust",
            "/etc/pki/tls/certs",
            "/etc/protocols",
            "/etc/resolv.conf",
            "/etc/services",
            "/etc/ssl/cert.pem",
            "/etc/ssl/certs",
            "/etc/timezone",
            "/lib/modules",
            "/run/systemd/resolve/resolv.conf",
            "/run/systemd/resolve/stub-resolv.conf",
            "/run/udev",
            "/sys/fs/cgroup",
            "/usr/lib/locale",
            "/usr/lib/modules",
            "/usr/lib/os-release",
            "/usr/local/share/ca-certificates",
            "/usr/share",
            "/usr/src");

    /// The small program that `--init` makes process 1.
    private static final Pattern INIT = Pattern.compile(".*/(?:docker-init|tini|tini-static|catatonit|dumb-init)");
    private static final Set<String> INIT_POINTS =
            Set.of("/sbin/docker-init", "/usr/sbin/docker-init", "/dev/init", "/run/podman-init", "/catatonit");

    private HostDirectories() {}

    /// Directories by whose names a mount is called, wherever else the host has what it leads to.
    /// @param dataRoots of engines
    public static List<String> marks(List<String> dataRoots) {
        return Stream.of(SENSITIVE.stream(), WHOLE.stream().filter(path -> !path.equals("/")), dataRoots.stream())
                .flatMap(paths -> paths)
                .filter(path -> path.startsWith("/") && path.length() > 1)
                .distinct()
                .toList();
    }

    /// Returns what a mounted directory of the host exposes.
    /// @param dataRoots of engines
    public static Exposure of(String host, boolean readOnly, List<String> dataRoots) {
        if (SINK.matcher(host).matches() || (readOnly && isPublic(host)) || isVolume(host, dataRoots)) {
            return Exposure.NONE;
        }
        boolean sensitive = WHOLE.contains(host)
                || PART.matcher(host).matches()
                || Stream.concat(SENSITIVE.stream(), dataRoots.stream())
                        .anyMatch(
                                directory -> HostPaths.isBelow(host, directory) || HostPaths.isBelow(directory, host));
        return !sensitive ? Exposure.NONE : exposed(host, readOnly);
    }

    /// Returns what a sensitive directory exposes.
    public static Exposure exposed(String host, boolean readOnly) {
        return !readOnly ? Exposure.WRITE : SECRET.matcher(host).matches() ? Exposure.SECRET : Exposure.READ;
    }

    private static boolean isPublic(String host) {
        return PUBLIC.stream().anyMatch(path -> HostPaths.isBelow(host, path));
    }

    /// A volume that an engine keeps is its containers' own, and may be shared by several.
    private static boolean isVolume(String host, List<String> dataRoots) {
        return dataRoots.stream().anyMatch(root -> {
            String volumes = root + "/volumes/";
            if (!host.startsWith(volumes)) {
                return false;
            }
            String[] parts = host.substring(volumes.length()).split("/", 3);
            return parts.length > 1 && parts[1].equals("_data");
        });
    }

    /// The program of `--init`, which cannot be changed from inside.
    public static boolean isInit(String host, String point, boolean readOnly) {
        return readOnly && INIT_POINTS.contains(point) && INIT.matcher(host).matches();
    }

    /// The container whose files an engine gives to another one that joins its namespaces: name resolution and shared
    /// memory. Empty for anything else.
    public static Optional<String> ownerOfShared(String host, String point) {
        String file = point.startsWith("/etc/") ? point.substring("/etc/".length()) : "";
        boolean names = Set.of("resolv.conf", "hosts", "hostname").contains(file) && host.endsWith("/" + file);
        boolean memory = point.equals("/dev/shm") && host.endsWith("/shm");
        return names || memory ? owner(host) : Optional.empty();
    }

    private static final Pattern OWNED =
            Pattern.compile(".*/(?:containers/|overlay-containers/)([0-9a-f]{64})/(?:userdata/|mounts/)?[^/]+");

    private static Optional<String> owner(String host) {
        var owned = OWNED.matcher(host);
        return owned.matches() ? Optional.of(owned.group(1)) : Optional.empty();
    }
}
