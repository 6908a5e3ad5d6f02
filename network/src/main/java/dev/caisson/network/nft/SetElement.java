package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;

/// An element of a set or map. Two with the same key are equal.
public final class SetElement {
    private static final int KEY = 1;
    private static final int DATA = 2;
    private static final int FLAGS = 3;
    private static final int TIMEOUT = 4;
    private static final int USER_DATA = 6;
    private static final int EXPRESSION = 7;
    private static final int KEY_END = 10;
    private static final int DATA_VALUE = 1;
    private static final int ENDS_RANGE = 1;
    /// Four of the largest packets that a link hands over in one piece.
    static final int BURST = 256 * 1024;

    private final byte[] key;
    private final byte[] keyEnd;
    private final byte[] value;
    private final Duration timeout;
    private final boolean endsRange;
    private final String comment;
    private final long rate;

    private SetElement(
            byte[] key, byte[] keyEnd, byte[] value, Duration timeout, boolean endsRange, String comment, long rate) {
        this.rate = rate;
        this.key = key;
        this.keyEnd = keyEnd;
        this.value = value;
        this.timeout = timeout;
        this.endsRange = endsRange;
        this.comment = comment;
    }

    public static SetElement of(byte[] key) {
        return new SetElement(key, new byte[0], new byte[0], Duration.ZERO, false, "", 0);
    }

    /// A key of several parts, each from one value to another.
    public static SetElement range(byte[] from, byte[] to) {
        return new SetElement(from, to, new byte[0], Duration.ZERO, false, "", 0);
    }

    /// The first key behind a range of a set whose keys have one part.
    public static SetElement rangeEnd(byte[] key) {
        return new SetElement(key, new byte[0], new byte[0], Duration.ZERO, true, "", 0);
    }

    /// The same, which leads to a value.
    public SetElement to(byte[] target) {
        return new SetElement(key, keyEnd, target, timeout, endsRange, comment, rate);
    }

    /// The same, which goes by itself; zero for never.
    public SetElement lasting(Duration time) {
        return new SetElement(key, keyEnd, value, time, endsRange, comment, rate);
    }

    /// The same with a comment of at most 253 letters, which nft(8) shows.
    public SetElement saying(String text) {
        return new SetElement(key, keyEnd, value, timeout, endsRange, text, rate);
    }

    /// The same in a set of [SetForm.Use#RATED], found once more bytes than these had its key in a second.
    public SetElement atMost(long bytes) {
        return new SetElement(key, keyEnd, value, timeout, endsRange, comment, bytes);
    }

    public byte[] key() {
        return key.clone();
    }

    /// True if it leads to a value, or has a rate that stands so among values; an empty one for an element of a set.
    public boolean leadsTo(byte[] target) {
        return Arrays.equals(rate == 0 ? value : bytes(rate), target);
    }

    /// True if another one with the same key leads to the same value.
    public boolean leadsLike(SetElement other) {
        return Arrays.equals(value, other.value) && rate == other.rate;
    }

    void write(NetlinkWriter out, int type) {
        out.nested(type).nested(KEY).put(DATA_VALUE, key).end();
        if (keyEnd.length > 0) {
            out.nested(KEY_END).put(DATA_VALUE, keyEnd).end();
        }
        if (value.length > 0) {
            out.nested(DATA).put(DATA_VALUE, value).end();
        }
        if (endsRange) {
            out.big32(FLAGS, ENDS_RANGE);
        }
        if (!timeout.isZero()) {
            out.big64(TIMEOUT, timeout.toMillis());
        }
        if (!comment.isEmpty()) {
            out.put(USER_DATA, TableQueries.commentData(comment));
        }
        if (rate != 0) {
            Expressions.moreBytesThan(rate, BURST).write(out, EXPRESSION);
        }
        out.end();
    }

    /// Returns how a rate stands among values.
    static byte[] bytes(long rate) {
        return ByteBuffer.allocate(Long.BYTES).putLong(rate).array();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SetElement element
                && Arrays.equals(key, element.key)
                && Arrays.equals(keyEnd, element.keyEnd)
                && endsRange == element.endsRange;
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(key), Arrays.hashCode(keyEnd), endsRange);
    }
}
