package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.LockedMemory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.Supplier;

/// The value of a secret: bytes in memory that is never swapped and is cleared by [#close].
///
/// It is never a `String`, and its text form shows nothing. Arrays of the heap that it passes through are cleared at
/// once; the collector may have copied one meanwhile.
public final class SecretValue implements AutoCloseable {
    /// Largest value in bytes, as Docker's and Podman's.
    public static final int MOST_BYTES = 500_000;

    private static final int PIECE = 8192;

    private final LockedMemory memory;

    private SecretValue(LockedMemory memory) {
        this.memory = memory;
    }

    /// Returns a value of `size` zeros, to be filled by [#put].
    static SecretValue ofSize(int size) {
        return new SecretValue(memory(() -> LockedMemory.allocate(size)));
    }

    /// Returns `size` zeros of memory that is never swapped, to be searched.
    static LockedMemory searched(int size) {
        return memory(() -> LockedMemory.allocateSearched(size));
    }

    private static LockedMemory memory(Supplier<LockedMemory> allocate) {
        try {
            return allocate.get();
        } catch (ErrnoException e) {
            throw new SecretException(
                    SecretException.Code.SECRET_STORAGE,
                    "no memory that is never swapped could be had (" + e.getMessage()
                            + "): raise the limit of locked memory, ulimit -l",
                    e);
        }
    }

    /// Copies `bytes`, which the caller clears.
    /// @throws SecretException SECRET_INVALID if it is too large
    public static SecretValue of(byte[] bytes) {
        requireSize(bytes.length);
        SecretValue value = ofSize(bytes.length);
        value.put(0, bytes, 0, bytes.length);
        return value;
    }

    /// Reads all of `input`.
    /// @throws SecretException SECRET_INVALID if it is too large
    public static SecretValue read(InputStream input) throws IOException {
        byte[] piece = new byte[PIECE];
        try (SecretValue all = ofSize(MOST_BYTES + 1)) {
            int size = 0;
            for (int count = input.read(piece); count > 0; count = input.read(piece)) {
                requireSize(size + count);
                all.put(size, piece, 0, count);
                size += count;
            }
            return all.start(size);
        } finally {
            Arrays.fill(piece, (byte) 0);
        }
    }

    /// Generates a password of `size` characters out of `A-Za-z0-9_-`, 6 random bits each.
    /// @param size 1 to 500,000
    public static SecretValue generate(int size) {
        requireSize(size);
        byte[] characters = new byte[size];
        new SecureRandom().nextBytes(characters);
        for (int i = 0; i < size; i++) {
            characters[i] = (byte)
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-".charAt(characters[i] & 0x3f);
        }
        try {
            return of(characters);
        } finally {
            Arrays.fill(characters, (byte) 0);
        }
    }

    static void requireSize(int size) {
        if (size < 1) {
            throw empty();
        }
        if (size > MOST_BYTES) {
            throw SecretException.invalid(
                    "the value is larger than " + MOST_BYTES + " bytes: keep a key here, and the data elsewhere");
        }
    }

    private static SecretException empty() {
        return SecretException.invalid("the value is empty: give at least one byte");
    }

    /// Bytes of the value.
    public int size() {
        return memory.size();
    }

    void put(int at, byte[] from, int offset, int length) {
        memory.put(at, from, offset, length);
    }

    void get(int at, byte[] into, int offset, int length) {
        memory.get(at, into, offset, length);
    }

    /// Returns a copy, which the caller clears.
    public byte[] copy() {
        byte[] copy = new byte[memory.size()];
        memory.get(0, copy, 0, copy.length);
        return copy;
    }

    /// Compares two values, in a time that does not depend on where they differ.
    boolean isSame(SecretValue other) {
        byte[] one = copy();
        byte[] two = other.copy();
        try {
            return MessageDigest.isEqual(one, two);
        } finally {
            Arrays.fill(one, (byte) 0);
            Arrays.fill(two, (byte) 0);
        }
    }

    /// Writes the value at the position of `file`, without a copy in the heap.
    @SuppressWarnings("exports") // for Caisson's own modules
    public void writeTo(Fd file) {
        memory.write(file);
    }

    /// Writes the value to the start of a file that exists, without a copy in the heap.
    ///
    /// @param file a path that the caller trusts, as one below `/proc/self/fd`
    /// @throws SecretException SECRET_STORAGE
    public void writeTo(Path file) {
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_WRONLY)) {
            writeTo(opened);
        } catch (ErrnoException e) {
            throw StoreFiles.failed(file.toString(), e);
        }
    }

    /// Returns a copy of the first `size` bytes.
    SecretValue start(int size) {
        requireSize(size);
        byte[] piece = new byte[PIECE];
        SecretValue start = ofSize(size);
        try {
            for (int at = 0; at < size; at += PIECE) {
                int length = Math.min(PIECE, size - at);
                memory.get(at, piece, 0, length);
                start.put(at, piece, 0, length);
            }
            return start;
        } finally {
            Arrays.fill(piece, (byte) 0);
        }
    }

    @Override
    public void close() {
        memory.close();
    }

    @Override
    public String toString() {
        return "SecretValue";
    }
}
