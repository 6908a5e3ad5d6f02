package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.SkeletonEntry.Directory;
import dev.caisson.image.SkeletonEntry.File;
import dev.caisson.image.SkeletonEntry.Link;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The small tree around the host's `/usr` that makes it a root file system: the links that stand beside `/usr`, empty
/// directories, and an `/etc` of its own. Of the host's `/etc` only what [HostFiles] lists is taken, and of that only
/// what everybody may read.
final class HostSkeleton {
    /// The host's file tree at one moment.
    ///
    /// @param version changes with anything that [#write] would write
    record Snapshot(Digest version, List<HostBind> binds, List<HostFiles.Stamp> stamps) {
        Snapshot {
            binds = List.copyOf(binds);
            stamps = List.copyOf(stamps);
        }

        private boolean holds(Fd host) {
            for (HostFiles.Stamp stamp : stamps) {
                if (!stamp.holds(host)) {
                    return false;
                }
            }
            return !stamps.isEmpty();
        }
    }

    private record Scan(Map<String, SkeletonEntry> entries, Snapshot snapshot) {}

    /// Raised when code here or in [HostFiles] changes what is written for the same host.
    static final String FORMAT = "host skeleton 1";

    private static final List<String> SHELLS = List.of("sh", "bash", "dash", "zsh");
    private static final List<String> BESIDE_USR = List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");
    private static final List<String> EMPTY = List.of(
            "dev",
            "etc",
            "home",
            "mnt",
            "opt",
            "proc",
            "run",
            "srv",
            "sys",
            "usr",
            "var",
            "var/cache",
            "var/lib",
            "var/log",
            "var/opt",
            "var/spool");
    private static final List<String> WRITABLE_BY_ALL = List.of("run/lock", "tmp", "var/tmp");

    private final Path path;
    private final HostSnapshotFile file;
    private volatile Optional<Snapshot> latest = Optional.empty();

    /// @param host the root whose `/usr` is shown
    /// @param file where processes tell each other what they saw of it
    HostSkeleton(Path host, HostSnapshotFile file) {
        this.path = host;
        this.file = file;
    }

    /// The host as it is; cheap where nothing changed since the last call.
    Snapshot snapshot() {
        Optional<Snapshot> known = latest.or(file::read);
        try (Fd host = open()) {
            if (known.isPresent() && known.orElseThrow().holds(host)) {
                latest = known;
                return known.orElseThrow();
            }
            Snapshot fresh = scan(host).snapshot();
            latest = Optional.of(fresh);
            file.write(fresh);
            return fresh;
        }
    }

    /// Writes the tree of `version` into an empty directory.
    /// @throws ImageException STORE_REFUSED where the host is another one than in the snapshot
    void write(Digest version, Fd tree) {
        Scan scan;
        try (Fd host = open()) {
            scan = scan(host);
        }
        if (!scan.snapshot().version().equals(version)) {
            throw new ImageException(
                    Code.STORE_REFUSED, "the host's /etc changed while the host image was made; try again");
        }
        scan.entries().values().forEach(entry -> entry.write(tree));
    }

    private Fd open() {
        return FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }

    private Scan scan(Fd host) {
        var entries = new TreeMap<String, SkeletonEntry>();
        var binds = new ArrayList<HostBind>();
        binds.add(new HostBind(path.resolve("usr"), "usr"));
        EMPTY.forEach(name -> put(entries, new Directory(name, 0755)));
        WRITABLE_BY_ALL.forEach(name -> put(entries, new Directory(name, 01777)));
        put(entries, new Directory("root", 0700));
        put(entries, new Link("var/run", "/run"));
        put(entries, new Link("var/lock", "/run/lock"));
        BESIDE_USR.forEach(name -> besideUsr(host, name, entries, binds));
        HostAccounts.files().forEach(file -> put(entries, file));
        put(entries, new File("etc/shells", 0644, bytes(shells(host))));
        var files = new HostFiles(host);
        files.entries().forEach(entry -> entries.putIfAbsent(entry.path(), entry));
        var stamps = new ArrayList<>(files.stamps());
        BESIDE_USR.forEach(name -> stamps.add(HostFiles.Stamp.of(host, name)));
        SHELLS.forEach(name -> stamps.add(HostFiles.Stamp.of(host, "bin/" + name)));
        return new Scan(entries, new Snapshot(version(entries, binds), binds, stamps));
    }

    /// A host with merged /usr has links there; on another one the directories are shown like /usr.
    private void besideUsr(Fd host, String name, Map<String, SkeletonEntry> entries, List<HostBind> binds) {
        FileStatus status;
        try {
            status = FileSystem.status(host, name);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return;
            }
            throw e;
        }
        if (status.isSymbolicLink()) {
            put(entries, new Link(name, FileSystem.readLink(host, name)));
        } else if (status.isDirectory()) {
            put(entries, new Directory(name, 0755));
            binds.add(new HostBind(path.resolve(name), name));
        }
    }

    private static String shells(Fd host) {
        return SHELLS.stream()
                .filter(shell -> InRoot.isExecutableFile(host, "bin/" + shell))
                .map(shell -> "/bin/" + shell + "\n")
                .reduce("", String::concat);
    }

    private static Digest version(Map<String, SkeletonEntry> entries, List<HostBind> binds) {
        var hash = Digest.algorithm();
        hash.update(bytes(FORMAT + "\0" + binds + "\0"));
        entries.values().forEach(entry -> entry.addTo(hash));
        return Digest.finish(hash.digest());
    }

    private static void put(Map<String, SkeletonEntry> entries, SkeletonEntry entry) {
        entries.put(entry.path(), entry);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
