package dev.caisson.image;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Finds the first difference of two trees: names, types, permissions, owners, sizes, times, device numbers,
/// links, extended attributes and content. Times of directories are left out, as an archive need not have them; so
/// are the attributes that the kernel's overlay keeps for itself.
final class TreeDifference {
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int BUFFER = 128 << 10;
    private static final Set<String> OF_THE_KERNEL = Set.of(
            LayerTrees.USED,
            "trusted.overlay.origin",
            "trusted.overlay.impure",
            "trusted.overlay.uuid",
            "trusted.overlay.nlink");

    private final byte[] one = new byte[BUFFER];
    private final byte[] other = new byte[BUFFER];

    private TreeDifference() {}

    /// Compares two trees.
    /// @param stored what is there
    /// @param expected what should be
    /// @return the path and what differs of it; empty if they are the same
    static Optional<String> first(Fd stored, Fd expected) {
        return new TreeDifference().directory(stored, expected, "");
    }

    private Optional<String> directory(Fd stored, Fd expected, String path) {
        Optional<String> own = attributes(stored, expected, path.isEmpty() ? "/" : path);
        if (own.isPresent()) {
            return own;
        }
        Set<String> there = new HashSet<>(DirectoryEntries.of(stored));
        Set<String> wanted = new HashSet<>(DirectoryEntries.of(expected));
        var names = new TreeSet<>(there);
        names.addAll(wanted);
        for (String name : names) {
            String below = path + "/" + name;
            if (!wanted.contains(name)) {
                return Optional.of(below + " is not of the image");
            }
            if (!there.contains(name)) {
                return Optional.of(below + " is missing");
            }
            Optional<String> difference = entry(stored, expected, name, below);
            if (difference.isPresent()) {
                return difference;
            }
        }
        return Optional.empty();
    }

    private Optional<String> entry(Fd stored, Fd expected, String name, String path) {
        FileStatus there;
        try {
            there = FileSystem.status(stored, name);
        } catch (ErrnoException e) {
            return Optional.of(path + " cannot be read (" + e.getMessage() + ")");
        }
        FileStatus wanted = FileSystem.status(expected, name);
        Optional<String> difference = status(there, wanted, path);
        if (difference.isPresent()) {
            return difference;
        }
        if (wanted.isSymbolicLink()) {
            boolean isSame = FileSystem.readLink(stored, name).equals(FileSystem.readLink(expected, name));
            return isSame ? Optional.empty() : Optional.of(path + " leads somewhere else");
        }
        if (!wanted.isDirectory() && !wanted.isRegularFile()) {
            return Optional.empty();
        }
        int flags = wanted.isDirectory() ? DIRECTORY : FILE;
        try (Fd left = FileSystem.openAt(stored, name, flags, 0, BENEATH);
                Fd right = FileSystem.openAt(expected, name, flags, 0, BENEATH)) {
            return wanted.isDirectory()
                    ? directory(left, right, path)
                    : attributes(left, right, path).or(() -> content(left, right, path));
        }
    }

    private static Optional<String> status(FileStatus there, FileStatus wanted, String path) {
        if (there.mode() != wanted.mode()) {
            return Optional.of(path + " has the mode " + Integer.toOctalString(there.mode()) + " in place of "
                    + Integer.toOctalString(wanted.mode()));
        }
        if (there.uid() != wanted.uid() || there.gid() != wanted.gid()) {
            return Optional.of(path + " belongs to " + there.uid() + ":" + there.gid() + " in place of " + wanted.uid()
                    + ":" + wanted.gid());
        }
        if (wanted.isDirectory()) {
            return Optional.empty();
        }
        if (wanted.isCharacterDevice()) { // mostly what hides a name, which the kernel makes at any time, in any number
            boolean isSame = there.deviceMajor() == wanted.deviceMajor() && there.deviceMinor() == wanted.deviceMinor();
            return isSame ? Optional.empty() : Optional.of(path + " is another device");
        }
        if (there.size() != wanted.size()) {
            return Optional.of(path + " has " + there.size() + " bytes in place of " + wanted.size());
        }
        if (there.links() != wanted.links()) {
            return Optional.of(path + " has " + there.links() + " names in place of " + wanted.links());
        }
        return there.modified().equals(wanted.modified())
                ? Optional.empty()
                : Optional.of(path + " was modified at " + there.modified() + " in place of " + wanted.modified());
    }

    private static Optional<String> attributes(Fd stored, Fd expected, String path) {
        List<String> there = attributes(stored);
        if (!there.equals(attributes(expected))) {
            return Optional.of(path + " has other extended attributes");
        }
        for (String name : there) {
            byte[] left = ExtendedAttributes.get(stored, name).orElse(null);
            byte[] right = ExtendedAttributes.get(expected, name).orElse(null);
            if (!Objects.deepEquals(left, right)) {
                return Optional.of(path + " has another value of " + name);
            }
        }
        return Optional.empty();
    }

    private static List<String> attributes(Fd file) {
        return ExtendedAttributes.names(file).stream()
                .filter(name -> !OF_THE_KERNEL.contains(name))
                .sorted()
                .toList();
    }

    private Optional<String> content(Fd stored, Fd expected, String path) {
        for (long done = 0; ; ) {
            int left = FileContent.readAt(stored, one, done);
            int right = FileContent.readAt(expected, other, done);
            if (left != right || !Arrays.equals(one, 0, left, other, 0, right)) {
                return Optional.of(path + " has other content");
            }
            if (left == 0) {
                return Optional.empty();
            }
            done += left;
        }
    }
}
