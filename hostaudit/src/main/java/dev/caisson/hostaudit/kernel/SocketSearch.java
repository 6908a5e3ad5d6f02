package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts.Mount;
import dev.caisson.hostaudit.facts.HostFacts.SocketFile;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.ArrayList;
import java.util.List;

/// Looks for a socket's file in what a container sees of the socket's file system. Only a file with several names can
/// stand where no path leads from its own, so only then a directory is searched, and of no more than a bound.
final class SocketSearch {
    private static final int MOST_FILES = 20_000;
    private static final int DEPTH = 12;
    private static final long INSIDE = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;

    private final SocketFile socket;
    private final List<String> found = new ArrayList<>();
    private final List<String> unseen = new ArrayList<>();
    private int files;

    private SocketSearch(SocketFile socket) {
        this.socket = socket;
    }

    /// @param found paths inside the container
    /// @param unseen directories of which not all was looked at
    record Result(List<String> found, List<String> unseen) {}

    /// @param mounts of the container that show the socket's file system
    static Result in(long pid, SocketFile socket, List<Mount> mounts) {
        var search = new SocketSearch(socket);
        for (Mount mount : mounts) {
            try (Fd root = ProcessRoot.open(pid);
                    Fd top = FileSystem.openAt(root, mount.point(), FileSystem.O_PATH, 0, INSIDE)) {
                FileStatus status = FileSystem.status(top);
                if (status.isDirectory() && socket.links() > 1) {
                    search.open(top, mount.point(), DEPTH);
                } else {
                    search.take(status, mount.point());
                }
            } catch (ErrnoException e) {
                // it is gone, or hidden below another mount: no path leads there
            }
        }
        return new Result(List.copyOf(search.found), List.copyOf(search.unseen));
    }

    private void take(FileStatus status, String path) {
        if (status.inode() == socket.inode() && status.fileSystem() == socket.device()) {
            found.add(path);
        }
    }

    private void open(Fd file, String path, int depth) {
        try (Fd directory = FileSystem.openAt(
                file,
                ".",
                FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW,
                0,
                FileSystem.RESOLVE_NO_SYMLINKS)) {
            below(directory, path, depth);
        }
    }

    private void below(Fd directory, String path, int depth) {
        for (String name : DirectoryEntries.of(directory, MOST_FILES - files + 1)) {
            if (files == MOST_FILES || depth == 0) {
                unseen.add(path);
                return;
            }
            files++;
            String below = path + "/" + name;
            try {
                FileStatus status = FileSystem.status(directory, name);
                if (!status.isDirectory()) {
                    take(status, below);
                } else if (status.fileSystem() == socket.device()) {
                    try (Fd child = FileSystem.openAt(
                            directory,
                            name,
                            FileSystem.O_PATH | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW,
                            0,
                            FileSystem.RESOLVE_NO_SYMLINKS)) {
                        open(child, below, depth - 1);
                    }
                }
            } catch (ErrnoException e) {
                // it went away meanwhile
            }
        }
    }
}
