package dev.caisson.image;

import dev.caisson.linux.ByteText;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes tar archives byte by byte, so that tests can write what no honest program would.
final class TarBuilder {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Map<String, byte[]> pax = new LinkedHashMap<>();
    private int mode = 0644;
    private long uid;
    private long gid;
    private long deviceMajor;
    private long deviceMinor;
    private String magic = "ustar\00000";

    TarBuilder mode(int value) {
        mode = value;
        return this;
    }

    TarBuilder owner(long newUid, long newGid) {
        uid = newUid;
        gid = newGid;
        return this;
    }

    TarBuilder device(long major, long minor) {
        deviceMajor = major;
        deviceMinor = minor;
        return this;
    }

    TarBuilder magic(String value) {
        magic = value;
        return this;
    }

    /// For the next member only.
    TarBuilder pax(String key, String value) {
        return pax(key, value.getBytes(StandardCharsets.UTF_8));
    }

    TarBuilder pax(String key, byte[] value) {
        pax.put(key, value);
        return this;
    }

    TarBuilder directory(String name) {
        return member('5', name, "", new byte[0]);
    }

    TarBuilder file(String name, String content) {
        return member('0', name, "", content.getBytes(StandardCharsets.UTF_8));
    }

    TarBuilder symbolicLink(String name, String target) {
        return member('2', name, target, new byte[0]);
    }

    TarBuilder hardLink(String name, String target) {
        return member('1', name, target, new byte[0]);
    }

    TarBuilder whiteout(String name) {
        return file(name, "");
    }

    TarBuilder member(char type, String name, String target, byte[] content) {
        if (!pax.isEmpty()) {
            byte[] records = records();
            pax.clear();
            header('x', "pax", "", records.length);
            content(records);
        }
        header(type, name, target, content.length);
        return content(content);
    }

    private byte[] records() {
        var records = new ByteArrayOutputStream();
        pax.forEach((key, value) -> {
            int body = 1 + key.getBytes(StandardCharsets.UTF_8).length + 1 + value.length + 1;
            int length = body;
            while (length != body + Integer.toString(length).length()) {
                length = body + Integer.toString(length).length();
            }
            records.writeBytes((length + " " + key + "=").getBytes(StandardCharsets.UTF_8));
            records.writeBytes(value);
            records.write('\n');
        });
        return records.toByteArray();
    }

    TarBuilder header(char type, String name, String target, long size) {
        byte[] block = new byte[512];
        put(block, 0, name);
        put(block, 100, String.format("%07o", mode));
        number(block, 108, 8, uid);
        number(block, 116, 8, gid);
        number(block, 124, 12, size);
        put(block, 136, String.format("%011o", 1_000_000_000));
        block[156] = (byte) type;
        put(block, 157, target);
        put(block, 257, magic);
        number(block, 329, 8, deviceMajor);
        number(block, 337, 8, deviceMinor);
        return raw(sealed(block));
    }

    static byte[] sealed(byte[] block) {
        Arrays.fill(block, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xff;
        }
        put(block, 148, String.format("%06o\0 ", sum));
        return block;
    }

    TarBuilder content(byte[] content) {
        out.writeBytes(content);
        out.writeBytes(new byte[-content.length & 511]);
        return this;
    }

    TarBuilder raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    private static void put(byte[] block, int offset, String text) {
        byte[] bytes = ByteText.bytes(text);
        System.arraycopy(bytes, 0, block, offset, Math.min(bytes.length, 512 - offset));
    }

    private static void number(byte[] block, int offset, int length, long value) {
        if (value >= 0 && value < 1L << (3 * (length - 1))) {
            put(block, offset, String.format("%0" + (length - 1) + "o", value));
            return;
        }
        for (int i = 0; i < length; i++) {
            int shift = 8 * (length - 1 - i);
            block[offset + i] = (byte) (shift >= 64 ? (value < 0 ? -1 : 0) : value >> shift);
        }
        block[offset] |= (byte) 0x80;
    }

    byte[] withoutEnd() {
        return out.toByteArray();
    }

    byte[] build() {
        byte[] members = out.toByteArray();
        return Arrays.copyOf(members, members.length + 1024);
    }
}
