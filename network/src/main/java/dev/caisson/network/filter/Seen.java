package dev.caisson.network.filter;

import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Batch.Hook;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Meta;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A signature on packets that our tables have judged, and the tables that drop what bears none. These belong to a
/// socket, so that they stay where a flush takes ours.
///
/// The signature is the upper half of a packet's priority: the kernel clears it where a packet leaves a container, and
/// sets it by the type of service where it begins to forward one, so nobody else writes it.
public final class Seen {
    /// Signatures of the two families: what a bridge's table has signed, the other one must sign again.
    static final int INET = 0xca15_0000;

    static final int BRIDGE = 0xca16_0000;
    /// Signature of the bridge family on a part of a packet. Put together, the packet has that of its first part.
    static final int BRIDGE_PART = 0xca17_0000;

    private static final int UPPER = 0xffff_0000;
    /// Without the bit in which the signatures of packets and parts differ.
    private static final int UPPER_OF_EITHER = UPPER & ~(BRIDGE ^ BRIDGE_PART);

    private static final int FRAMES_CHECKED = BridgeRules.FIRST + 1;
    private static final int CHECKED = 1;
    /// Behind the check.
    static final int UNSIGNED = 2;

    private static final int NAME_BYTES = 16;
    private static final String FRAMES = "frames";
    private static final String SUFFIX = "-unseen";

    private Seen() {}

    static List<Expression> sign(int signature) {
        return rewrite(signature);
    }

    /// Leaves what the kernel had there.
    static List<Expression> unsign() {
        return rewrite(0);
    }

    /// Packets that came to the host in parts.
    static List<Expression> inParts() {
        return List.of(
                Expressions.meta(Meta.PRIORITY, 0),
                Expressions.mask(0, word(UPPER)),
                Expressions.equal(0, word(BRIDGE_PART)));
    }

    private static List<Expression> rewrite(int upper) {
        return List.of(
                Expressions.meta(Meta.PRIORITY, 0),
                Expressions.mask(0, word(~UPPER), word(upper)),
                Expressions.set(Meta.PRIORITY, 0));
    }

    private static byte[] word(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    /// Makes the tables that drop what comes from or goes to our links and is not signed. They know links by kind and
    /// name, so they never change.
    ///
    /// @param tables name of ours
    public static Batch unseen(String tables) {
        String name = tables + SUFFIX;
        var batch = new Batch().ownTable(Family.INET, name).ownTable(Family.BRIDGE, name);
        batch.chain(Family.INET, name, "input", "filter", Hook.INPUT, CHECKED);
        drop(batch, Family.INET, name, "input", bridge(Meta.INPUT_LINK_KIND, Meta.INPUT_NAME), UPPER, INET);
        batch.chain(Family.INET, name, "forward", "filter", Hook.FORWARD, CHECKED);
        drop(batch, Family.INET, name, "forward", bridge(Meta.INPUT_LINK_KIND, Meta.INPUT_NAME), UPPER, INET);
        drop(batch, Family.INET, name, "forward", bridge(Meta.OUTPUT_LINK_KIND, Meta.OUTPUT_NAME), UPPER, INET);
        batch.chain(Family.BRIDGE, name, FRAMES, "filter", Hook.PREROUTING, FRAMES_CHECKED);
        drop(
                batch,
                Family.BRIDGE,
                name,
                FRAMES,
                link("veth", "cv", 14, Meta.INPUT_LINK_KIND, Meta.INPUT_NAME),
                UPPER_OF_EITHER,
                BRIDGE & UPPER_OF_EITHER);
        return batch;
    }

    private static List<Expression> bridge(Meta kind, Meta name) {
        return link("bridge", "cn", 12, kind, name);
    }

    /// Matches links of a kind whose names begin so and have so many characters.
    private static List<Expression> link(String kind, String prefix, int length, Meta kindField, Meta nameField) {
        byte[] kindBytes = ByteBuffer.allocate(NAME_BYTES)
                .put(kind.getBytes(StandardCharsets.US_ASCII))
                .array();
        int last = (length - 1) / Integer.BYTES;
        int end = length / Integer.BYTES;
        return Match.rule(
                List.of(Expressions.meta(kindField, 0), Expressions.equal(0, kindBytes)),
                List.of(
                        Expressions.meta(nameField, 0),
                        Expressions.equal(0, prefix.getBytes(StandardCharsets.US_ASCII)),
                        Expressions.mask(last, at(length - 1)),
                        Expressions.notEqual(last, new byte[Integer.BYTES])),
                List.of(
                        Expressions.meta(nameField, 0),
                        Expressions.mask(end, at(length)),
                        Expressions.equal(end, new byte[Integer.BYTES])));
    }

    /// Returns a mask of one byte of a register.
    private static byte[] at(int index) {
        byte[] mask = new byte[Integer.BYTES];
        mask[index % Integer.BYTES] = (byte) 0xff;
        return mask;
    }

    private static void drop(
            Batch batch, Family family, String table, String chain, List<Expression> link, int mask, int signature) {
        batch.rule(
                family,
                table,
                chain,
                Match.rule(
                        link,
                        List.of(
                                Expressions.meta(Meta.PRIORITY, 0),
                                Expressions.mask(0, word(mask)),
                                Expressions.notEqual(0, word(signature))),
                        Match.then(Expressions.drop())));
    }
}
