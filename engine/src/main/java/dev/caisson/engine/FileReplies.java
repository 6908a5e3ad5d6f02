package dev.caisson.engine;

import dev.caisson.linux.ByteText;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Reads what a file service says of files: `struct files_stat` of `native/files.h`.
final class FileReplies {
    private static final int STAT_BYTES = 48;
    private static final int S_IFMT = 0170000;
    private static final int PERMISSIONS = 07777;

    private FileReplies() {}

    static FileEntry entry(ByteBuffer in, String name, boolean linked) {
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

    /// Adds the entries of a directory that a reply holds.
    static void take(FileService.Reply reply, List<FileEntry> entries) {
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
}
