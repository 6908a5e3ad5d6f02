package dev.caisson.secret;

import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.LockedMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Rules texts out that have no stored value, without the values: it has keyed hashes of 32 bits of how they begin, in
/// every form, in memory that is never swapped. A text that is not ruled out is to be compared with the store. May be
/// used by several threads.
public final class TextSieve implements AutoCloseable {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int HEAD = ValueForms.SHORTEST;
    private static final int FREE = 0;
    private static final int LEAST_PLACES = 64;
    /// Places for each hash: a search for one that is not there ends soon.
    private static final int PLACES_EACH = 4;

    private final long key;
    private final long factor;
    private final int places;
    private final LockedMemory hashes;

    private TextSieve(ValueMatcher matcher) {
        byte[] random = KernelRandom.bytes(2 * Long.BYTES);
        key = (long) LONGS.get(random, 0);
        factor = (long) LONGS.get(random, Long.BYTES) | 1;
        places = Math.max(LEAST_PLACES, Integer.highestOneBit(PLACES_EACH * Math.max(1, matcher.size())) * 2);
        hashes = SecretValue.searched(places * Integer.BYTES);
        byte[] head = new byte[HEAD];
        matcher.each((_, memory, start, _) -> {
            memory.get(start, head, 0, HEAD);
            add(hash(head, 0));
        });
        Arrays.fill(head, (byte) 0);
    }

    /// Reads all values of a store; nobody gets one, so its log has no line of it.
    /// @throws SecretException SECRET_TAMPERED
    public static TextSieve of(SecretStore store) {
        return StoredText.withValues(store, (_, matcher) -> new TextSieve(matcher));
    }

    /// True if the text may have a value; false if it has none.
    public boolean mayHold(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at <= bytes.length - HEAD; at++) {
            if (has(hash(bytes, at))) {
                return true;
            }
        }
        return false;
    }

    private int hash(byte[] bytes, int at) {
        long mixed = ((long) LONGS.get(bytes, at) ^ key) * factor;
        mixed = (mixed ^ (mixed >>> 32)) * factor;
        int hash = (int) (mixed >>> 32);
        return hash == FREE ? 1 : hash;
    }

    private void add(int hash) {
        int place = place(hash);
        while (hashes.integer(place * Integer.BYTES) != FREE && hashes.integer(place * Integer.BYTES) != hash) {
            place = next(place);
        }
        hashes.put(place * Integer.BYTES, hash);
    }

    private boolean has(int hash) {
        int place = place(hash);
        for (int found = hashes.integer(place * Integer.BYTES); found != FREE; ) {
            if (found == hash) {
                return true;
            }
            place = next(place);
            found = hashes.integer(place * Integer.BYTES);
        }
        return false;
    }

    private int place(int hash) {
        return hash & (places - 1);
    }

    private int next(int place) {
        return (place + 1) & (places - 1);
    }

    /// Clears the hashes.
    @Override
    public void close() {
        hashes.close();
    }
}
