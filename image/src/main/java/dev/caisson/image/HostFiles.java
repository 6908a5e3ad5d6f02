package dev.caisson.image;

import dev.caisson.image.SkeletonEntry.Directory;
import dev.caisson.image.SkeletonEntry.File;
import dev.caisson.image.SkeletonEntry.Link;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// Lists files of the host's `/etc` that programs in `/usr` need: the loader's cache, the alternatives, time
/// zone, public certificates, and the configuration that Java, Python and Perl are split off into. A file or
/// directory that not everybody may read is left out, so a password or key that stands among them stays
/// outside.
final class HostFiles {
    /// A file or directory as it was when it was read.
    ///
    /// @param status none where it did not exist
    record Stamp(String path, Optional<FileStatus> status) {
        static Stamp of(Fd host, String path) {
            return new Stamp(path, HostFiles.status(host, path));
        }

        boolean holds(Fd host) {
            Optional<FileStatus> now = HostFiles.status(host, path);
            return now.isPresent() == status.isPresent()
                    && (now.isEmpty() || isSame(now.orElseThrow(), status.orElseThrow()));
        }

        /// True if a file is unchanged: every change of it sets its time. Compared field by field, because the equality
        /// of a record is made when it is first asked for, and a command is short.
        private static boolean isSame(FileStatus one, FileStatus other) {
            return one.inode() == other.inode()
                    && one.fileSystem() == other.fileSystem()
                    && one.mode() == other.mode()
                    && one.size() == other.size()
                    && one.changed().equals(other.changed());
        }
    }

    private static final List<String> NAMES = List.of(
            "alternatives",
            "crypto-policies",
            "debian_version",
            "fonts",
            "java",
            "ld.so.cache",
            "ld.so.conf",
            "ld.so.conf.d",
            "locale.alias",
            "localtime",
            "magic",
            "mime.types",
            "os-release",
            "perl",
            "protocols",
            "rpc",
            "services",
            "terminfo",
            "timezone");
    /// Version numbers follow: `java-21-openjdk`, `python3.13`.
    private static final List<String> PREFIXES = List.of("java-", "python3");

    /// Not their parents: `/etc/ssl/private` and `/etc/pki/tls/private` hold keys.
    private static final List<String> BELOW = List.of(
            "etc/ssl/certs", "etc/ssl/openssl.cnf", "etc/pki/ca-trust/extracted", "etc/pki/tls/certs", "etc/pki/java");

    private static final int LARGEST_FILE = 16 << 20;
    private static final int DEEPEST = 16;
    private static final int READABLE_BY_ALL = 0004;
    private static final int SEARCHABLE_BY_ALL = 0005;

    private final Fd host;
    private final List<SkeletonEntry> entries = new ArrayList<>();
    private final List<Stamp> stamps = new ArrayList<>();

    HostFiles(Fd host) {
        this.host = host;
        stamps.add(Stamp.of(host, "etc"));
        for (String name : etc()) {
            take("etc/" + name, 1);
        }
        for (String path : BELOW) {
            takeWithParents(path);
        }
    }

    List<SkeletonEntry> entries() {
        return Collections.unmodifiableList(entries);
    }

    List<Stamp> stamps() {
        return Collections.unmodifiableList(stamps);
    }

    private List<String> etc() {
        var names = new ArrayList<>(NAMES);
        list("etc").stream()
                .filter(name -> PREFIXES.stream().anyMatch(name::startsWith))
                .sorted()
                .forEach(names::add);
        return names;
    }

    private void takeWithParents(String path) {
        if (status(host, path).isEmpty()) {
            stamps.add(new Stamp(path, Optional.empty()));
            return;
        }
        for (int slash = path.indexOf('/', 4); slash > 0; slash = path.indexOf('/', slash + 1)) {
            entries.add(new Directory(path.substring(0, slash), 0755));
        }
        take(path, 1);
    }

    private void take(String path, int depth) {
        Optional<FileStatus> found = status(host, path);
        if (depth == 1 || found.map(status -> !status.isSymbolicLink()).orElse(false)) {
            stamps.add(new Stamp(path, found));
        }
        if (found.isEmpty()) {
            return;
        }
        FileStatus status = found.orElseThrow();
        if (status.isSymbolicLink()) {
            entries.add(new Link(path, FileSystem.readLink(host, path)));
        } else if (status.isDirectory()) {
            if (depth < DEEPEST && (status.permissions() & SEARCHABLE_BY_ALL) == SEARCHABLE_BY_ALL) {
                entries.add(new Directory(path, 0755));
                list(path).stream().sorted().forEach(name -> take(path + "/" + name, depth + 1));
            }
        } else if (status.isRegularFile() && (status.permissions() & READABLE_BY_ALL) != 0) {
            takeFile(path, status);
        }
    }

    private void takeFile(String path, FileStatus status) {
        if (status.size() > LARGEST_FILE) {
            return;
        }
        try (Fd file = FileSystem.openAt(
                host, path, FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW, 0, FileSystem.RESOLVE_IN_ROOT)) {
            int mode = (status.permissions() & 0111) != 0 ? 0755 : 0644;
            entries.add(new File(path, mode, FileSystem.read(file, LARGEST_FILE)));
        }
    }

    private List<String> list(String path) {
        try (Fd directory = FileSystem.openAt(
                host, path, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_IN_ROOT)) {
            return DirectoryEntries.of(directory);
        }
    }

    private static Optional<FileStatus> status(Fd host, String path) {
        try {
            return Optional.of(FileSystem.status(host, path));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
