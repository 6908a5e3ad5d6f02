package dev.caisson.image;

import dev.caisson.linux.ByteText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes a tar archive forwards: POSIX ustar, with a pax header for what does not fit into its fields,
/// tar(5). Names and link targets keep their bytes.
public final class TarWriter {
    /// The owner, permissions and time of a member.
    ///
    /// @param mode permission bits, 0 to 07777
    /// @param uid of 32 bits, without a sign, as is gid
    /// @param modified written in whole seconds
    /// @param extended extended attributes by name, in the order in which they are written
    public record Attributes(int mode, int uid, int gid, Instant modified, Map<String, byte[]> extended) {
        public Attributes {
            extended = Collections.unmodifiableMap(new LinkedHashMap<>(extended));
        }

        public Attributes(int mode, int uid, int gid, Instant modified) {
            this(mode, uid, gid, modified, Map.of());
        }
    }

    private static final int BLOCK = TarFields.BLOCK;
    private static final int NAME = 100;
    private static final long MOST_OCTAL = (1L << 33) - 1;
    /// The largest id that its field holds; a larger one cut off could be root's.
    private static final long MOST_ID = (1L << 21) - 1;
    private static final byte FILE = '0';
    private static final byte HARD_LINK = '1';
    private static final byte SYMBOLIC_LINK = '2';
    private static final byte DIRECTORY = '5';
    private static final byte PIPE = '6';
    private static final byte EXTENDED = 'x';

    private final OutputStream out;
    private long missing;
    private int padding;

    /// @param out stays the caller's to close
    public TarWriter(OutputStream out) {
        this.out = out;
    }

    /// Writes a directory.
    /// @param name without a slash at its end
    public void directory(String name, Attributes attributes) throws IOException {
        member(DIRECTORY, name + "/", "", 0, attributes);
    }

    public void symbolicLink(String name, String target, Attributes attributes) throws IOException {
        member(SYMBOLIC_LINK, name, target, 0, attributes);
    }

    /// Writes one more name of a file.
    /// @param to name of a member that was written before
    public void hardLink(String name, String to, Attributes attributes) throws IOException {
        member(HARD_LINK, name, to, 0, attributes);
    }

    public void pipe(String name, Attributes attributes) throws IOException {
        member(PIPE, name, "", 0, attributes);
    }

    /// Begins a file, whose content follows by [#content].
    public void file(String name, long size, Attributes attributes) throws IOException {
        member(FILE, name, "", size, attributes);
        missing = size;
        padding = (int) (-size & (BLOCK - 1));
    }

    /// Writes a part of the content of the file that was begun last.
    /// @throws IllegalStateException if it is more than the file's size
    public void content(byte[] bytes, int length) throws IOException {
        if (length > missing) {
            throw new IllegalStateException("a file of an archive is longer than its header says");
        }
        out.write(bytes, 0, length);
        missing -= length;
    }

    /// Ends the archive.
    public void finish() throws IOException {
        endMember();
        out.write(new byte[2 * BLOCK]);
        out.flush();
    }

    private void endMember() throws IOException {
        if (missing != 0) {
            throw new IllegalStateException("a file of an archive is shorter than its header says");
        }
        out.write(new byte[padding]);
        padding = 0;
    }

    private void member(byte type, String name, String target, long size, Attributes attributes) throws IOException {
        endMember();
        byte[] named = ByteText.bytes(name);
        byte[] linked = ByteText.bytes(target);
        long seconds = attributes.modified().getEpochSecond();
        var extended = new ByteArrayOutputStream();
        if (named.length > NAME) {
            extend(extended, "path", named);
        }
        if (linked.length > NAME) {
            extend(extended, "linkpath", linked);
        }
        if (size > MOST_OCTAL) {
            extend(extended, "size", digits(size));
        }
        if (seconds < 0 || seconds > MOST_OCTAL) {
            extend(extended, "mtime", digits(seconds));
        }
        extendId(extended, "uid", attributes.uid());
        extendId(extended, "gid", attributes.gid());
        for (Map.Entry<String, byte[]> attribute : attributes.extended().entrySet()) {
            extend(extended, "SCHILY.xattr." + attribute.getKey(), attribute.getValue());
        }
        if (extended.size() > 0) {
            byte[] content = extended.toByteArray();
            var plain = new Attributes(0644, 0, 0, Instant.EPOCH);
            header(EXTENDED, ByteText.bytes("pax"), new byte[0], content.length, plain);
            out.write(content);
            out.write(new byte[-content.length & (BLOCK - 1)]);
        }
        header(type, named, linked, Math.min(size, MOST_OCTAL), attributes);
    }

    private static void extendId(ByteArrayOutputStream to, String key, int id) throws IOException {
        long number = Integer.toUnsignedLong(id);
        if (number > MOST_ID) {
            extend(to, key, digits(number));
        }
    }

    private static byte[] digits(long value) {
        return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
    private static void extend(ByteArrayOutputStream to, String key, byte[] value) throws IOException {
        byte[] named = ByteText.bytes(key);
        int rest = named.length + value.length + 3;
        int length = rest + 1;
        while (length != rest + Integer.toString(length).length()) {
            length = rest + Integer.toString(length).length();
        }
        to.write(digits(length));
        to.write(' ');
        to.write(named);
        to.write('=');
        to.write(value);
        to.write('\n');
    }

    private void header(byte type, byte[] name, byte[] target, long size, Attributes attributes) throws IOException {
        var block = new byte[BLOCK];
        System.arraycopy(name, 0, block, 0, Math.min(name.length, NAME));
        octal(block, 100, 8, attributes.mode());
        octal(block, 108, 8, Math.min(Integer.toUnsignedLong(attributes.uid()), MOST_ID));
        octal(block, 116, 8, Math.min(Integer.toUnsignedLong(attributes.gid()), MOST_ID));
        octal(block, 124, 12, size);
        octal(block, 136, 12, Math.clamp(attributes.modified().getEpochSecond(), 0, MOST_OCTAL));
        Arrays.fill(block, 148, 156, (byte) ' ');
        block[156] = type;
        System.arraycopy(target, 0, block, 157, Math.min(target.length, NAME));
        System.arraycopy("ustar\0".getBytes(StandardCharsets.US_ASCII), 0, block, 257, 6);
        block[263] = '0';
        block[264] = '0';
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xff;
        }
        octal(block, 148, 7, sum);
        out.write(block);
    }

    private static void octal(byte[] block, int at, int length, long value) {
        long left = value;
        for (int i = at + length - 2; i >= at; i--) {
            block[i] = (byte) ('0' + (left & 7));
            left >>= 3;
        }
        block[at + length - 1] = 0;
    }
}
