package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.TarEntry.Kind;
import dev.caisson.image.TarEntry.Segment;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads a tar archive forwards: ustar, POSIX pax, and GNU tar's long names and sparse files, tar(5).
///
/// An archive that readers are known to understand differently is refused: two extended headers
/// for one member, a hard link with content, a map that does not add up.
public final class TarReader {
    /// Takes the content of a file.
    @FunctionalInterface
    public interface Sink {
        void write(byte[] bytes, int length, long position);
    }

    private static final int BUFFER = 128 * 1024;
    private static final int MOST_SEGMENTS = 1 << 20;

    private final InputStream in;
    private final UnpackLimits limits;
    private final byte[] buffer = new byte[BUFFER];

    /// Content of the present member that is not read yet, and the padding after it.
    private long remaining;

    private long padding;
    private List<Segment> segments = List.of();

    /// Makes one with the bounds of images.
    /// @param in stays the caller's to close
    public TarReader(InputStream in) {
        this(in, UnpackLimits.DEFAULT);
    }

    TarReader(InputStream in, UnpackLimits limits) {
        this.in = in;
        this.limits = limits;
    }

    /// The next member; what was not read of the last one is passed over. Nothing at the end of the archive.
    public Optional<TarEntry> next() throws IOException {
        PaxHeader pax = PaxHeader.none();
        Optional<String> longName = Optional.empty();
        Optional<String> longLink = Optional.empty();
        boolean extended = false;
        while (true) {
            skip(remaining + padding);
            remaining = 0;
            padding = 0;
            Optional<TarFields> header = header();
            if (header.isEmpty()) {
                if (extended || longName.isPresent() || longLink.isPresent()) {
                    throw TarFields.bad("an extended header and nothing after it");
                }
                return Optional.empty();
            }
            TarFields fields = header.orElseThrow();
            switch (fields.at(156)) {
                case 'x' -> {
                    if (extended) {
                        throw TarFields.bad("two extended headers for one file");
                    }
                    extended = true;
                    pax = new PaxHeader(metadata(fields));
                }
                // What a global header says is not applied by the programs that write and read layers.
                case 'g' -> metadata(fields);
                case 'L' -> longName = longText(longName, fields);
                case 'K' -> longLink = longText(longLink, fields);
                default -> {
                    return Optional.of(member(fields, pax, longName, longLink));
                }
            }
        }
    }

    /// Gives all content of the present member to `sink`.
    public void content(Sink sink) throws IOException {
        for (Segment segment : segments) {
            for (long done = 0; done < segment.length(); ) {
                int count = in.read(buffer, 0, (int) Math.min(BUFFER, segment.length() - done));
                if (count < 0) {
                    throw cutOff();
                }
                sink.write(buffer, count, segment.offset() + done);
                done += count;
                remaining -= count;
            }
        }
    }

    private Optional<TarFields> header() throws IOException {
        byte[] block = in.readNBytes(TarFields.BLOCK);
        if (block.length == 0) {
            return Optional.empty();
        }
        if (block.length < TarFields.BLOCK) {
            throw cutOff();
        }
        var fields = new TarFields(block);
        if (!fields.isZero()) {
            fields.check();
            return Optional.of(fields);
        }
        byte[] second = in.readNBytes(TarFields.BLOCK);
        if (second.length != 0 && (second.length < TarFields.BLOCK || !new TarFields(second).isZero())) {
            throw TarFields.bad("a single block of zeros, and something after it");
        }
        return Optional.empty();
    }

