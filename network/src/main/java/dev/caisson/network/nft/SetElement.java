package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkWriter;
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
    private static final int KEY_END = 10;
    private static final int DATA_VALUE = 1;
    private static final int ENDS_RANGE = 1;

    private final byte[] key;
    private final byte[] keyEnd;
    private final byte[] value;
    private final Duration timeout;
    private final boolean endsRange;
    private final String comment;

    private SetElement(byte[] key, byte[] keyEnd, byte[] value, Duration timeout, boolean endsRange, String comment) {
        this.key = key;
        this.keyEnd = keyEnd;
        this.value = value;
        this.timeout = timeout;
        this.endsRange = endsRange;
        this.comment = comment;
    }

    public static SetElement of(byte[] key) {
        return new SetElement(key, new byte[0], new byte[0], Duration.ZERO, false, "");
    }

    /// A key of several parts, each from one value to another.
    public static SetElement range(byte[] from, byte[] to) {
        return new SetElement(from, to, new byte[0], Duration.ZERO, false, "");
    }

    /// The first key behind a range of a set whose keys have one part.
    public static SetElement rangeEnd(byte[] key) {
        return new SetElement(key, new byte[0], new byte[0], Duration.ZERO, true, "");
    }

    /// The same, which leads to a value.
    public SetElement to(byte[] target) {
        return new SetElement(key, keyEnd, target, timeout, endsRange, comment);
    }

    /// The same, which goes by itself; zero for never.
    public SetElement lasting(Duration time) {
        return new SetElement(key, keyEnd, value, time, endsRange, comment);
    }

    /// The same with a comment of at most 253 letters, which nft(8) shows.
    public SetElement saying(String text) {
        return new SetElement(key, keyEnd, value, timeout, endsRange, text);
    }

    public byte[] key() {
        return key.clone();
    }

    /// True if it leads to a value; an empty one for an element of a set.
    public boolean leadsTo(byte[] target) {
        return Arrays.equals(value, target);
    }

    /// True if another one with the same key leads to the same value.
    public boolean leadsLike(SetElement other) {
        return Arrays.equals(value, other.value);
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
        out.end();
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
