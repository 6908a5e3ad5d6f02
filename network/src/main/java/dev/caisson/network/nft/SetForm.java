package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkWriter;
import dev.caisson.text.AddressText;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/// The form of a set or map: what its keys are put together of, what they lead to, and how it is used.
///
/// @param key parts of a key
/// @param value parts of what a key leads to; empty for a set
/// @param use further properties
/// @param most elements that rules may add
public record SetForm(String name, List<Part> key, List<Part> value, List<Use> use, int most) {
    /// Kinds of data, with the numbers that nft(8) knows them by: they tell it how to print an element.
    public enum Part {
        FAMILY(2, 1),
        IPV4(7, 4),
        IPV6(8, 16),
        ETHERNET(9, 6),
        TRANSPORT(12, 1),
        PORT(13, 2),
        INTERFACE(41, 16);

        private final int number;
        private final int bytes;

        Part(int number, int bytes) {
            this.number = number;
            this.bytes = bytes;
        }

        private String text(byte[] value) {
            return switch (this) {
                case IPV4, IPV6 -> address(value);
                case INTERFACE -> new String(value, StandardCharsets.US_ASCII).replace("\0", "");
                case ETHERNET -> HexFormat.ofDelimiter(":").formatHex(value);
                case FAMILY, TRANSPORT, PORT -> Long.toString(new BigInteger(1, value).longValue());
            };
        }

        private static String address(byte[] value) {
            try {
                return AddressText.of(InetAddress.getByAddress(value));
            } catch (UnknownHostException e) {
                return HexFormat.of().formatHex(value);
            }
        }

        /// Returns how many bytes it takes in a key, whose parts are aligned.
        int padded() {
            return (bytes + 3) & ~3;
        }
    }

    /// Properties of a set.
    public enum Use {
        /// Elements are ranges.
        RANGES(0x4),
        /// Elements may go by themselves.
        TIMEOUT(0x10),
        /// Rules add elements.
        BY_RULES(0x20),
        /// Each element counts the packets that were found to have its key.
        COUNTED(0),
        /// Each element is found once more bytes than its own in a second had its key.
        RATED(0);

        private final int flag;

        Use(int flag) {
            this.flag = flag;
        }
    }

    private static final int MAP = 0x8;
    /// A rule could fill the memory otherwise.
    private static final int MOST_BY_RULES = 65_536;
    private static final int CONCATENATED = 0x80;
    private static final int BITS_OF_A_KIND = 6;
    private static final int FIELD = 1;
    private static final int EACH = 17;
    /// The rate of elements that have none of their own; nobody makes such elements.
    private static final int ANY_RATE = 1_000_000;
    /// Tells nft(8) how to print a name: type 0, length 4, the order of the machine.
    private static final byte[] HOST_ORDER = ByteBuffer.allocate(6)
            .order(ByteOrder.nativeOrder())
            .put((byte) 0)
            .put((byte) 4)
            .putInt(1)
            .array();

    public SetForm {
        key = List.copyOf(key);
        value = List.copyOf(value);
        use = List.copyOf(use);
    }

    public static SetForm set(String name, Part... key) {
        return new SetForm(name, List.of(key), List.of(), List.of(), MOST_BY_RULES);
    }

    public SetForm to(Part... parts) {
        return new SetForm(name, key, List.of(parts), use, most);
    }

    public SetForm with(Use... properties) {
        return new SetForm(name, key, value, List.of(properties), most);
    }

    /// Returns one whose elements rules add, no more than these, and which go by themselves.
    public SetForm remembering(int elements) {
        return new SetForm(name, key, value, List.of(Use.BY_RULES, Use.TIMEOUT), elements);
    }

    /// Returns a key for people, its parts as nft(8) writes them.
    public String text(byte[] bytes) {
        return text(key, bytes);
    }

    /// Returns the same with what the key leads to in a map.
    public String text(byte[] bytes, byte[] target) {
        return value.isEmpty() ? text(bytes) : text(bytes) + " : " + text(value, target);
    }

    private static String text(List<Part> parts, byte[] bytes) {
        var text = new ArrayList<String>();
        List<byte[]> values = parts(parts, bytes);
        for (int i = 0; i < values.size(); i++) {
            text.add(parts.get(i).text(values.get(i)));
        }
        return String.join(" . ", text);
    }

    /// Returns the values of a key's parts.
    public List<byte[]> parts(byte[] bytes) {
        return parts(key, bytes);
    }

    /// Returns the values of the parts of what a key leads to.
    public List<byte[]> valueParts(byte[] bytes) {
        return parts(value, bytes);
    }

    private static List<byte[]> parts(List<Part> parts, byte[] bytes) {
        var values = new ArrayList<byte[]>();
        int at = 0;
        for (Part part : parts) {
            int end = Math.min(bytes.length, at + part.bytes);
            values.add(Arrays.copyOfRange(bytes, Math.min(at, end), end));
            at += part.padded();
        }
        return values;
    }

    void write(NetlinkWriter out, int id) {
        int flags = value.isEmpty() ? 0 : MAP;
        for (Use one : use) {
            flags |= one.flag;
        }
        boolean concatenatedRanges = use.contains(Use.RANGES) && key.size() > 1;
        out.string(2, name)
                .big32(3, concatenatedRanges ? flags | CONCATENATED : flags)
                .big32(4, kind(key))
                .big32(5, length(key));
        if (!value.isEmpty()) {
            out.big32(6, kind(value)).big32(7, length(value));
        }
        if (concatenatedRanges) {
            out.nested(9).nested(2);
            key.forEach(part -> out.nested(FIELD).big32(1, part.bytes).end());
            out.end().end();
        } else if (use.contains(Use.BY_RULES)) {
            out.nested(9).big32(1, most).end();
        }
        out.big32(10, id);
        if (use.contains(Use.COUNTED)) {
            Expressions.counter().write(out, EACH);
        }
        if (use.contains(Use.RATED)) {
            Expressions.moreBytesThan(ANY_RATE, SetElement.BURST).write(out, EACH);
        }
        if (key.size() == 1 && key.getFirst() == Part.INTERFACE) {
            out.put(13, HOST_ORDER);
        }
    }

    private static int kind(List<Part> parts) {
        int kind = 0;
        for (Part part : parts) {
            kind = kind << BITS_OF_A_KIND | part.number;
        }
        return kind;
    }

    private static int length(List<Part> parts) {
        return parts.size() == 1
                ? parts.getFirst().bytes
                : parts.stream().mapToInt(Part::padded).sum();
    }
}
