package dev.caisson.engine;

import dev.caisson.spec.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// The files of one container, read and written from outside of it.
///
/// A small process in the container's own namespaces does the work, with no more rights than the
/// container has; no program or library of the image is run. Paths are absolute, with `/`. A symbolic
/// link on the way is refused, because the container may have put it there ([#followingLinks] follows
/// it, inside the container); pipes, sockets and devices are never opened. What is written counts
/// against the container's writable layer and memory.
///
/// Failures are [EngineException]s: FILE_NOT_FOUND, FILE_EXISTS, FILE_IS_LINK, FILE_IS_DIRECTORY,
/// FILE_NOT_DIRECTORY, FILE_NOT_EMPTY, FILE_SPECIAL, FILE_DENIED, FILE_READ_ONLY, FILE_TOO_LARGE,
/// FILE_TREE_TOO_LARGE, FILE_PATH, FILE_SPACE, FILE_BUSY, FILE_CHANGED, FILE_OWNER, FILE_FAILED,
/// CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, CONTAINER_DEAD; of copies also ARCHIVE, and HOST_FILE_NOT_FOUND,
/// HOST_FILE_KIND, HOST_FILE_DENIED, HOST_SPACE, HOST_FILE_FAILED. Any number of threads may share it.
///
/// In a container that does not run, places where a start mounts a file system of its own (`/dev`, `/proc`,
/// `/sys`, each tmpfs) are empty and read-only.
public interface ContainerFiles extends AutoCloseable {
    /// Writes a file with permissions 0644, and makes the directories above it. The file appears under
    /// its name when it is complete, in place of what was there; then it keeps that one's owner and
    /// permissions.
    void write(String path, byte[] bytes);

    /// Writes a file with these permissions.
    /// @param mode 0 to 0777; anything else is an ArgumentException
    void write(String path, byte[] bytes, int mode);

    /// Writes what a stream gives, up to its end.
    /// @param limit most bytes; more is FILE_TOO_LARGE, and nothing is written
    /// @return how many bytes
    /// @throws IOException what the stream throws; nothing is written then
    long write(String path, InputStream from, Bytes limit) throws IOException;

    /// Reads a regular file.
    /// @param limit most bytes; a larger file is FILE_TOO_LARGE
    byte[] read(String path, Bytes limit);

    /// Reads a regular file into a stream.
    /// @return how many bytes
    /// @throws IOException what the stream throws
    long read(String path, OutputStream to, Bytes limit) throws IOException;

    /// Lists a directory, in the order of names.
    List<FileEntry> list(String path);

    FileEntry stat(String path);

    /// Makes a directory, and those above it; one that is there is left as it is.
    void mkdir(String path);

    /// Gives a file or directory another name, in place of what has it.
    void rename(String path, String to);

    /// Removes a file, or a directory with all that it holds. Never what a volume holds: FILE_BUSY.
    void remove(String path);

    /// Copies a file or directory of the host into the container, as the container's user's. Links are
    /// copied as links.
    ///
    /// @param path the name that it gets
    void copyIn(Path host, String path) throws IOException;

    /// Like the other, with options. A directory that is there is filled and stays as it is; pipes, sockets and devices
    /// below are left out.
    CopyReport copyIn(Path host, String path, CopyOptions how) throws IOException;

    /// Copies a file or directory out of the container. Links are copied as links and never followed,
    /// set-user-ID bits are dropped, and pipes, sockets and devices are left out.
    ///
    /// @param host the name that it gets; a directory that is there is filled
    /// @param limit most bytes of all files together
    void copyOut(String path, Path host, Bytes limit) throws IOException;

    /// Like the other, with options. A file has its name on the host when it is complete.
    CopyReport copyOut(String path, Path host, CopyOptions how) throws IOException;

    /// Unpacks a tar archive into a directory. Names that lead out of the archive are refused, links that are there are
    /// not followed, set-user-ID bits are dropped, and pipes and devices are left out.
    ///
    /// @param archive read up to the end of the archive; stays the caller's to close
    /// @throws IOException what the stream throws
    CopyReport unpack(InputStream archive, String directory, CopyOptions how) throws IOException;

    /// Writes a file or directory as a tar archive, with the owners that the container has.
    ///
    /// @param name that it gets in the archive; `.` for a directory whose entries stand at the top
    /// @param archive stays the caller's to close
    /// @throws IOException what the stream throws
    CopyReport pack(String path, String name, OutputStream archive, CopyOptions how) throws IOException;

    /// Returns the path without the symbolic links on it, each followed inside of the container. The last
    /// component need not exist.
    ///
    /// @param last whether a link that is the last component is followed too
    String resolve(String path, boolean last);

    /// Watches a file, or the entries of a directory, not those below. The listener is called in a
    /// thread of its own, one event after the other; what it throws ends the watch.
    FileWatch watch(String path, Consumer<FileEvent> listener);

    /// Returns the same files with symbolic links followed as a program of the container would follow
    /// them: inside of the container.
    ContainerFiles followingLinks();

    /// Ends the process behind it, and all watches.
    @Override
    void close();
}
