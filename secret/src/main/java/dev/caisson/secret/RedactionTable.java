package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.LockedMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;

/// The values that a monitor takes out of output, in the form that it reads: `struct redaction_table` and the parts
/// that follow it.
final class RedactionTable {
    private static final int MAGIC = 0x314e5343; // PLAN_MAGIC
    private static final int HEAD = 32;
    private static final int PATTERN = 12;
    private static final int WORD = 8;
    private static final int NONE = -1;
    private static final int MOST = 256 << 20; // MOST_TABLE

    private final ValueMatcher matcher;
    private final List<byte[]> words;
    private final long key = new SecureRandom().nextLong() | 1;
    private final int filterBits;
    private final int bucketBits;
    private final int bytesAt;
    private final int size;

    private RedactionTable(ValueMatcher matcher, List<byte[]> words) {
        this.matcher = matcher;
        this.words = words;
        filterBits = Math.clamp(bits(64L * matcher.size()), 13, 22);
        bucketBits = Math.clamp(bits(2L * matcher.size()), 3, 20);
        bytesAt = HEAD + (1 << (filterBits - 3)) + (4 << bucketBits) + PATTERN * matcher.size() + WORD * words.size();
        int[] all = {bytesAt + words.stream().mapToInt(word -> word.length).sum()};
        matcher.each((_, _, _, length) -> all[0] += length);
        size = all[0];
    }

    private static int bits(long number) {
        return Long.SIZE - Long.numberOfLeadingZeros(number);
    }

    /// Returns the memory that has it, which is the caller's to close.
    static Fd of(ValueMatcher matcher, List<byte[]> words) {
        var table = new RedactionTable(matcher, words);
        if (table.size > MOST) {
            throw SecretException.invalid("to keep the secrets of the container out of its log takes "
                    + (table.size >> 20) + " MiB of memory, and at most " + (MOST >> 20)
                    + " MiB are used: give it fewer or shorter ones");
        }
        try {
            return LockedMemory.share(table.size, table::fill);
        } catch (ErrnoException e) {
            throw new SecretException(
                    SecretException.Code.SECRET_STORAGE,
                    "no memory that is never swapped could be had (" + e.getMessage()
                            + "): raise the limit of locked memory, ulimit -l",
                    e);
        }
    }

    private void fill(LockedMemory memory) {
        ByteBuffer fixed = ByteBuffer.allocate(bytesAt).order(ByteOrder.LITTLE_ENDIAN);
        fixed.putInt(MAGIC).putInt(size).putLong(key).putInt(filterBits).putInt(bucketBits);
        fixed.putInt(matcher.size()).putInt(words.size());
        int filter = HEAD;
        int buckets = filter + (1 << (filterBits - 3));
        int patterns = buckets + (4 << bucketBits);
        for (int bucket = 0; bucket < 1 << bucketBits; bucket++) {
            fixed.putInt(buckets + 4 * bucket, NONE);
        }
        int[] next = {0, bytesAt};
        matcher.each((value, from, start, length) -> {
            int index = next[0]++;
            byte[] bytes = new byte[length];
            from.get(start, bytes, 0, length);
            memory.put(next[1], bytes, 0, length);
            long product = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() * key;
            Arrays.fill(bytes, (byte) 0);
            int bit = (int) (product >>> (Long.SIZE - filterBits));
            int word = filter + 8 * (bit >> 6);
            fixed.putLong(word, fixed.getLong(word) | 1L << bit);
            int bucket = buckets + 4 * (int) (product >>> (Long.SIZE - bucketBits));
            int at = patterns + PATTERN * index;
            fixed.putInt(at, fixed.getInt(bucket)).putInt(at + 4, next[1]);
            fixed.putShort(at + 8, (short) length).putShort(at + 10, (short) value);
            fixed.putInt(bucket, index);
            next[1] += length;
        });
        int at = patterns + PATTERN * matcher.size();
        for (byte[] word : words) {
            fixed.putInt(at, next[1]).putInt(at + 4, word.length);
            memory.put(next[1], word, 0, word.length);
            next[1] += word.length;
            at += WORD;
        }
        memory.put(0, fixed.array(), 0, bytesAt);
    }
}
