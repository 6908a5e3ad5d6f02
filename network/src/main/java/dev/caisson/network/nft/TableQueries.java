package dev.caisson.network.nft;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.network.nft.Batch.Family;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What nftables of a network namespace has.
public final class TableQueries {
    private static final int GET_TABLE = 1;
    static final int GET_CHAIN = 4;
    static final int GET_RULE = 7;
    private static final int GET_ELEMENTS = 13;
    private static final int GET_GENERATION = 16;
    static final int HEADER = 4;
    private static final int USER_DATA = 6;

    private TableQueries() {}

    static NetlinkWriter request(NetlinkWriter out, int type, int flags, int family) {
        return out.message(Batch.SUBSYSTEM | type, NetlinkWriter.REQUEST | flags)
                .u8(family)
                .u8(0)
                .u16(0);
    }

    /// Returns the number of the rules that the packet filter has, which each change of anybody's counts up.
    public static int generation(NetlinkSocket socket) {
        var request = new NetlinkWriter();
        request(request, GET_GENERATION, 0, 0).end();
        return socket.askForOne("the generation of rules", request)
                .attributes(HEADER)
                .big32(1)
                .orElseThrow();
    }

    /// Returns the comment of a table, empty if it has none; nothing if there is no such table.
    public static Optional<String> comment(NetlinkSocket socket, Family family, String table) {
        var request = new NetlinkWriter();
        request(request, GET_TABLE, NetlinkWriter.ACK, family.number())
                .string(1, table)
                .end();
        try {
            return socket.ask("table " + table, request).stream()
                    .findFirst()
                    .map(message -> message.attributes(HEADER)
                            .find(USER_DATA)
                            .map(TableQueries::comment)
                            .orElse(""));
        } catch (NetlinkException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// User data are types of one byte, lengths of one byte, values; type 0 is a comment that ends with NUL.
    private static String comment(byte[] data) {
        for (int at = 0; at + 2 <= data.length; ) {
            int length = Byte.toUnsignedInt(data[at + 1]);
            if (at + 2 + length > data.length) {
                return "";
            }
            if (data[at] == 0 && length > 0) {
                return new String(data, at + 2, length - 1, StandardCharsets.UTF_8);
            }
            at += 2 + length;
        }
        return "";
    }

    /// Returns what stands for the chains of a table as the kernel has them: for each its hook, policy and rules in
    /// their order, as a hash, by the name of the chain. Under an empty name stand the flags of the table.
    public static Map<String, String> fingerprints(NetlinkSocket socket, Family family, String table) {
        var hashes = new LinkedHashMap<String, MessageDigest>();
        var request = new NetlinkWriter();
        request(request, GET_TABLE, NetlinkWriter.ACK, family.number())
                .string(1, table)
                .end();
        for (NetlinkMessage message : socket.ask("table " + table, request)) {
            update(hashes, "", message.attributes(HEADER), 2);
        }
        request = new NetlinkWriter();
        request(request, GET_CHAIN, NetlinkWriter.DUMP, family.number()).end();
        for (NetlinkMessage message : socket.dump("the list of chains", request)) {
            NetlinkAttributes chain = message.attributes(HEADER);
            if (chain.string(1).equals(Optional.of(table))) {
                update(hashes, chain.string(3).orElse(""), chain, 4, 5, 7, 10);
            }
        }
        request = new NetlinkWriter();
        request(request, GET_RULE, NetlinkWriter.DUMP, family.number())
                .string(1, table)
                .end();
        for (NetlinkMessage message : socket.dump("the list of rules", request)) {
            NetlinkAttributes rule = message.attributes(HEADER);
            if (rule.string(1).equals(Optional.of(table))) {
                update(hashes, rule.string(2).orElse(""), rule, 4);
            }
        }
        var texts = new LinkedHashMap<String, String>();
        hashes.forEach((name, hash) -> texts.put(name, HexFormat.of().formatHex(hash.digest())));
        return texts;
    }

    /// Adds attributes to the hash of a name, each behind its type and length.
    private static void update(Map<String, MessageDigest> hashes, String name, NetlinkAttributes from, int... types) {
        MessageDigest hash = hashes.computeIfAbsent(name, _ -> sha256());
        for (int type : types) {
            byte[] value = from.find(type).orElseGet(() -> new byte[0]);
            hash.update(ByteBuffer.allocate(8).putInt(type).putInt(value.length).flip());
            hash.update(value);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// An element of a set.
    ///
    /// @param end the last key of a range; empty for a single key
    /// @param value what the key leads to, or the rate of an element that has one; else empty in a set
    /// @param comment empty if it has none
    /// @param expires true if it goes by itself
    /// @param packets how many were found to have its key, if its set counts them
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Element(byte[] key, byte[] end, byte[] value, String comment, boolean expires, long packets) {}

    /// Returns all elements of a set.
    public static List<Element> elements(NetlinkSocket socket, Family family, String table, SetForm form) {
        return elements(socket, family, table, form, List.of(new byte[0]));
    }

    /// Returns the elements of a set whose keys begin with one of these.
    public static List<Element> elements(
            NetlinkSocket socket, Family family, String table, SetForm form, List<byte[]> beginnings) {
        int elements = 3;
        var request = new NetlinkWriter();
        request(request, GET_ELEMENTS, NetlinkWriter.DUMP, family.number())
                .string(1, table)
                .string(2, form.name())
                .end();
        var found = new ArrayList<Element>();
        for (NetlinkMessage message : socket.dump("set " + form.name(), request)) {
            message.attributes(HEADER)
                    .nested(elements)
                    .ifPresent(list -> list.all()
                            .forEach(one -> element(one.nested(), beginnings).ifPresent(found::add)));
        }
        return found;
    }

    private static boolean beginsWith(byte[] key, byte[] beginning) {
        return key.length >= beginning.length
                && Arrays.equals(key, 0, beginning.length, beginning, 0, beginning.length);
    }

    private static Optional<Element> element(NetlinkAttributes attributes, List<byte[]> beginnings) {
        int key = 1;
        int data = 2;
        int timeout = 4;
        int userData = 6;
        int expression = 7;
        int keyEnd = 10;
        int packets = 2;
        return attributes
                .nested(key)
                .flatMap(part -> part.find(1))
                .filter(bytes -> beginnings.stream().anyMatch(one -> beginsWith(bytes, one)))
                .map(bytes -> new Element(
                        bytes,
                        attributes.nested(keyEnd).flatMap(part -> part.find(1)).orElseGet(() -> new byte[0]),
                        attributes
                                .nested(data)
                                .flatMap(part -> part.find(1))
                                .or(() -> rate(attributes))
                                .orElseGet(() -> new byte[0]),
                        attributes.find(userData).map(TableQueries::comment).orElse(""),
                        attributes.find(timeout).isPresent(),
                        attributes
                                .nested(expression)
                                .flatMap(part -> part.nested(2))
                                .flatMap(part -> part.big64(packets))
                                .orElse(0L)));
    }

    private static Optional<byte[]> rate(NetlinkAttributes element) {
        return element.nested(7)
                .filter(expression -> expression.string(1).equals(Optional.of("limit")))
                .flatMap(expression -> expression.nested(2))
                .flatMap(limit -> limit.big64(1))
                .map(SetElement::bytes);
    }

    /// Returns the keys of all elements of a set, each in its hexadecimal digits.
    public static List<String> keys(NetlinkSocket socket, Family family, String table, SetForm form) {
        return elements(socket, family, table, form).stream()
                .map(one -> HexFormat.of().formatHex(one.key()))
                .toList();
    }

    static byte[] commentData(String comment) {
        byte[] text = comment.getBytes(StandardCharsets.UTF_8);
        byte[] data = Arrays.copyOf(new byte[] {0, (byte) (text.length + 1)}, text.length + 3);
        System.arraycopy(text, 0, data, 2, text.length);
        return data;
    }
}
