package dev.caisson.engine;

import dev.caisson.scan.PackedFiles;
import dev.caisson.secret.ValueForm;
import dev.caisson.secret.ValueMatcher;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Looks for values in a tar archive that passes, with the names of its files: their content, what is packed in them,
/// and what the archive says of them.
final class LayerSearch {
    /// A value that stands in the archive.
    ///
    /// @param value its number, as the matcher has it
    /// @param file in whose content or header it stands
    record Found(int value, ValueForm form, String file) {}

    private static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final int SIZE_AT = 124;
    private static final int SIZE = 12;
    private static final int KIND_AT = 156;
    private static final int PREFIX_AT = 345;
    private static final int PREFIX = 155;
    private static final int MOST_NAMES = 64 * 1024;
    private static final int OCTAL = 8;
    private static final Pattern PAX_PATH = Pattern.compile("(?s)(?:^|\n)[0-9]+ path=([^\n]*)\n");

    private final ValueMatcher matcher;
    private byte[] held = new byte[0];
    private final byte[] header = new byte[BLOCK];
    private int filled;
    /// Content and padding up to the next header.
    private long left;

    private final ByteArrayOutputStream extension = new ByteArrayOutputStream();
    private byte kind;
    private Optional<String> longName = Optional.empty();
    private String file = "";
    /// Content of a regular file that is to come.
    private long content;

    private final byte[] beginning = new byte[PackedFiles.BEGINNING];
    private int begun;
    private @Nullable PackedSearch packed;
    private Optional<Found> inside = Optional.empty();

    LayerSearch(ValueMatcher matcher) {
        this.matcher = matcher;
    }

    /// Takes the next part of the archive.
    /// @return the first value in it, behind which nothing is searched
    Optional<Found> take(byte[] bytes, int from, int length) {
        byte[] all = Arrays.copyOf(held, held.length + length);
        System.arraycopy(bytes, from, all, held.length, length);
        int[] first = {-1, 0};
        var form = new ValueForm[1];
        int unfinished = matcher.search(all, 0, all.length, (value, as, start, end) -> {
            if (first[0] < 0) {
                first[0] = value;
                first[1] = start;
                form[0] = as;
            }
        });
        int before = held.length;
        Arrays.fill(held, (byte) 0);
        if (first[0] >= 0) {
            follow(bytes, from, Math.max(0, first[1] - before));
            return Optional.of(new Found(first[0], form[0], file));
        }
        follow(bytes, from, length);
        held = Arrays.copyOfRange(all, unfinished, all.length);
        Arrays.fill(all, (byte) 0);
        return inside;
    }

    /// Ends what looks into a file that did not come to its end.
    void end() {
        endFile();
    }

    /// Learns which file it is that stands at the end of these bytes.
    private void follow(byte[] bytes, int from, int length) {
        int at = from;
        int end = from + length;
        while (at < end) {
            if (left > 0) {
                int part = (int) Math.min(left, end - at);
                if (isExtension() && extension.size() < MOST_NAMES) {
                    extension.write(bytes, at, part);
                }
                if (content > 0) {
                    look(bytes, at, (int) Math.min(content, part));
                }
                left -= part;
                at += part;
                if (left == 0 && isExtension()) {
                    longName = name(extension.toString(StandardCharsets.UTF_8)).or(() -> longName);
                }
            } else {
                int part = Math.min(BLOCK - filled, end - at);
                System.arraycopy(bytes, at, header, filled, part);
                filled += part;
                at += part;
                if (filled == BLOCK) {
                    filled = 0;
                    begin();
                }
            }
        }
    }

    /// Takes content of a regular file, to look into it if it is packed.
    private void look(byte[] bytes, int at, int length) {
        int part = Math.min(length, beginning.length - begun);
        System.arraycopy(bytes, at, beginning, begun, part);
        boolean known = begun == beginning.length;
        begun += part;
        content -= length;
        if (!known && (begun == beginning.length || content == 0) && PackedFiles.arePacked(beginning, begun)) {
            packed = new PackedSearch(matcher, file);
            packed.take(beginning, 0, begun);
        }
        if (packed != null) {
            packed.take(bytes, at + part, length - part);
        }
        if (content == 0) {
            endFile();
        }
    }

    private void endFile() {
        PackedSearch search = packed;
        packed = null;
        if (search != null) {
            search.end().ifPresent(one -> inside = Optional.of(new Found(one.value(), one.form(), file + one.inner())));
        }
    }

    private boolean isExtension() {
        return kind == 'x' || kind == 'L';
    }

    private void begin() {
        kind = header[KIND_AT];
        long size = size();
        left = (size + BLOCK - 1) / BLOCK * BLOCK;
        content = kind == '0' || kind == 0 || kind == '7' ? size : 0;
        begun = 0;
        extension.reset();
        if (!isExtension() && kind != 'g' && kind != 'K') {
            String prefix = text(PREFIX_AT, PREFIX);
            String name = text(0, NAME);
            file = longName.orElse(prefix.isEmpty() ? name : prefix + "/" + name);
            longName = Optional.empty();
        }
    }

    private Optional<String> name(String content) {
        if (kind == 'L') {
            int end = content.indexOf('\0');
            return Optional.of(end < 0 ? content : content.substring(0, end));
        }
        Matcher path = PAX_PATH.matcher(content);
        return path.find() ? Optional.of(path.group(1)) : Optional.empty();
    }

    private String text(int at, int length) {
        int end = at;
        while (end < at + length && header[end] != 0) {
            end++;
        }
        return new String(header, at, end - at, StandardCharsets.UTF_8);
    }

    /// Returns the size in octal digits, or in bytes if the first has its highest bit set.
    private long size() {
        long size = 0;
        boolean binary = header[SIZE_AT] < 0;
        for (int i = binary ? SIZE_AT + SIZE - Long.BYTES : SIZE_AT; i < SIZE_AT + SIZE; i++) {
            byte one = header[i];
            if (binary) {
                size = (size << Byte.SIZE) | (one & 0xff);
            } else if (one >= '0' && one < '0' + OCTAL) {
                size = size * OCTAL + one - '0';
            }
        }
        return Math.max(0, size);
    }
}
