package dev.caisson.network.names;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Messages of DNS written byte by byte, apart from the code that is tested.
public final class Messages {
    private Messages() {}

    public static byte[] query(int id, String name, int type) {
        return bytes(header(id, 0x0100, 1, 0, 0, 0), question(name, type));
    }

    public static byte[] header(int id, int flags, int questions, int answers, int authorities, int additional) {
        var bytes = new byte[12];
        int[] words = {id, flags, questions, answers, authorities, additional};
        for (int i = 0; i < 6; i++) {
            bytes[2 * i] = (byte) (words[i] >> 8);
            bytes[2 * i + 1] = (byte) words[i];
        }
        return bytes;
    }

    public static byte[] question(String name, int type) {
        return bytes(name(name), new byte[] {(byte) (type >> 8), (byte) type, 0, 1});
    }

    public static byte[] name(String name) {
        var out = new ByteArrayOutputStream();
        for (String label : name.split("\\.", -1)) {
            out.write(label.length());
            out.writeBytes(label.getBytes(StandardCharsets.ISO_8859_1));
        }
        out.write(0);
        return out.toByteArray();
    }

    /// The answer of a server to a query: one address.
    public static byte[] answer(byte[] query, int... address) {
        byte[] question = java.util.Arrays.copyOfRange(query, 12, endOfQuestion(query));
        var data = new byte[address.length];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) address[i];
        }
        int type = data.length == 4 ? 1 : 28;
        byte[] record = {(byte) 0xc0, 12, 0, (byte) type, 0, 1, 0, 0, 0, 60, 0, (byte) data.length};
        int id = (query[0] & 0xff) << 8 | (query[1] & 0xff);
        return bytes(header(id, 0x8180, 1, 1, 0, 0), question, record, data);
    }

    /// An answer without a record.
    public static byte[] failure(byte[] query, int code) {
        byte[] question = java.util.Arrays.copyOfRange(query, 12, endOfQuestion(query));
        int id = (query[0] & 0xff) << 8 | (query[1] & 0xff);
        return bytes(header(id, 0x8180 | code, 1, 0, 0, 0), question);
    }

    public static String nameOf(byte[] query) {
        var text = new StringBuilder();
        int at = 12;
        while (query[at] != 0) {
            text.append(text.isEmpty() ? "" : ".")
                    .append(new String(query, at + 1, query[at], StandardCharsets.ISO_8859_1));
            at += 1 + query[at];
        }
        return text.toString();
    }

    private static int endOfQuestion(byte[] query) {
        int at = 12;
        while (query[at] != 0) {
            at += 1 + query[at];
        }
        return at + 5;
    }

    public static byte[] bytes(byte[]... parts) {
        var out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
