package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.engine.FileService.Op;
import dev.caisson.engine.FileService.Reply;
import dev.caisson.engine.FileService.Request;
import dev.caisson.error.ArgumentException;
import dev.caisson.launch.IdRange;
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
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/// The files of a container, by a file service that is started at first use.
final class ServedFiles implements ContainerFiles {
    static final int MOST_ENTRIES = 100_000;
    /// ByteArrayOutputStream makes no longer one.
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;
    private static final long MOST_REMOVED = 1_000_000;

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

    private Request on(Op op, String path) {
        return new Request(op).path(ContainerPath.relative(path)).flags(following);
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
        String above = ContainerPath.above(path);
        if (!above.equals("/")) {
            call(() -> lease.get().ask(directories(above), above));
        }
        var total = new long[1];
        IntConsumer bounded = count -> {
            total[0] += count;
            if (total[0] > limit.count()) {
                throw FileFailures.tooLarge(path, limit.count());
            }
        };
        put(path, from, new Put(mode, Optional.empty(), 0, bounded));
        return total[0];
    }

    /// How a file is written.
    ///
    /// @param flags [FileFlags#MODE]: owner and permissions are these even if it takes another's place
    /// @param announced is called with the number of bytes that are written next; what it throws ends the file
    record Put(int mode, Optional<Instant> modified, int flags, IntConsumer announced) {}

    /// Takes bytes of a file, in order.
    interface Sink {
        void write(byte[] bytes, int length);
    }

    /// Gives the bytes of a file.
    interface Content {
        void to(Sink sink) throws IOException;
    }

    /// Writes what a stream gives, up to its end.
    void put(String path, InputStream from, Put how) throws IOException {
        put(
                path,
                sink -> {
                    byte[] chunk = new byte[FileService.BUFFER_BYTES];
                    int count;
                    while ((count = from.readNBytes(chunk, 0, chunk.length)) > 0) {
                        sink.write(chunk, count);
                    }
                },
                how);
    }