    private byte[] metadata(TarFields fields) throws IOException {
        long size = fields.number(124, 12);
        if (size < 0 || size > limits.headerBytes()) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the archive has an extended header of " + size + " bytes; at most " + limits.headerBytes()
                            + " are read");
        }
        byte[] content = in.readNBytes((int) size);
        if (content.length < size) {
            throw cutOff();
        }
        skip(paddingOf(size));
        return content;
    }

    private Optional<String> longText(Optional<String> before, TarFields fields) throws IOException {
        if (before.isPresent()) {
            throw TarFields.bad("two long names for one file");
        }
        byte[] content = metadata(fields);
        int end = content.length;
        while (end > 0 && content[end - 1] == 0) {
            end--;
        }
        return Optional.of(TarFields.text(java.util.Arrays.copyOf(content, end)));
    }

    private TarEntry member(TarFields fields, PaxHeader pax, Optional<String> longName, Optional<String> longLink)
            throws IOException {
        String name = pax.text("GNU.sparse.name")
                .or(() -> pax.text("path"))
                .or(() -> longName)
                .orElseGet(() -> name(fields));
        Kind kind = kind(fields, name);
        long stored = pax.number("size").orElseGet(() -> fields.number(124, 12));
        if (kind == Kind.HARD_LINK && stored != 0) {
            throw TarFields.bad("a hard link with content of its own");
        }
        if (kind != Kind.FILE) {
            stored = 0;
        }
        if (stored < 0) {
            throw TarFields.bad("a negative size");
        }
        remaining = stored;
        padding = paddingOf(stored);
        long size = place(fields, pax, kind, stored);
        long[] modified = pax.modified().orElseGet(() -> new long[] {fields.number(136, 12), 0});
        return new TarEntry(
                name,
                kind,
                (int) fields.number(100, 8) & 07777,
                id(pax.number("uid").orElseGet(() -> fields.number(108, 8))),
                id(pax.number("gid").orElseGet(() -> fields.number(116, 8))),
                modified[0],
                (int) modified[1],
                linkTarget(fields, pax, longLink, kind),
                isDevice(kind) ? fields.number(329, 8) : 0,
                isDevice(kind) ? fields.number(337, 8) : 0,
                size,
                segments,
                kind == Kind.FILE || kind == Kind.DIRECTORY ? pax.attributes() : Map.of());
    }

    /// Finds where the stored bytes belong, and returns the size of the file.
    private long place(TarFields fields, PaxHeader pax, Kind kind, long stored) throws IOException {
        segments = stored == 0 ? List.of() : List.of(new Segment(0, stored));
        long size = stored;
        if (fields.at(156) == 'S') {
            segments = oldSparse(fields);
            size = fields.number(483, 12);
        } else if (kind == Kind.FILE && pax.number("GNU.sparse.major").orElse(0L) == 1) {
            segments = sparseInContent();
            size = pax.number("GNU.sparse.realsize").orElseThrow(() -> TarFields.bad("a sparse file without a size"));
        } else if (kind == Kind.FILE && pax.sparseSegments().isPresent()) {
            segments = pax.sparseSegments().orElseThrow();
            size = pax.number("GNU.sparse.realsize")
                    .or(() -> pax.number("GNU.sparse.size"))
                    .orElseThrow(() -> TarFields.bad("a sparse file without a size"));
        }
        long end = 0;
        long sum = 0;
        for (Segment segment : segments) {
            if (segment.offset() < end || segment.length() < 0 || segment.length() > size - segment.offset()) {
                throw TarFields.bad("a sparse map in disorder");
            }
            end = segment.offset() + segment.length();
            sum += segment.length();
        }
        if (sum != remaining) {
            throw TarFields.bad("a sparse map that does not fit its content");
        }
        return size;
    }

    /// GNU tar's own sparse header: four segments in it, 21 in each block that follows.
    private List<Segment> oldSparse(TarFields fields) throws IOException {
        var found = new ArrayList<Segment>();
        addSegments(fields, 386, 4, found);
        boolean more = fields.at(482) != 0;
        while (more) {
            byte[] block = in.readNBytes(TarFields.BLOCK);
            if (block.length < TarFields.BLOCK) {
                throw cutOff();
            }
            var extension = new TarFields(block);
            addSegments(extension, 0, 21, found);
            more = extension.at(504) != 0;
        }
        return found;
    }

    private static void addSegments(TarFields fields, int offset, int count, List<Segment> found) {
        for (int i = 0; i < count; i++) {
            int at = offset + 24 * i;
            if (fields.at(at) == 0 && fields.at(at + 12) == 0) {
                return;
            }
            add(found, fields.number(at, 12), fields.number(at + 12, 12));
        }
    }

    /// Format 1.0: decimal numbers, a line each, in the content's first blocks.
    private List<Segment> sparseInContent() throws IOException {
        var found = new ArrayList<Segment>();
        long before = remaining;
        long count = line();
        if (count > MOST_SEGMENTS) {
            throw tooManySegments();
        }
        for (long i = 0; i < count; i++) {
            add(found, line(), line());
        }
        long rest = paddingOf(before - remaining);
        if (rest > remaining) {
            throw cutOff();
        }
        skip(rest);
        remaining -= rest;
        return found;
    }

    private long line() throws IOException {
        var digits = new java.io.ByteArrayOutputStream();
        while (true) {
            int b = remaining > 0 ? in.read() : -1;
            if (b < 0 || digits.size() > 20) {
                throw TarFields.bad("a sparse map that is cut off");
            }
            remaining--;
            if (b == '\n') {
                return PaxHeader.decimal(digits.toByteArray());
            }
            digits.write(b);
        }
    }

    private static void add(List<Segment> found, long offset, long length) {
        if (found.size() >= MOST_SEGMENTS) {
            throw tooManySegments();
        }
        found.add(new Segment(offset, length));
    }

    private static ImageException tooManySegments() {
        return new ImageException(
                Code.TOO_LARGE, "the archive has a sparse file of more than " + MOST_SEGMENTS + " pieces");
    }

    private static String name(TarFields fields) {
        String name = TarFields.text(fields.bytes(0, 100));
        if (!fields.isUstar()) {
            return name;
        }
        String prefix = TarFields.text(fields.bytes(345, 155));
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    private static Kind kind(TarFields fields, String name) {
        return switch (fields.at(156)) {
            // Before POSIX a directory was a file whose name ends with a slash.
            case 0, '0', '7' -> name.endsWith("/") ? Kind.DIRECTORY : Kind.FILE;
            case 'S' -> Kind.FILE;
            case '1' -> Kind.HARD_LINK;
            case '2' -> Kind.SYMBOLIC_LINK;
            case '3' -> Kind.CHARACTER_DEVICE;
            case '4' -> Kind.BLOCK_DEVICE;
            case '5' -> Kind.DIRECTORY;
            case '6' -> Kind.FIFO;
            default ->
                throw new ImageException(
                        Code.UNSUPPORTED_FORMAT,
                        "the archive has a member of type " + (fields.at(156) & 0xff) + ", which no layer has; write it"
                                + " with GNU tar or the image tool's own");
        };
    }

    private static boolean isDevice(Kind kind) {
        return kind == Kind.CHARACTER_DEVICE || kind == Kind.BLOCK_DEVICE;
    }

    private static String linkTarget(TarFields fields, PaxHeader pax, Optional<String> longLink, Kind kind) {
        if (kind != Kind.HARD_LINK && kind != Kind.SYMBOLIC_LINK) {
            return "";
        }
        return pax.text("linkpath").or(() -> longLink).orElseGet(() -> TarFields.text(fields.bytes(157, 100)));
    }

    private static long id(long id) {
        if (id < 0) {
            throw TarFields.bad("a negative owner");
        }
        return id;
    }

    private static long paddingOf(long size) {
        return -size & (TarFields.BLOCK - 1);
    }

    private void skip(long count) throws IOException {
        for (long left = count; left > 0; ) {
            int read = in.read(buffer, 0, (int) Math.min(BUFFER, left));
            if (read < 0) {
                throw cutOff();
            }
            left -= read;
        }
    }

    private static ImageException cutOff() {
        return TarFields.bad("an end in the middle of a file");
    }
}
