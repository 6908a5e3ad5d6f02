package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.engine.FileService.Op;
import dev.caisson.engine.FileService.Reply;
import dev.caisson.engine.FileService.Request;
import dev.caisson.error.ArgumentException;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.spec.Bytes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The files of a container, by a file service that is started at first use.
final class ServedFiles implements ContainerFiles {
    static final int MOST_ENTRIES = 100_000;
    private static final long MOST_REMOVED = 1_000_000;
    private static final int MOST_PATH = 4095;
    private static final int MOST_NAME = 255;
    private static final int STAT_BYTES = 48;
    private static final int S_IFMT = 0170000;
    private static final int PERMISSIONS = 07777;

    /// The owner of what is made; empty for the service's own user, root.
    record Owner(int uid, int gid) {}

    private final ServiceLease lease;
    private final int following;
    private final Optional<Owner> owner;

    ServedFiles(ServiceLease lease, boolean following, Optional<Owner> owner) {
        this.lease = lease;
        this.following = following ? FileFlags.FOLLOW_ABOVE | FileFlags.FOLLOW : 0;
        this.owner = owner;
    }

    // ---- paths ----

    /// Relative to the root, without `.` and `..`: these are taken as text, as docker takes them.
    static byte[] relative(String path) {
        if (!present(path, "path").startsWith("/")) {
            throw FileFailures.path(path, "it is not absolute");
        }
        var names = new ArrayList<String>();
        for (String name : path.split("/", -1)) {
            if (name.equals("..")) {
                if (!names.isEmpty()) {
                    names.removeLast();
                }
            } else if (!name.isEmpty() && !name.equals(".")) {
                if (name.indexOf('\0') >= 0 || ByteText.bytes(name).length > MOST_NAME) {
                    throw FileFailures.path(path, "a name in it is longer than 255 bytes or holds a NUL");
                }
                names.add(name);
            }
        }
        byte[] bytes = ByteText.bytes(String.join("/", names));
        if (bytes.length > MOST_PATH) {
            throw FileFailures.path(path, "it is longer than 4095 bytes");
        }
        return bytes;
    }

    static String name(byte[] relative) {
        String text = ByteText.of(relative);
        return text.substring(text.lastIndexOf('/') + 1);
    }

    static String above(String path) {
        String text = ByteText.of(relative(path));
        return "/" + text.substring(0, Math.max(0, text.lastIndexOf('/')));
    }

    private Request on(Op op, String path) {
        return new Request(op).path(relative(path)).flags(following);
    }

    private Request owned(Request request) {
        owner.ifPresent(who -> request.owner(who.uid(), who.gid()));
        return request;
    }

    private static <T> T call(Supplier<T> work) {
        return Failures.call(work);
    }

    // ---- writing ----

    @Override
    public void write(String path, byte[] bytes) {
        write(path, bytes, 0644);
    }

