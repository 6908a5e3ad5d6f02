package dev.caisson.containerfile;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// The text of one file and the offsets at which its lines begin. Offsets count UTF-16 code units from 0; lines and
/// columns count from 1. Two sources are the same only if they are the same object.
public final class Source {
    /// A larger file is refused: no container file written by people comes near it.
    public static final int MAX_BYTES = 8 << 20;

    private final String name;
    private final String text;
    private final Charset charset;
    private final int[] lineStarts;

    private Source(String name, String text, Charset charset) {
        this.name = name;
        this.text = text;
        this.charset = charset;
        this.lineStarts = lineStarts(text);
    }

    /// A source whose text is in memory.
    public static Source of(String name, String text) {
        return new Source(name, text, StandardCharsets.UTF_8);
    }

    /// Decodes UTF-8. Bytes that are no UTF-8 are taken as ISO-8859-1, which maps every byte to one character and back,
    /// so that an edited file keeps the bytes that nobody touched.
    public static Source of(String name, byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return new Source(name, text, StandardCharsets.UTF_8);
        } catch (CharacterCodingException notUtf8) {
            return new Source(name, new String(bytes, StandardCharsets.ISO_8859_1), StandardCharsets.ISO_8859_1);
        }
    }

    /// Reads a regular file, and none that the kernel answers from, as those of proc(5).
    /// @throws ContainerFileException if it is missing, unreadable, no regular file, or larger than [#MAX_BYTES]
    public static Source read(String name, Path path) {
        return of(name, RegularFile.read(name, path, Optional.empty(), MAX_BYTES));
    }

    /// Reads a regular file below a directory of strangers. Links and `..` are followed as if that directory were
    /// `/`, so that none leads out of it (`RESOLVE_IN_ROOT`, openat2(2)).
    ///
    /// @param path below the directory
    /// @throws ContainerFileException as [#read]; FILE_MISSING also for a link that would lead out
    public static Source readBelow(String name, Path directory, Path path) {
        return of(name, RegularFile.read(name, directory.resolve(path), Optional.of(directory), MAX_BYTES));
    }

    public String name() {
        return name;
    }

    public String text() {
        return text;
    }

    /// The text as bytes again, in the encoding in which it was read.
    public byte[] bytes() {
        return text.getBytes(charset);
    }

    /// `changed` as bytes, in the encoding in which this source was read.
    public byte[] encode(String changed) {
        return changed.getBytes(charset);
    }

    public int length() {
        return text.length();
    }

    /// The line, from 1, on which `offset` stands. The end of the text belongs to the last line.
    public int line(int offset) {
        int found = Arrays.binarySearch(lineStarts, offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /// The column, from 1, of `offset` on its line.
    public int column(int offset) {
        return offset - lineStarts[line(offset) - 1] + 1;
    }

    public int lineCount() {
        return lineStarts.length;
    }

    /// The offset at which a line begins.
    public int lineStart(int line) {
        return lineStarts[line - 1];
    }

    /// The offset after the last character of a line, before its line break.
    public int lineEnd(int line) {
        int end = line < lineStarts.length ? lineStarts[line] : text.length();
        int start = lineStarts[line - 1];
        if (end > start && text.charAt(end - 1) == '\n') {
            end--;
        }
        if (end > start && text.charAt(end - 1) == '\r') {
            end--;
        }
        return end;
    }

    /// A line without its line break.
    public String lineText(int line) {
        return text.substring(lineStart(line), lineEnd(line));
    }

    /// The characters from `start` up to, not including, `end`.
    public Place place(int start, int end) {
        return new Place(this, start, end);
    }

    @Override
    public String toString() {
        return name;
    }

    private static int[] lineStarts(String text) {
        int[] starts = new int[64];
        int count = 1;
        for (int at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
            if (count == starts.length) {
                starts = Arrays.copyOf(starts, count * 2);
            }
            starts[count++] = at + 1;
        }
        return Arrays.copyOf(starts, count);
    }
}
