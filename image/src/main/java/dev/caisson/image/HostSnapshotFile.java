package dev.caisson.image;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Stores a snapshot of the host for the next process: reading `/etc` anew takes longer than starting a container.
/// A file beside the trees that it names, which only root can reach. One that is damaged or older than this code is
/// none.
final class HostSnapshotFile {
    private static final String NAME = "latest";
    private static final String PARTIAL = "latest.partial";
    private static final String FORMAT = "host snapshot 1, " + HostSkeleton.FORMAT;
    private static final int LARGEST = 1 << 20;
    /// A file that changes twice within one tick of the kernel's clock keeps its time.
    private static final Duration SETTLED = Duration.ofSeconds(2);

    private final Fd directory;

    HostSnapshotFile(Fd directory) {
        this.directory = directory;
    }

    Optional<HostSkeleton.Snapshot> read() {
        Optional<Fd> found = FileSystem.find(directory, NAME, FileSystem.O_RDONLY, FileSystem.RESOLVE_NO_SYMLINKS);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try (Fd file = found.orElseThrow();
                var in = new DataInputStream(new ByteArrayInputStream(FileSystem.read(file, LARGEST)))) {
            return in.readUTF().equals(FORMAT) ? Optional.of(read(in)) : Optional.empty();
        } catch (IOException | IllegalArgumentException | DateTimeException | ErrnoException e) {
            return Optional.empty();
        }
    }

    private static HostSkeleton.Snapshot read(DataInputStream in) throws IOException {
        var version = new Digest(in.readUTF());
        var binds = new ArrayList<HostBind>();
        for (int left = in.readInt(); left > 0; left--) {
            binds.add(new HostBind(Path.of(in.readUTF()), in.readUTF()));
        }
        var stamps = new ArrayList<HostFiles.Stamp>();
        for (int left = in.readInt(); left > 0; left--) {
            String path = in.readUTF();
            stamps.add(new HostFiles.Stamp(path, in.readBoolean() ? Optional.of(readStatus(in)) : Optional.empty()));
        }
        return new HostSkeleton.Snapshot(version, binds, stamps);
    }

    private static FileStatus readStatus(DataInputStream in) throws IOException {
        return new FileStatus(
                in.readInt(),
                in.readInt(),
                in.readInt(),
                in.readLong(),
                in.readLong(),
                in.readInt(),
                in.readInt(),
                in.readInt(),
                in.readLong(),
                readInstant(in),
                readInstant(in));
    }

    private static Instant readInstant(DataInputStream in) throws IOException {
        return Instant.ofEpochSecond(in.readLong(), in.readInt());
    }

    /// Keeps `snapshot`, unless what it saw has changed just now and might once more without a trace.
    void write(HostSkeleton.Snapshot snapshot) {
        Instant settled = Instant.now().minus(SETTLED);
        if (snapshot.stamps().stream()
                .flatMap(stamp -> stamp.status().stream())
                .anyMatch(status -> status.changed().isAfter(settled))) {
            return;
        }
        byte[] content = encode(snapshot);
        if (content.length >= LARGEST) {
            return;
        }
        try {
            removePartial();
            int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
            try (Fd file = FileSystem.openAt(directory, PARTIAL, flags, 0600, FileSystem.RESOLVE_NO_SYMLINKS)) {
                FileSystem.write(file, content);
            }
            FileSystem.rename(directory, PARTIAL, directory, NAME, true);
        } catch (ErrnoException e) {
            // Another process writes it, or the disk is full: without it the next start is slower, that is all.
            System.getLogger(HostSnapshotFile.class.getName())
                    .log(System.Logger.Level.DEBUG, "what the host looks like is not kept: " + e.getMessage());
        }
    }

    private void removePartial() {
        try {
            FileSystem.removeFile(directory, PARTIAL);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    private static byte[] encode(HostSkeleton.Snapshot snapshot) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.writeUTF(FORMAT);
            out.writeUTF(snapshot.version().hex());
            out.writeInt(snapshot.binds().size());
            for (HostBind bind : snapshot.binds()) {
                out.writeUTF(bind.source().toString());
                out.writeUTF(bind.target());
            }
            List<HostFiles.Stamp> stamps = snapshot.stamps();
            out.writeInt(stamps.size());
            for (HostFiles.Stamp stamp : stamps) {
                out.writeUTF(stamp.path());
                out.writeBoolean(stamp.status().isPresent());
                if (stamp.status().isPresent()) {
                    writeStatus(out, stamp.status().orElseThrow());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an array takes what is written", e);
        }
        return bytes.toByteArray();
    }

    private static void writeStatus(DataOutputStream out, FileStatus status) throws IOException {
        out.writeInt(status.mode());
        out.writeInt(status.uid());
        out.writeInt(status.gid());
        out.writeLong(status.inode());
        out.writeLong(status.size());
        out.writeInt(status.links());
        out.writeInt(status.deviceMajor());
        out.writeInt(status.deviceMinor());
        out.writeLong(status.fileSystem());
        writeInstant(out, status.changed());
        writeInstant(out, status.modified());
    }

    private static void writeInstant(DataOutputStream out, Instant instant) throws IOException {
        out.writeLong(instant.getEpochSecond());
        out.writeInt(instant.getNano());
    }
}
