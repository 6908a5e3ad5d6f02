package dev.caisson.engine;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// Copies trees between a container and the host. On the host every name is one component below a
/// directory that is held open, and no link is followed, whatever the container or a user of the host
/// does meanwhile.
final class HostCopy {
    private static final int DEPTH = 100;
    private static final int MOST_ENTRIES = 1_000_000;
    private static final int RWX = 0777;
    private static final int NEW_FILE =
            FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_WRONLY | FileSystem.O_NOFOLLOW;

    private HostCopy() {}

    private static String nameOf(Path absolute, Path given) {
        Path name = absolute.getFileName();
        if (name == null) {
            throw FileFailures.path(given.toString(), "it names no file");
        }
        return name.toString();
    }

    private static Fd directoryOf(Path absolute) {
        Path above = absolute.getParent();
        return FileSystem.open(above == null ? "/" : above.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    // ---- into the container ----

    /// @param path of the file or directory that is made
    static void in(Path host, ServedFiles files, String path) throws IOException {
        Path absolute = host.toAbsolutePath().normalize();
        try (Fd above = Failures.call(() -> directoryOf(absolute))) {
            new In(files).entry(above, nameOf(absolute, host), path, 0);
        }
    }

    private static final class In {
        private final ServedFiles files;
        private int entries;

        In(ServedFiles files) {
            this.files = files;
        }

        private void entry(Fd above, String name, String path, int depth) throws IOException {
            if (depth > DEPTH || ++entries > MOST_ENTRIES) {
                throw FileFailures.of(Errno.E2BIG, path);
            }
            FileStatus status = Failures.call(() -> FileSystem.status(above, name));
            if (status.isSymbolicLink()) {
                files.link(path, Failures.call(() -> FileSystem.readLink(above, name)));
            } else if (status.isDirectory()) {
                directory(above, name, path, depth);
            } else if (status.isRegularFile()) {
                file(above, name, path);
            } else {
                throw FileFailures.of(Errno.ENXIO, name);
            }
        }

        private void directory(Fd above, String name, String path, int depth) throws IOException {
            try (Fd own = open(above, name, FileSystem.O_DIRECTORY)) {
                FileStatus status = FileSystem.status(own);
                files.directory(path, status.permissions() & RWX, Optional.empty());
                for (String entry : DirectoryEntries.of(own)) {
                    entry(own, entry, path + "/" + entry, depth + 1);
                }
            }
        }

        private void file(Fd above, String name, String path) throws IOException {
            try (Fd own = open(above, name, 0)) {
                FileStatus status = FileSystem.status(own);
                if (!status.isRegularFile()) {
                    throw FileFailures.of(Errno.ENXIO, name);
                }
                var how = new ServedFiles.Put(
                        status.permissions() & RWX, Optional.of(status.modified()), FileFlags.MODE | FileFlags.REPLACE);
                files.put(path, new FileStream(own), Long.MAX_VALUE, how);
            }
        }

        private static Fd open(Fd above, String name, int flags) {
            return Failures.call(() -> FileSystem.openAt(
                    above,
                    name,
                    FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK | flags,
                    0,
                    FileSystem.RESOLVE_BENEATH));
        }
    }

    /// Reads a regular file of the host.
    private static final class FileStream extends InputStream {
        private final Fd file;

        FileStream(Fd file) {
            this.file = file;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            byte[] chunk = new byte[length];
            int count = Failures.call(() -> Pipes.read(file, chunk));
            if (count <= 0) {
                return -1;
            }
            System.arraycopy(chunk, 0, into, offset, count);
            return count;
        }
    }

    // ---- out of the container ----

    /// Copies out, never more than so many bytes.
    static final class Out {
        private final ServedFiles files;
        private long left;
        private int entries;

        Out(ServedFiles files, long limit) {
            this.files = files;
            this.left = limit;
        }

        void copy(String path, Path host) throws IOException {
            FileEntry entry = files.stat(path);
            Path absolute = host.toAbsolutePath().normalize();
            try (Fd above = Failures.call(() -> directoryOf(absolute))) {
                entry(entry, path, above, nameOf(absolute, host), 0);
            }
        }

        private void entry(FileEntry entry, String path, Fd above, String name, int depth) throws IOException {
            if (depth > DEPTH || ++entries > MOST_ENTRIES) {
                throw FileFailures.of(Errno.E2BIG, path);
            }
            switch (entry.type()) {
                case FILE -> file(entry, path, above, name);
                case DIRECTORY -> directory(entry, path, above, name, depth);
                case LINK -> link(path, above, name);
                case SPECIAL -> {
                    if (depth == 0) {
                        throw FileFailures.of(Errno.ENXIO, path);
                    }
                }
            }
        }

        private void file(FileEntry entry, String path, Fd above, String name) throws IOException {
            try (Fd from = files.open(path)) {
                makeRoom(above, name);
                try (Fd to = Failures.call(
                        () -> FileSystem.openAt(above, name, NEW_FILE, 0600, FileSystem.RESOLVE_BENEATH))) {
                    left -= ServedFiles.copy(from, new FileSink(to), left, path);
                    Instant modified = entry.modified();
                    long seconds = modified.getEpochSecond();
                    int nanos = modified.getNano();
                    Failures.run(() -> {
                        FileSystem.changeMode(to, entry.mode() & RWX);
                        FileSystem.changeTime(above, name, seconds, nanos);
                    });
                }
            }
        }

        private void directory(FileEntry entry, String path, Fd above, String name, int depth) throws IOException {
            boolean there = Failures.call(() -> FileSystem.isDirectory(above, name));
            try (Fd own = Failures.call(() -> FileSystem.openOrMakeDirectory(above, name, 0700))) {
                for (FileEntry below : files.list(path)) {
                    entry(below, path + "/" + below.name(), own, below.name(), depth + 1);
                }
                if (!there) {
                    Failures.run(() -> FileSystem.changeMode(own, entry.mode() & RWX));
                }
            }
        }

        private void link(String path, Fd above, String name) {
            String target = files.stat(path).target().orElseThrow(() -> FileFailures.of(Errno.EBUSY, path));
            makeRoom(above, name);
            Failures.run(() -> FileSystem.makeSymbolicLink(above, name, target));
        }

        /// What is there goes, a link itself, unless it is a directory.
        private static void makeRoom(Fd above, String name) {
            Failures.run(() -> {
                try {
                    FileSystem.removeFile(above, name);
                } catch (ErrnoException e) {
                    if (!e.is(Errno.ENOENT)) {
                        throw e;
                    }
                }
            });
        }
    }

    private static final class FileSink extends OutputStream {
        private final Fd file;

        FileSink(Fd file) {
            this.file = file;
        }

        @Override
        public void write(int one) {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            Failures.run(() -> {
                for (int done = 0; done < length; ) {
                    done += Pipes.write(file, bytes, offset + done, length - done);
                }
            });
        }
    }
}
