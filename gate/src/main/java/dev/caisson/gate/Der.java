package dev.caisson.gate;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Values of DER, ITU-T X.690, as certificates need them.
final class Der {
    private static final int INTEGER = 2;
    private static final int BITS = 3;
    private static final int OCTETS = 4;
    private static final int OBJECT = 6;
    private static final int UTF8 = 12;
    private static final int UTC_TIME = 23;
    private static final int GENERAL_TIME = 24;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int FIRST_OF_LONG_YEARS = 2050;

    private Der() {}

    static byte[] value(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        var out = new ByteArrayOutputStream();
        out.write(tag);
        int length = content.size();
        if (length < 0x80) {
            out.write(length);
        } else if (length < 0x100) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82);
            out.write(length >> 8);
            out.write(length);
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    static byte[] sequence(byte[]... parts) {
        return value(SEQUENCE, parts);
    }

    /// A set of one.
    static byte[] set(byte[] part) {
        return value(SET, part);
    }

    static byte[] integer(byte[] bigEndian) {
        return value(INTEGER, bigEndian);
    }

    static byte[] truth() {
        return new byte[] {1, 1, (byte) 0xff};
    }

    /// @param encoded its content
    static byte[] object(int... encoded) {
        var bytes = new byte[encoded.length];
        for (int i = 0; i < encoded.length; i++) {
            bytes[i] = (byte) encoded[i];
        }
        return value(OBJECT, bytes);
    }

    static byte[] text(String text) {
        return value(UTF8, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] octets(byte[] content) {
        return value(OCTETS, content);
    }

    static byte[] bits(int unused, byte[] content) {
        return value(BITS, new byte[] {(byte) unused}, content);
    }

    static byte[] time(Instant time) {
        boolean isLong = time.atZone(ZoneOffset.UTC).getYear() >= FIRST_OF_LONG_YEARS;
        String text = DateTimeFormatter.ofPattern(isLong ? "yyyyMMddHHmmss'Z'" : "yyMMddHHmmss'Z'", Locale.ROOT)
                .withZone(ZoneOffset.UTC)
                .format(time);
        return value(isLong ? GENERAL_TIME : UTC_TIME, text.getBytes(StandardCharsets.US_ASCII));
    }
}
