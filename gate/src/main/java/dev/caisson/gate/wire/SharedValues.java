package dev.caisson.gate.wire;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.LockedMemory;
import dev.caisson.secret.SecretValue;
import java.net.ProtocolException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Values on their way to another process: in memory that is never swapped, which the receiver clears. It has
/// the number of values, the size of each, and then all their bytes.
public final class SharedValues {
    private static final int MOST = 64;
    private static final int MOST_BYTES = 1 << 20;

    private SharedValues() {}

    /// Copies values, which stay the caller's.
    /// @return the memory, which is the caller's to close
    public static Fd share(List<SecretValue> values) {
        int size = Integer.BYTES * (values.size() + 1)
                + values.stream().mapToInt(SecretValue::size).sum();
        return LockedMemory.share(size, memory -> fill(memory, values));
    }

    private static void fill(LockedMemory memory, List<SecretValue> values) {
        memory.put(0, values.size());
        int at = Integer.BYTES * (values.size() + 1);
        for (int i = 0; i < values.size(); i++) {
            byte[] bytes = values.get(i).copy();
            try {
                memory.put(Integer.BYTES * (i + 1), bytes.length);
                memory.put(at, bytes, 0, bytes.length);
                at += bytes.length;
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        }
    }

    /// Takes the values out, and clears the memory.
    /// @throws ProtocolException if it has something else
    public static List<SecretValue> take(Fd file) throws ProtocolException {
        var values = new ArrayList<SecretValue>();
        try {
            LockedMemory.takeShared(file, MOST_BYTES, memory -> read(memory, values));
        } catch (RuntimeException e) {
            values.forEach(SecretValue::close);
            throw new ProtocolException(
                    "values cannot be taken: " + (e instanceof ErrnoException ? e.getMessage() : e));
        }
        return List.copyOf(values);
    }

    private static void read(LockedMemory memory, List<SecretValue> values) {
        int count = memory.integer(0);
        if (count < 0 || count > MOST) {
            throw new IllegalArgumentException(count + " values");
        }
        int at = Integer.BYTES * (count + 1);
        for (int i = 0; i < count; i++) {
            byte[] bytes = new byte[memory.integer(Integer.BYTES * (i + 1))];
            try {
                memory.get(at, bytes, 0, bytes.length);
                values.add(SecretValue.of(bytes));
                at += bytes.length;
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        }
    }
}