    @Override
    public void write(String path, byte[] bytes, int mode) {
        if ((mode & ~0777) != 0) {
            throw ArgumentException.invalid(
                    "the permissions " + Integer.toOctalString(mode)
                            + " are not within 0777: files that are written never have set-user-ID, set-group-ID or sticky bits");
        }
        try {
            write(path, new ByteArrayInputStream(present(bytes, "bytes")), Bytes.of(bytes.length), mode);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public long write(String path, InputStream from, Bytes limit) throws IOException {
        return write(path, from, limit, 0644);
    }

    private long write(String path, InputStream from, Bytes limit, int mode) throws IOException {
        present(from, "from");
        present(limit, "limit");
        String above = above(path);
        if (!above.equals("/")) {
            call(() -> lease.get().ask(directories(above), above));
        }
        return put(path, from, limit.count(), new Put(mode, Optional.empty(), 0));
    }

    /// How a file is written.
    ///
    /// @param flags [FileFlags#MODE]: owner and permissions are these even if it takes another's place
    record Put(int mode, Optional<Instant> modified, int flags) {}

    /// The service, and with it the new file, may go at any moment; what the stream throws removes it.
    long put(String path, InputStream from, long limit, Put how) throws IOException {
        FileService service = call(lease::get);
        Request create = owned(on(Op.CREATE, path)).mode(how.mode()).flags(how.flags());
        int handle = call(() -> service.ask(create, path)).handle();
        boolean complete = false;
        try {
            byte[] chunk = new byte[FileService.BUFFER_BYTES];
            long total = 0;
            int count;
            while ((count = from.readNBytes(chunk, 0, chunk.length)) > 0) {
                total += count;
                if (total > limit) {
                    throw FileFailures.tooLarge(path, limit);
                }
                int length = count;
                Failures.run(() -> service.write(handle, chunk, length, path));
            }
            Request commit = new Request(Op.COMMIT).handle(handle);
            how.modified().ifPresent(commit::time);
            call(() -> service.ask(commit, path));
            complete = true;
            return total;
        } finally {
            if (!complete) {
                discard(service, handle, path);
            }
        }
    }

    private static void discard(FileService service, int handle, String path) {
        try {
            service.ask(new Request(Op.CLOSE).handle(handle), path);
        } catch (RuntimeException e) { // the container is gone, and the file with it; what failed before is told
            System.getLogger(ServedFiles.class.getName()).log(System.Logger.Level.DEBUG, "a file was not discarded", e);
        }
    }

    // ---- reading ----

    @Override
    public byte[] read(String path, Bytes limit) {
        present(limit, "limit");
        var all = new ByteArrayOutputStream();
        try {
            read(path, all, limit);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all.toByteArray();
    }

    @Override
    public long read(String path, OutputStream to, Bytes limit) throws IOException {
        present(to, "to");
        present(limit, "limit");
        try (Fd file = open(path)) {
            return copy(file, to, limit.count(), path);
        }
    }

    /// Opens a regular file for reading; the caller's to close.
    Fd open(String path) {
        return call(() -> lease.get().ask(on(Op.READ, path), path).descriptors().getFirst());
    }

    /// It may grow while it is read.
    static long copy(Fd file, OutputStream to, long limit, String path) throws IOException {
        byte[] chunk = new byte[FileService.BUFFER_BYTES];
        long at = 0;
        int count;
        while ((count = FileContent.readAt(file, chunk, at)) > 0) {
            at += count;
            if (at > limit) {
                throw FileFailures.tooLarge(path, limit);
            }
            to.write(chunk, 0, count);
        }
        return at;
    }

    @Override
    public FileEntry stat(String path) {
        Reply reply = call(() -> lease.get().ask(on(Op.STAT, path), path));
        return entry(reply.payload(), name(relative(path)), true);
    }

    private static FileEntry entry(ByteBuffer in, String name, boolean linked) {
        int mode = in.getInt();
        int uid = in.getInt();
        int gid = in.getInt();
        in.getInt();
        long size = in.getLong();
        in.getLong();
        Instant modified = Instant.ofEpochSecond(in.getLong(), in.getInt());
        in.getInt();
        FileEntry.Type type = switch (mode & S_IFMT) {
            case 0100000 -> FileEntry.Type.FILE;
            case 0040000 -> FileEntry.Type.DIRECTORY;
            case 0120000 -> FileEntry.Type.LINK;
            default -> FileEntry.Type.SPECIAL;
        };
        Optional<String> target = Optional.empty();
        if (linked && type == FileEntry.Type.LINK) {
            byte[] bytes = new byte[in.remaining()];
            in.get(bytes);
            target = Optional.of(ByteText.of(bytes));
        }
        return new FileEntry(name, type, size, mode & PERMISSIONS, uid, gid, modified, target);
    }

    @Override
    public List<FileEntry> list(String path) {
        return call(() -> {
            FileService service = lease.get();
            int handle = service.ask(on(Op.LIST, path), path).handle();
            var entries = new ArrayList<FileEntry>();
            try {
                while (true) {
                    Reply reply = service.ask(new Request(Op.NEXT).handle(handle), path);
                    if (reply.value() == 0) {
                        break;
                    }
                    take(reply, entries);
                    if (entries.size() > MOST_ENTRIES) {
                        throw FileFailures.of(dev.caisson.linux.Errno.E2BIG, path);
                    }
                }
            } finally {
                discard(service, handle, path);
            }
            entries.sort(Comparator.comparing(FileEntry::name));
            return List.copyOf(entries);
        });
    }

    private static void take(Reply reply, List<FileEntry> entries) {
        ByteBuffer in = reply.payload();
        for (long i = 0; i < reply.value(); i++) {
            int length = Short.toUnsignedInt(in.getShort());
            int stat = in.position();
            byte[] name = new byte[length];
            in.get(stat + STAT_BYTES, name);
            entries.add(entry(in, checked(ByteText.of(name)), false));
            in.position(stat + STAT_BYTES + length);
        }
    }

    /// The service is in the container's hands sooner than this process: no name of it leads elsewhere.
    private static String checked(String name) {
        if (name.isEmpty()
                || name.equals(".")
                || name.equals("..")
                || name.indexOf('/') >= 0
                || name.indexOf('\0') >= 0) {
            throw new EngineException("FILES_PROTOCOL", "the container's file service sent a name that is none");
        }
        return name;
    }

    // ---- the tree ----

    private Request directories(String path) {
        return owned(on(Op.MKDIR, path).mode(0755).flags(FileFlags.PARENTS));
    }

    @Override
    public void mkdir(String path) {
        call(() -> lease.get().ask(directories(path), path));
    }

    /// Makes one directory with exactly this owner and these permissions, or sets them on the one that
    /// is there.
    void directory(String path, int mode, Optional<Instant> modified) {
        call(() -> {
            FileService service = lease.get();
            service.ask(directories(path), path);
            Request set = owned(on(Op.SET, path).mode(mode).flags(FileFlags.MODE));
            modified.ifPresent(set::time);
            return service.ask(set, path);
        });
    }

    void link(String path, String target) {
        call(() -> lease.get()
                .ask(owned(on(Op.SYMLINK, path).other(ByteText.bytes(target)).flags(FileFlags.REPLACE)), path));
    }

    void hardLink(String path, String to) {
        call(() -> lease.get().ask(on(Op.LINK, path).other(relative(to)).flags(FileFlags.REPLACE), path));
    }

    @Override
    public void rename(String path, String to) {
        call(() -> lease.get().ask(on(Op.RENAME, path).other(relative(to)), path));
    }

    @Override
    public void remove(String path) {
        call(() ->
                lease.get().ask(on(Op.REMOVE, path).flags(FileFlags.RECURSIVE).length(MOST_REMOVED), path));
    }

    /// Returns the same files with what is made owned by somebody else.
    ServedFiles as(int uid, int gid) {
        return new ServedFiles(lease, following != 0, Optional.of(new Owner(uid, gid)));
    }

    @Override
    public void copyIn(Path host, String path) throws IOException {
        HostCopy.in(present(host, "host"), this, path);
    }

    @Override
    public void copyOut(String path, Path host, Bytes limit) throws IOException {
        new HostCopy.Out(this, limit.count()).copy(path, present(host, "host"));
    }

    @Override
    public FileWatch watch(String path, Consumer<FileEvent> listener) {
        present(listener, "listener");
        return call(() -> {
            Reply reply = lease.get().ask(on(Op.WATCH, path), path);
            return lease.watching(new RunningFileWatch(reply.descriptors().getFirst(), listener));
        });
    }

    @Override
    public ContainerFiles followingLinks() {
        return new ServedFiles(lease, true, owner);
    }

    @Override
    public void close() {
        Failures.run(lease::close);
    }
}
