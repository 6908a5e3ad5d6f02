package dev.caisson.image;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One member of a tar archive, without its content.
///
/// @param name as written: nothing of it is checked but that it is UTF-8 without NUL
/// @param mode permission bits
/// @param linkTarget of a symbolic link what it holds, of a hard link the name of the other member; else empty
/// @param size of the file with its holes
/// @param segments where in the file the content goes, ascending; one for a file without holes
/// @param attributes extended attributes by name
public record TarEntry(
        String name,
        Kind kind,
        int mode,
        long uid,
        long gid,
        long modifiedSeconds,
        int modifiedNanos,
        String linkTarget,
        long deviceMajor,
        long deviceMinor,
        long size,
        List<Segment> segments,
        Map<String, byte[]> attributes) {
    /// Its type.
    public enum Kind {
        FILE,
        HARD_LINK,
        SYMBOLIC_LINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        DIRECTORY,
        FIFO
    }

    /// A run of content in a file.
    public record Segment(long offset, long length) {}

    public TarEntry {
        segments = List.copyOf(segments);
        attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
    }

    /// True if its last byte is in a hole.
    public boolean endsInHole() {
        long written = segments.stream()
                .filter(segment -> segment.length() > 0)
                .mapToLong(segment -> segment.offset() + segment.length())
                .max()
                .orElse(0);
        return written < size;
    }
}
