package dev.caisson.secret;

import dev.caisson.linux.LockedMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Finds values in bytes, as they are and in the forms in which they get into logs, files and images.
/// May be used by many threads.
///
/// The values are in memory that is never swapped and that [#close] clears; the heap has a table of
/// keyed hashes of 16 bits or a few more, which give nothing away. Values of fewer than 8 bytes are
/// never found: they stand in any text.
public final class ValueMatcher implements AutoCloseable {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int HEAD = ValueForms.SHORTEST;
    private static final int LEAST_BITS = 16;
    private static final int MOST_BITS = 22;

    /// Takes a place where a value stands. Of several at one place each is given.
    @FunctionalInterface
    public interface Hit {
        /// Takes a place, given the index of its value in the list that the matcher was made of.
        void at(int value, ValueForm form, int from, int to);
    }

    private record Pattern(int value, ValueForm form, LockedMemory memory, int start, int length) {}

    private final Pattern[] patterns;
    private final List<LockedMemory> memories;
    private final long key = new SecureRandom().nextLong() | 1;
    private final int shift;
    private final long[] filter;
    /// First pattern of a hash, and the next one of the same hash; -1 for none.
    private final int[] first;

    private final int[] next;
    private final int longest;

    private ValueMatcher(List<Pattern> all, List<LockedMemory> memories) {
        patterns = all.toArray(Pattern[]::new);
        this.memories = memories;
        int bits = Math.clamp(Integer.SIZE - Integer.numberOfLeadingZeros(64 * patterns.length), LEAST_BITS, MOST_BITS);
        shift = Long.SIZE - bits;
        filter = new long[1 << (bits - 6)];
        first = new int[1 << bits];
        Arrays.fill(first, -1);
        next = new int[patterns.length];
        int most = 0;
        byte[] head = new byte[HEAD];
        for (int index = 0; index < patterns.length; index++) {
            Pattern pattern = patterns[index];
            pattern.memory().get(pattern.start(), head, 0, HEAD);
            int slot = slot(head, 0);
            filter[slot >>> 6] |= 1L << slot;
            next[index] = first[slot];
            first[slot] = index;
            most = Math.max(most, pattern.length());
        }
        Arrays.fill(head, (byte) 0);
        longest = most;
    }

    /// Makes a matcher of values, which may be closed afterwards.
    public static ValueMatcher of(List<SecretValue> values) {
        List<Pattern> patterns = new ArrayList<>();
        List<LockedMemory> memories = new ArrayList<>();
        try {
            for (int value = 0; value < values.size(); value++) {
                List<ValueForms.Written> forms = ValueForms.of(values.get(value));
                try {
                    int size = forms.stream()
                            .mapToInt(written -> written.bytes().length)
                            .sum();
                    LockedMemory memory = SecretValue.searched(size);
                    memories.add(memory);
                    int at = 0;
                    for (ValueForms.Written written : forms) {
                        int length = written.bytes().length;
                        memory.put(at, written.bytes(), 0, length);
                        patterns.add(new Pattern(value, written.form(), memory, at, length));
                        at += length;
                    }
                } finally {
                    ValueForms.clear(forms);
                }
            }
            return new ValueMatcher(patterns, memories);
        } catch (RuntimeException e) {
            memories.forEach(LockedMemory::close);
            throw e;
        }
    }

    /// Takes what is matched.
    @FunctionalInterface
    interface Taker {
        void take(int value, LockedMemory memory, int start, int length);
    }

    int size() {
        return patterns.length;
    }

    void each(Taker taker) {
        for (Pattern pattern : patterns) {
            taker.take(pattern.value(), pattern.memory(), pattern.start(), pattern.length());
        }
    }

    /// True if the value is never found, because it is too short.
    public static boolean isTooShort(SecretValue value) {
        List<ValueForms.Written> forms = ValueForms.of(value);
        ValueForms.clear(forms);
        return forms.isEmpty();
    }

    /// True if there is nothing to find.
    public boolean isEmpty() {
        return patterns.length == 0;
    }

    /// The most bytes that a place has; longer values are found in pieces.
    public int longest() {
        return longest;
    }

    private int slot(byte[] bytes, int at) {
        return (int) (((long) LONGS.get(bytes, at) * key) >>> shift);
    }

    /// Finds the values that stand in `bytes` between `from` and `to`, in the order in which they begin.
    ///
    /// @return the first offset at which a value may begin that goes on behind `to`: a stream holds that
    ///     back until it has more; `to` if there is none
    public int search(byte[] bytes, int from, int to, Hit hit) {
        if (patterns.length == 0) {
            return to;
        }
        int unfinished = to;
        int last = to - HEAD;
        for (int at = from; at <= last; at++) {
            int slot = slot(bytes, at);
            if ((filter[slot >>> 6] & (1L << slot)) != 0) {
                for (int index = first[slot]; index >= 0; index = next[index]) {
                    Pattern pattern = patterns[index];
                    int length = Math.min(pattern.length(), to - at);
                    if (pattern.memory().holds(pattern.start(), bytes, at, length)) {
                        if (length == pattern.length()) {
                            hit.at(pattern.value(), pattern.form(), at, at + length);
                        } else {
                            unfinished = Math.min(unfinished, at);
                        }
                    }
                }
            }
        }
        for (int at = Math.max(from, last + 1); at < unfinished; at++) {
            if (mayBegin(bytes, at, to)) {
                return at;
            }
        }
        return unfinished;
    }

    /// True if some value begins with the few bytes at the end.
    private boolean mayBegin(byte[] bytes, int from, int to) {
        for (Pattern pattern : patterns) {
            if (pattern.memory().holds(pattern.start(), bytes, from, to - from)) {
                return true;
            }
        }
        return false;
    }

    /// Clears the values.
    @Override
    public void close() {
        memories.forEach(LockedMemory::close);
    }

    @Override
    public String toString() {
        return "ValueMatcher of " + patterns.length + " forms";
    }
}
