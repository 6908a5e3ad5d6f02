package dev.caisson.image;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.security.MessageDigest;

/// One thing in a tree that is made from nothing: parents before children, nothing there before.
sealed interface SkeletonEntry {
    /// Relative to the root of the tree, without `.` and `..`.
    String path();

    void write(Fd tree);

    /// Feeds all that [#write] would write, unambiguously.
    void addTo(MessageDigest hash);

    record Directory(String path, int mode) implements SkeletonEntry {
        @Override
        public void write(Fd tree) {
            FileSystem.makeDirectory(tree, path, mode);
            try (Fd made = FileSystem.openAt(
                    tree,
                    path,
                    FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                    0,
                    FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS)) {
                FileSystem.changeMode(made, mode);
            }
        }

        @Override
        public void addTo(MessageDigest hash) {
            add(hash, "directory", path, Integer.toString(mode));
        }
    }

    /// A regular file.
    final class File implements SkeletonEntry {
        private final String path;
        private final int mode;
        private final byte[] content;

        File(String path, int mode, byte[] content) {
            this.path = path;
            this.mode = mode;
            this.content = content.clone();
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public void write(Fd tree) {
            try (Fd made = FileSystem.openAt(
                    tree,
                    path,
                    FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL,
                    mode,
                    FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS)) {
                FileSystem.write(made, content);
                FileSystem.changeMode(made, mode);
            }
        }

        @Override
        public void addTo(MessageDigest hash) {
            add(hash, "file", path, mode + " " + content.length);
            hash.update(content);
        }
    }

    record Link(String path, String target) implements SkeletonEntry {
        @Override
        public void write(Fd tree) {
            FileSystem.makeSymbolicLink(tree, path, target);
        }

        @Override
        public void addTo(MessageDigest hash) {
            add(hash, "link", path, target);
        }
    }

    private static void add(MessageDigest hash, String... words) {
        for (String word : words) {
            hash.update(ByteText.bytes(word));
            hash.update((byte) 0);
        }
    }
}
