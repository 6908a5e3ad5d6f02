package dev.caisson.secret;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.SecretException.Code;
import java.nio.file.Path;
import java.util.Arrays;

/// A file that only its owner may read.
final class PrivateFile {
    private static final int OF_OTHERS = 077;

    private PrivateFile() {}

    /// Reads all of it.
    ///
    /// @param what the file is, for the error
    /// @throws SecretException with the code, if it is missing, larger, not a regular file, open to others, or of
    ///     neither root nor the caller; SECRET_INVALID if it is empty
    static SecretValue read(Path path, int most, Code code, String what) {
        int flags = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY;
        try (Fd file = FileSystem.open(path.toString(), flags)) {
            FileStatus status = FileSystem.status(file);
            if (!status.isRegularFile() || (status.permissions() & OF_OTHERS) != 0) {
                throw new SecretException(
                        code,
                        "the " + what + " " + path + " is not a file of mode 0400, so others may have read it:"
                                + " chmod 0400 it, and if they could, replace what is in it");
            }
            if (status.uid() != 0 && status.uid() != ownUid()) {
                throw new SecretException(
                        code,
                        "the " + what + " " + path + " belongs to the user " + status.uid()
                                + ", who may read and change it: chown it to root, and replace what is in it");
            }
            byte[] bytes = FileSystem.read(file, most + 1);
            try {
                if (bytes.length > most) {
                    throw new SecretException(
                            code, "the " + what + " " + path + " is larger than " + most + " bytes: name another");
                }
                return SecretValue.of(bytes);
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        } catch (ErrnoException e) {
            throw new SecretException(
                    code,
                    "the " + what + " " + path + " could not be read (" + Errno.name(e.errno())
                            + "): put it there, or mount what it is on",
                    e);
        }
    }

    private static int ownUid() {
        try (Fd self = FileSystem.open("/proc/self", FileSystem.O_PATH)) {
            return FileSystem.status(self).uid();
        }
    }
}
