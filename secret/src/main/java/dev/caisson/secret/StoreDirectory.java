package dev.caisson.secret;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Files of a store: each is written to a temporary name, brought to the disk and renamed, and none is used that
/// others could have read or written.
final class StoreDirectory implements AutoCloseable {
    /// Steps of a write, for tests that end the process at one.
    @FunctionalInterface
    interface Steps {
        void reached(String step);
    }

    static final String TEMPORARY = ".tmp-";
    private static final int PRIVATE_DIRECTORY = 0700;
    private static final int PRIVATE_FILE = 0600;
    private static final int OF_OTHERS = 077;
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int RANDOM = 8;

    private final Fd directory;
    private final String shown;
    private final Steps steps;

    /// @param directory closed with this
    /// @param shown its path, in messages
    StoreDirectory(Fd directory, String shown, Steps steps) {
        this.directory = directory;
        this.shown = shown;
        this.steps = steps;
        try {
            requirePrivate(FileSystem.status(directory), shown);
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    String shown() {
        return shown;
    }

    Fd descriptor() {
        return directory;
    }

    private static void requirePrivate(FileStatus status, String path) {
        boolean own = status.uid() == 0 || status.uid() == ownUser();
        if (!own || (status.permissions() & OF_OTHERS) != 0) {
            throw SecretException.tampered(path + " has the owner " + status.uid() + " and the mode "
                    + Integer.toOctalString(status.permissions())
                    + ", so others may have read or changed it: make sure that nobody did, then chown root and chmod go="
                    + " it");
        }
    }

    /// The owner of this process, as proc(5) has it.
    private static int ownUser() {
        try (Fd self = FileSystem.open("/proc/self", FileSystem.O_PATH)) {
            return FileSystem.status(self).uid();
        }
    }

    /// Opens a directory below, which is made if there is none.
    StoreDirectory child(String name) {
        Fd child = FileSystem.openOrMakeDirectory(directory, name, PRIVATE_DIRECTORY);
        return new StoreDirectory(child, shown + "/" + name, steps);
    }

    Optional<StoreDirectory> findChild(String name) {
        return FileSystem.find(directory, name, READ | FileSystem.O_NOFOLLOW, BENEATH)
                .map(child -> new StoreDirectory(child, shown + "/" + name, steps));
    }

    List<String> names() {
        return DirectoryEntries.of(directory);
    }

    boolean has(String name) {
        return FileSystem.findStatus(directory, name).isPresent();
    }

    /// Opens a file of this store, which is made if there is none.
    Fd openOrMake(String name, int flags) {
        int all = flags | FileSystem.O_CREAT | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
        Fd file = FileSystem.openAt(directory, name, all, PRIVATE_FILE, BENEATH);
        try {
            requirePlain(file, name);
            return file;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /// Opens a file of this store; nothing if there is none.
    Optional<Fd> find(String name, int flags) {
        int all = flags | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
        Optional<Fd> found = FileSystem.find(directory, name, all, BENEATH);
        found.ifPresent(file -> {
            try {
                requirePlain(file, name);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
        });
        return found;
    }

    private FileStatus requirePlain(Fd file, String name) {
        FileStatus status = FileSystem.status(file);
        if (!status.isRegularFile()) {
            throw SecretException.tampered(shown + "/" + name + " is not a file: restore it from a backup");
        }
        requirePrivate(status, shown + "/" + name);
        return status;
    }

    /// Reads a whole file; nothing if there is none.
    Optional<byte[]> read(String name, int most) {
        int flags = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
        return FileSystem.find(directory, name, flags, BENEATH).map(found -> {
            try (Fd file = found) {
                if (requirePlain(file, name).size() > most) {
                    throw SecretException.tampered(shown + "/" + name + " is larger than " + most
                            + " bytes, which the store never writes: restore it from a backup");
                }
                return FileSystem.read(file, most);
            }
        });
    }

    /// Writes or replaces a file: after a crash it has the old content or the new one.
    void write(String name, byte[] content) {
        String temporary = TEMPORARY + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM));
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
        steps.reached("create " + name);
        try (Fd file = FileSystem.openAt(directory, temporary, flags, PRIVATE_FILE, BENEATH)) {
            steps.reached("write " + name);
            FileSystem.write(file, content);
            steps.reached("fsync " + name);
            FileSystem.synchronize(file);
            steps.reached("rename " + name);
            FileSystem.rename(directory, temporary, directory, name, true);
        } catch (ErrnoException e) {
            FileSystem.removeTree(directory, temporary);
            throw e;
        }
        synchronize(name);
    }

    /// Brings the names in this directory to the disk.
    void synchronize(String step) {
        steps.reached("fsync directory of " + step);
        FileSystem.synchronize(directory);
    }

    void remove(String name) {
        steps.reached("remove " + name);
        FileSystem.removeTree(directory, name);
    }

    @Override
    public void close() {
        directory.close();
    }
}
