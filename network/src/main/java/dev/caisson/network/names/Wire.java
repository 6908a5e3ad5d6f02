package dev.caisson.network.names;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Numbers of DNS and the reading of names, RFC 1035 section 4. Nothing is read beyond a message's length.
final class Wire {
    static final int HEADER = 12;
    static final int LONGEST_TCP = 65535;
    /// The longest answer to a client that does not say more, RFC 1035 section 4.2.1.
    static final int SHORTEST_LIMIT = 512;
    /// The longest datagram that is sent or asked for: it is never cut in pieces, DNS flag day 2020.
    static final int LONGEST_UDP = 1232;

    static final int TYPE_A = 1;
    static final int TYPE_CNAME = 5;
    static final int TYPE_PTR = 12;
    static final int TYPE_AAAA = 28;
    static final int TYPE_OPT = 41;
    static final int TYPE_ANY = 255;
    static final int CLASS_IN = 1;

    static final int NO_ERROR = 0;
    static final int FORMAT_ERROR = 1;
    static final int SERVER_FAILURE = 2;
    static final int NAME_ERROR = 3;
    static final int NOT_IMPLEMENTED = 4;
    static final int REFUSED = 5;
    static final int BAD_VERSION = 16;

    static final int RESPONSE = 0x8000;
    static final int OPCODE = 0x7800;
    static final int AUTHORITATIVE = 0x0400;
    static final int TRUNCATED = 0x0200;
    static final int RECURSION_DESIRED = 0x0100;
    static final int RECURSION_AVAILABLE = 0x0080;
    static final int CHECKING_DISABLED = 0x0010;
    static final int CODE = 0x000f;
    static final int DNSSEC_OK = 0x8000;

    private static final int LONGEST_NAME = 255;
    private static final int LONGEST_LABEL = 63;
    private static final int POINTER = 0xc0;

    private Wire() {}

    static int u16(byte[] message, int at) {
        return Byte.toUnsignedInt(message[at]) << 8 | Byte.toUnsignedInt(message[at + 1]);
    }

    static void u16(byte[] message, int at, int value) {
        message[at] = (byte) (value >> 8);
        message[at + 1] = (byte) value;
    }

    static long u32(byte[] message, int at) {
        return (long) u16(message, at) << 16 | u16(message, at + 2);
    }

    /// Returns where a name ends that holds no pointer.
    static int endOfName(byte[] message, int length, int from) throws MalformedMessage {
        int at = from;
        while (true) {
            require(at < length, "a name goes beyond the message");
            int label = Byte.toUnsignedInt(message[at]);
            require(label <= LONGEST_LABEL, "a question holds a pointer");
            at += 1 + label;
            require(at - from <= LONGEST_NAME, "a name is longer than 255 bytes");
            if (label == 0) {
                return at;
            }
        }
    }

    /// Returns where a name ends in its own place, after it was followed through all its pointers, which lead
    /// backwards only.
    static int endOfCompressedName(byte[] message, int length, int from) throws MalformedMessage {
        int at = from;
        int end = -1;
        int lowest = from;
        int size = 0;
        while (true) {
            require(at < length, "a name goes beyond the message");
            int label = Byte.toUnsignedInt(message[at]);
            if ((label & POINTER) == POINTER) {
                require(at + 1 < length, "a pointer goes beyond the message");
                int target = u16(message, at) & 0x3fff;
                end = end < 0 ? at + 2 : end;
                require(target < lowest && target >= HEADER, "a pointer does not lead backwards");
                lowest = target;
                at = target;
                continue;
            }
            require(label <= LONGEST_LABEL, "a label is of a kind that does not exist");
            at += 1 + label;
            size += 1 + label;
            require(size <= LONGEST_NAME, "a name is longer than 255 bytes");
            if (label == 0) {
                return end < 0 ? at : end;
            }
        }
    }

    /// Returns the name at `from`, which was found to be well formed, in lower case with dots between its labels; empty
    /// for one that holds other bytes than a host's name does.
    static Optional<String> text(byte[] message, int from) {
        var text = new byte[LONGEST_NAME];
        int written = 0;
        int at = from;
        while (message[at] != 0) {
            int label = Byte.toUnsignedInt(message[at]);
            if ((label & POINTER) == POINTER) {
                at = u16(message, at) & 0x3fff;
                continue;
            }
            if (written > 0) {
                text[written++] = '.';
            }
            for (int i = at + 1; i <= at + label; i++) {
                byte letter = message[i] >= 'A' && message[i] <= 'Z' ? (byte) (message[i] + 32) : message[i];
                if (!isOfHost(letter)) {
                    return Optional.empty();
                }
                text[written++] = letter;
            }
            at += 1 + label;
        }
        return Optional.of(new String(text, 0, written, StandardCharsets.US_ASCII));
    }

    private static boolean isOfHost(byte letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
    }

    /// Returns a host's name as labels, the root's behind them.
    static byte[] labels(String name) {
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        var labels = new byte[text.length + 2];
        int start = 0;
        for (int i = 0; i <= text.length; i++) {
            if (i == text.length || text[i] == '.') {
                labels[start] = (byte) (i - start);
                start = i + 1;
            } else {
                labels[i + 1] = text[i];
            }
        }
        return labels;
    }

    /// True if the labels of two questions are the same but for the case of letters, and their types and classes too.
    static boolean sameQuestion(byte[] one, byte[] other, int otherAt) {
        for (int i = 0; i < one.length; i++) {
            boolean inName = i < one.length - 4;
            if (inName ? lower(one[i]) != lower(other[otherAt + i]) : one[i] != other[otherAt + i]) {
                return false;
            }
        }
        return true;
    }

    /// No length of a label is as high as a letter.
    private static byte lower(byte letter) {
        return letter >= 'A' && letter <= 'Z' ? (byte) (letter + 32) : letter;
    }

    static void require(boolean holds, String otherwise) throws MalformedMessage {
        if (!holds) {
            throw new MalformedMessage(FORMAT_ERROR, otherwise);
        }
    }
}
