package dev.caisson.engine;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.Pipes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;

/// The host's side of a copy. Every name is one component below a directory that is held open, and no link is
/// followed, whatever the container or a user of the host does meanwhile.
final class HostCopy {
    /// Permissions that a copy keeps: no set-user-ID and no set-group-ID.
    static final int KEPT_MODE = 01777;

    private static final int NEW_FILE =
            FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_WRONLY | FileSystem.O_NOFOLLOW;

    private HostCopy() {}

    static String nameOf(Path absolute) {
        Path name = absolute.getFileName();
        if (name == null) {
            throw FileFailures.path(absolute.toString(), "it names no file");
        }
        return name.toString();
    }

    /// Opens the directory above. Links that lead there are the caller's; one that somebody puts there from
    /// now on is not followed.
    static Fd directoryOf(Path absolute) throws IOException {
        Path above = absolute.getParent();
        Path path = above == null ? Path.of("/") : above;
        String real = Files.exists(path) ? path.toRealPath().toString() : path.toString();
        return HostFailures.call(
                path.toString(), () -> FileSystem.openWithoutLinks(real, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY));
    }

    static Fd open(Fd above, String name, int flags, String shown) {
        return HostFailures.call(
                shown,
                () -> FileSystem.openAt(
                        above,
                        name,
                        FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK | flags,
                        0,
                        FileSystem.RESOLVE_BENEATH));
    }

    /// Reads a regular file of the host.
    static final class FileStream extends InputStream {
        private final Fd file;
        private final String shown;

        FileStream(Fd file, String shown) {
            this.file = file;
            this.shown = shown;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            byte[] chunk = new byte[length];
            int count = HostFailures.call(shown, () -> Pipes.read(file, chunk));
            if (count <= 0) {
                return -1;
            }
            System.arraycopy(chunk, 0, into, offset, count);
            return count;
        }
    }

    /// A new file of the host, under a name of its own until it is complete.
    static final class NewFile implements AutoCloseable {
        private final Fd above;
        private final String name;
        private final String shown;
        private final String made;
        private final Fd file;
        private boolean named;

        NewFile(Fd above, String name, String shown) {
            this.above = above;
            this.name = name;
            this.shown = shown;
            this.made = String.format(
                    Locale.ROOT,
                    ".caisson-%016x",
                    ByteBuffer.wrap(KernelRandom.bytes(Long.BYTES)).getLong());
            this.file = HostFailures.call(
                    shown, () -> FileSystem.openAt(above, made, NEW_FILE, 0600, FileSystem.RESOLVE_BENEATH));
        }

        void write(byte[] bytes, int length) {
            HostFailures.run(shown, () -> {
                for (int done = 0; done < length; ) {
                    done += Pipes.write(file, bytes, done, length - done);
                }
            });
        }

        /// Gives it its name, in place of a file or link that has it.
        void complete(Looks looks) {
            HostFailures.run(shown, () -> {
                looks.apply(file);
                looks.date(above, made);
                FileSystem.rename(above, made, above, name, true);
            });
            named = true;
        }

        @Override
        public void close() {
            file.close();
            if (!named) {
                removeIfThere(above, made, shown);
            }
        }
    }

    /// The owner, permissions and time that a copy on the host gets.
    ///
    /// @param owned whether it gets an owner
    record Looks(boolean owned, int uid, int gid, int mode, Instant modified) {
        static Looks of(FileEntry entry, CopyOptions options) {
            return new Looks(
                    options.owner() == CopyOptions.Owner.SOURCE,
                    entry.uid(),
                    entry.gid(),
                    entry.mode() & KEPT_MODE,
                    entry.modified());
        }

        void date(Fd above, String name) {
            long seconds = modified.getEpochSecond();
            int nanos = modified.getNano();
            FileSystem.changeTime(above, name, seconds, nanos);
        }

        /// The owner comes first: a change of it may take permissions away.
        void apply(Fd file) {
            if (owned) {
                FileSystem.changeOwner(file, uid, gid);
            }
            FileSystem.changeMode(file, mode);
        }
    }

    static void removeIfThere(Fd above, String name, String shown) {
        HostFailures.run(shown, () -> {
            try {
                FileSystem.removeFile(above, name);
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
            }
        });
    }

    static FileStatus status(Fd above, String name, String shown) {
        return HostFailures.call(shown, () -> FileSystem.status(above, name));
    }
}