    /// The service, and with it the new file, may go at any moment; what the content throws removes it.
    void put(String path, Content content, Put how) throws IOException {
        FileService service = call(lease::get);
        Request create = owned(on(Op.CREATE, path)).mode(how.mode()).flags(how.flags());
        int handle = call(() -> service.ask(create, path)).handle();
        boolean complete = false;
        try {
            content.to((bytes, length) -> {
                how.announced().accept(length);
                Failures.run(() -> service.write(handle, bytes, length, path));
            });
            Request commit = new Request(Op.COMMIT).handle(handle);
            how.modified().ifPresent(commit::time);
            call(() -> service.ask(commit, path));
            complete = true;
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
            read(path, all, Bytes.of(Math.min(limit.count(), LARGEST_ARRAY)));
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

    /// Opens what [#open] opens; empty if it is a pipe, a device or made up by the kernel.
    Optional<Fd> openData(String path) {
        try {
            return Optional.of(open(path));
        } catch (EngineException e) {
            if (e.code().equals("FILE_SPECIAL")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Reads a file up to its end, or to `most` bytes.
    /// @return how many bytes
    static long read(Fd file, long most, Sink to) {
        byte[] chunk = new byte[FileService.BUFFER_BYTES];
        long at = 0;
        int count;
        while (at < most && (count = readAt(file, chunk, at)) > 0) {
            int taken = (int) Math.min(count, most - at);
            to.write(chunk, taken);
            at += taken;
        }
        return at;
    }

    private static int readAt(Fd file, byte[] chunk, long at) {
        return call(() -> FileContent.readAt(file, chunk, at));
    }

    /// It may grow while it is read.
    static long copy(Fd file, OutputStream to, long limit, String path) throws IOException {
        if (limit <= LARGEST_ARRAY && FileContent.readAt(file, new byte[1], limit) > 0) {
            throw FileFailures.tooLarge(path, limit); // before any of it is in memory
        }
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
        return FileReplies.entry(reply.payload(), ContainerPath.name(ContainerPath.relative(path)), true);
    }

    @Override
    public List<FileEntry> list(String path) {
        return list(path, 0);
    }

    /// Lists a directory to copy it; empty if its entries are made up by the kernel.
    Optional<List<FileEntry>> listData(String path) {
        try {
            return Optional.of(list(path, FileFlags.DATA));
        } catch (EngineException e) {
            if (e.code().equals("FILE_SPECIAL")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private List<FileEntry> list(String path, int flags) {
        return call(() -> {
            FileService service = lease.get();
            int handle = service.ask(on(Op.LIST, path).flags(flags), path).handle();
            var entries = new ArrayList<FileEntry>();
            try {
                while (true) {
                    Reply reply = service.ask(new Request(Op.NEXT).handle(handle), path);
                    if (reply.value() == 0) {
                        break;
                    }
                    FileReplies.take(reply, entries);
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
    void directory(String path, int mode) {
        call(() -> {
            FileService service = lease.get();
            service.ask(directories(path), path);
            return service.ask(owned(on(Op.SET, path).mode(mode).flags(FileFlags.MODE)), path);
        });
    }

    /// Sets when the content of a file or directory last changed.
    void modified(String path, Instant time) {
        call(() -> lease.get().ask(on(Op.SET, path).time(time), path));
    }

    boolean isDirectory(String path) {
        return find(path).filter(FileEntry::isDirectory).isPresent();
    }

    private Optional<FileEntry> find(String path) {
        try {
            return Optional.of(stat(path));
        } catch (EngineException e) {
            if (e.code().equals("FILE_NOT_FOUND")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    void link(String path, String target) {
        call(() -> lease.get()
                .ask(owned(on(Op.SYMLINK, path).other(ByteText.bytes(target)).flags(FileFlags.REPLACE)), path));
    }

    void hardLink(String path, String to) {
        call(() -> lease.get()
                .ask(on(Op.LINK, path).other(ContainerPath.relative(to)).flags(FileFlags.REPLACE), path));
    }

    @Override
    public void rename(String path, String to) {
        call(() -> lease.get().ask(on(Op.RENAME, path).other(ContainerPath.relative(to)), path));
    }

    @Override
    public void remove(String path) {
        call(() ->
                lease.get().ask(on(Op.REMOVE, path).flags(FileFlags.RECURSIVE).length(MOST_REMOVED), path));
    }

    /// Returns the same files for a copy of something that `uid` and `gid` own at its source.
    ServedFiles owned(CopyOptions options, long uid, long gid, String path) {
        return switch (options.owner()) {
            case STANDARD -> this;
            case ROOT -> new ServedFiles(lease, following != 0, Optional.empty());
            case SOURCE -> {
                if (uid < 0 || uid >= IdRange.WIDTH || gid < 0 || gid >= IdRange.WIDTH) {
                    throw FileFailures.owner(path, uid, gid);
                }
                yield new ServedFiles(lease, following != 0, Optional.of(new Owner((int) uid, (int) gid)));
            }
        };
    }

    @Override
    public void copyIn(Path host, String path) throws IOException {
        CopyReport _ = copyIn(host, path, CopyOptions.STANDARD);
    }

    @Override
    public CopyReport copyIn(Path host, String path, CopyOptions how) throws IOException {
        return new HostCopyIn(this, present(how, "how")).copy(present(host, "host"), present(path, "path"));
    }

    @Override
    public void copyOut(String path, Path host, Bytes limit) throws IOException {
        CopyReport _ = copyOut(path, host, CopyOptions.STANDARD.limit(limit));
    }

    @Override
    public CopyReport copyOut(String path, Path host, CopyOptions how) throws IOException {
        return new HostCopyOut(this, present(how, "how")).copy(present(path, "path"), present(host, "host"));
    }

    @Override
    public CopyReport unpack(InputStream archive, String directory, CopyOptions how) throws IOException {
        return new TarUnpack(this, present(archive, "archive"), directory, present(how, "how")).unpack();
    }

    @Override
    public CopyReport pack(String path, String name, OutputStream archive, CopyOptions how) throws IOException {
        present(name, "name");
        return new TarPack(this, present(archive, "archive"), present(how, "how")).pack(path, name);
    }

    @Override
    public String resolve(String path, boolean last) {
        var strict = new ServedFiles(lease, false, owner);
        return new PathResolution(strict::find).of(path, last);
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

    boolean areClosed() {
        return lease.isClosed();
    }

    @Override
    public void close() {
        Failures.run(lease::close);
    }
}
