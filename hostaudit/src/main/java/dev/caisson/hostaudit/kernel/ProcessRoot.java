package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.Optional;

/// Files as a process sees them: paths are resolved by the kernel in the process's own mount namespace with
/// its root as root, openat2(2). Device and inode tell whether two namespaces show the same file.
public final class ProcessRoot {
    /// A file's identity, the same in every namespace that shows it.
    public record Identity(long device, long inode) {
        public static Identity of(HostFacts.FileFact file) {
            return new Identity(file.device(), file.inode());
        }
    }

    private ProcessRoot() {}

    /// The process's root directory, to start from.
    static Fd open(long pid) {
        return FileSystem.open(Proc.of(pid).resolve("root").toString(), FileSystem.O_PATH);
    }

    /// Returns the file that `path` leads to for that process; empty if there is none or it may not be looked at.
    public static Optional<Identity> identity(long pid, String path) {
        try (Fd root = open(pid);
                Fd file = FileSystem.openAt(
                        root,
                        path,
                        FileSystem.O_PATH,
                        0,
                        FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS)) {
            return Optional.of(of(file));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    /// Returns the file that `path` leads to for this very process.
    public static Optional<Identity> own(String path) {
        try (Fd file = FileSystem.open(path, FileSystem.O_PATH)) {
            return Optional.of(of(file));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private static Identity of(Fd file) {
        FileStatus status = FileSystem.status(file);
        return new Identity(status.fileSystem(), status.inode());
    }
}
