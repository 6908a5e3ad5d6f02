package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.Errno;
import dev.caisson.spec.Bytes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The files of a [ScriptedSession], in memory: regular files and directories of root.
final class ScriptedFiles implements ContainerFiles {
    private static final int USUAL = 0644;
    private static final int DIRECTORY = 0755;
    private static final int ALL = 0777;
    private static final String TOP = "/";

    /// @param bytes of a file; null for a directory
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Node(byte @Nullable [] bytes, int mode, Instant modified) {
        boolean isDirectory() {
            return bytes == null;
        }
    }

    /// Files and directories by their paths, which end without a slash except for the root.
    private final Map<String, Node> nodes = new TreeMap<>(Map.of(TOP, directory()));

    private static Node directory() {
        return new Node(null, DIRECTORY, Instant.now());
    }

    private static String path(String path) {
        if (!present(path, "path").startsWith(TOP) || path.indexOf('\0') >= 0) {
            throw new EngineException(
                    "FILE_PATH", "the path '" + path + "' is not absolute or holds a NUL character: begin it with /");
        }
        return Path.of(path).normalize().toString();
    }

    private static String above(String path) {
        int slash = path.lastIndexOf('/');
        return slash == 0 ? TOP : path.substring(0, slash);
    }

    private Node node(String path) {
        Node found = nodes.get(path);
        if (found == null) {
            throw FileFailures.of(Errno.ENOENT, path);
        }
        return found;
    }

    @Override
    public void write(String path, byte[] bytes) {
        write(path, bytes, USUAL);
    }

    @Override
    public synchronized void write(String path, byte[] bytes, int mode) {
        String at = path(path);
        present(bytes, "bytes");
        if (mode < 0 || mode > ALL) {
            throw ArgumentException.invalid("the mode " + Integer.toOctalString(mode) + " is not of 0 to 0777");
        }
        Node former = nodes.get(at);
        if (former != null && former.isDirectory()) {
            throw FileFailures.of(Errno.EISDIR, path);
        }
        makeDirectories(above(at));
        nodes.put(at, new Node(bytes.clone(), former == null ? mode : former.mode(), Instant.now()));
    }

    @Override
    public long write(String path, InputStream from, Bytes limit) throws IOException {
        int most = Math.toIntExact(Math.min(present(limit, "limit").count(), Integer.MAX_VALUE - 8L));
        byte[] bytes = present(from, "from").readNBytes(most);
        if (bytes.length == most && from.read() >= 0) {
            throw FileFailures.tooLarge(path(path), most);
        }
        write(path, bytes);
        return bytes.length;
    }

    @Override
    public synchronized byte[] read(String path, Bytes limit) {
        present(limit, "limit");
        byte[] bytes = node(path(path)).bytes();
        if (bytes == null) {
            throw FileFailures.of(Errno.EISDIR, path);
        }
        if (bytes.length > limit.count()) {
            throw FileFailures.tooLarge(path, limit.count());
        }
        return bytes.clone();
    }

    @Override
    public long read(String path, OutputStream to, Bytes limit) throws IOException {
        return new ByteArrayInputStream(read(path, limit)).transferTo(present(to, "to"));
    }

    @Override
    public synchronized List<FileEntry> list(String path) {
        String at = path(path);
        if (!node(at).isDirectory()) {
            throw FileFailures.of(Errno.ENOTDIR, path);
        }
        var entries = new ArrayList<FileEntry>();
        nodes.forEach((other, node) -> {
            if (!other.equals(TOP) && above(other).equals(at)) {
                entries.add(entry(other, node));
            }
        });
        return List.copyOf(entries);
    }

    @Override
    public synchronized FileEntry stat(String path) {
        String at = path(path);
        return entry(at, node(at));
    }

    private static FileEntry entry(String path, Node node) {
        byte[] bytes = node.bytes();
        return new FileEntry(
                path.substring(path.lastIndexOf('/') + 1),
                bytes == null ? FileEntry.Type.DIRECTORY : FileEntry.Type.FILE,
                bytes == null ? 0 : bytes.length,
                node.mode(),
                0,
                0,
                node.modified(),
                Optional.empty());
    }

    @Override
    public synchronized void mkdir(String path) {
        makeDirectories(path(path));
    }

    private void makeDirectories(String path) {
        Node found = nodes.get(path);
        if (found == null) {
            makeDirectories(above(path));
            nodes.put(path, directory());
        } else if (!found.isDirectory()) {
            throw FileFailures.of(Errno.ENOTDIR, path);
        }
    }

    @Override
    public synchronized void rename(String path, String to) {
        String from = path(path);
        String at = path(to);
        Node moved = node(from);
        Node former = nodes.get(at);
        if (!node(above(at)).isDirectory()) {
            throw FileFailures.of(Errno.ENOTDIR, to);
        }
        if (former != null && former.isDirectory() && !list(at).isEmpty()) {
            throw FileFailures.of(Errno.ENOTEMPTY, to);
        }
        if (former != null && former.isDirectory() != moved.isDirectory()) {
            throw FileFailures.of(former.isDirectory() ? Errno.EISDIR : Errno.ENOTDIR, to);
        }
        if (from.equals(TOP) || ((at + "/").startsWith(from + "/") && !at.equals(from))) {
            throw FileFailures.of(Errno.EBUSY, path);
        }
        for (String below : List.copyOf(nodes.keySet())) {
            if (below.equals(from) || below.startsWith(from + "/")) {
                Node node = nodes.remove(below);
                if (node != null) {
                    nodes.put(at + below.substring(from.length()), node);
                }
            }
        }
    }

    @Override
    public synchronized void remove(String path) {
        String at = path(path);
        boolean _ = node(at).isDirectory();
        if (at.equals(TOP)) {
            throw FileFailures.of(Errno.EBUSY, path);
        }
        nodes.keySet().removeIf(other -> other.equals(at) || other.startsWith(at + "/"));
    }

    @Override
    public String resolve(String path, boolean last) {
        return path(path);
    }

    @Override
    public ContainerFiles followingLinks() {
        return this;
    }

    @Override
    public void copyIn(Path host, String path) {
        throw unsupported();
    }

    @Override
    public CopyReport copyIn(Path host, String path, CopyOptions how) {
        throw unsupported();
    }

    @Override
    public void copyOut(String path, Path host, Bytes limit) {
        throw unsupported();
    }

    @Override
    public CopyReport copyOut(String path, Path host, CopyOptions how) {
        throw unsupported();
    }

    @Override
    public CopyReport unpack(InputStream archive, String directory, CopyOptions how) {
        throw unsupported();
    }

    @Override
    public CopyReport pack(String path, String name, OutputStream archive, CopyOptions how) {
        throw unsupported();
    }

    @Override
    public FileWatch watch(String path, Consumer<FileEvent> listener) {
        throw unsupported();
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException(
                "a scripted session has no archives, copies from and to the host, or watches: test those with an engine");
    }

    @Override
    public void close() {}
}
