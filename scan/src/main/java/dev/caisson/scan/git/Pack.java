package dev.caisson.scan.git;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// A pack with its index of version 2, gitformat-pack(5). Objects are read one at a time; the bases of
/// deltas are kept in a cache of bounded size.
final class Pack implements AutoCloseable {
    private static final int MAGIC = 0xff744f63;
    private static final int HEADER = 8;
    private static final int FANOUT = 256 * 4;
    private static final int MOST_OBJECTS = 4_000_000;
    private static final int MOST_CONTENT = 64 << 20;
    private static final int MOST_CACHED = 64 << 20;
    private static final int DEEPEST = 4096;
    private static final int OFS_DELTA = 6;
    private static final int REF_DELTA = 7;
    private static final int PIECE = 64 * 1024;

    private final Fd file;
    private final int idBytes;
    private final long size;
    private final byte[] index;
    private final int count;
    private final byte[] piece = new byte[PIECE];
    private final Map<Long, GitObject> cache = new LinkedHashMap<>(64, 0.75f, true);
    private long pieceAt = -1;
    private int pieceLength;
    private long cached;

    /// Takes the open files of a pack.
    /// @param idBytes of a name of an object
    Pack(Fd file, byte[] index, int idBytes) throws IOException {
        this.file = file;
        this.idBytes = idBytes;
        this.index = index;
        size = FileSystem.status(file).size();
        ByteBuffer head = ByteBuffer.wrap(index);
        if (index.length < HEADER + FANOUT || head.getInt() != MAGIC || head.getInt() != 2) {
            throw new GitFormatException("a pack's index is not of version 2");
        }
        count = ByteBuffer.wrap(index).getInt(HEADER + FANOUT - 4);
        if (count < 0 || count > MOST_OBJECTS) {
            throw new GitFormatException("a pack has more than " + MOST_OBJECTS + " objects");
        }
        if (index.length < HEADER + FANOUT + (long) count * (idBytes + 8)) {
            throw new GitFormatException("a pack's index is cut off");
        }
    }

    static int longestIndex() {
        return HEADER + FANOUT + MOST_OBJECTS * (ObjectId.SHA256 + 16) + 64;
    }

    int count() {
        return count;
    }

    ObjectId id(int number) {
        return ObjectId.of(index, HEADER + FANOUT + number * idBytes, idBytes);
    }

    /// Returns numbers of objects in the order in which they lie in the pack.
    int[] inOrder() throws IOException {
        long[] places = new long[count];
        for (int number = 0; number < count; number++) {
            long offset = offset(number);
            if (offset >= 1L << 40) {
                throw new GitFormatException("a pack is larger than a terabyte");
            }
            places[number] = (offset << 22) | number;
        }
        Arrays.sort(places);
        return Arrays.stream(places)
                .mapToInt(place -> (int) (place & ((1 << 22) - 1)))
                .toArray();
    }

    private long offset(int number) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(index);
        int small = HEADER + FANOUT + count * (idBytes + 4);
        int offset = all.getInt(small + number * 4);
        if (offset >= 0) {
            return offset;
        }
        long large = small + count * 4L + (offset & 0x7fffffffL) * 8;
        if (large + 8 > index.length) {
            throw new GitFormatException("a pack's index is cut off");
        }
        return all.getLong((int) large);
    }

    /// Finds an object by its name.
    Optional<Integer> find(ObjectId id) {
        byte[] wanted = id.bytes();
        ByteBuffer all = ByteBuffer.wrap(index);
        int first = wanted[0] & 0xff;
        int low = first == 0 ? 0 : all.getInt(HEADER + (first - 1) * 4);
        int high = all.getInt(HEADER + first * 4) - 1;
        while (low >= 0 && low <= high && high < count) {
            int middle = (low + high) >>> 1;
            int at = HEADER + FANOUT + middle * idBytes;
            int order = Arrays.compareUnsigned(index, at, at + idBytes, wanted, 0, idBytes);
            if (order == 0) {
                return Optional.of(middle);
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return Optional.empty();
    }

    GitObject read(int number) throws IOException {
        return readAt(offset(number));
    }

    @SuppressWarnings("ArrayRecordComponent") // nobody compares deltas
    private record Delta(long at, byte[] instructions) {}

    /// What stands before the content of an object.
    private record Head(int kind, int length, long end) {}

    private Head head(long at) throws IOException {
        long cursor = at;
        int digit = byteAt(cursor++);
        int kind = (digit >> 4) & 7;
        long length = digit & 15;
        for (int shift = 4; (digit & 0x80) != 0; shift += 7) {
            digit = byteAt(cursor++);
            length |= (long) (digit & 0x7f) << shift;
            if (shift > 40) {
                throw new GitFormatException("an object has no valid size");
            }
        }
        if (length > MOST_CONTENT) {
            throw new GitFormatException("an object is larger than 64 MiB");
        }
        return new Head(kind, (int) length, cursor);
    }

    private GitObject readAt(long offset) throws IOException {
        var deltas = new ArrayDeque<Delta>();
        long at = offset;
        GitObject object = cache.get(at);
        while (object == null) {
            if (deltas.size() > DEEPEST) {
                throw new GitFormatException("a chain of deltas is longer than " + DEEPEST);
            }
            Head head = head(at);
            if (head.kind() == OFS_DELTA || head.kind() == REF_DELTA) {
                at = delta(at, head, deltas);
                object = cache.get(at);
            } else {
                object = new GitObject(GitObject.Kind.numbered(head.kind()), inflate(head.end(), head.length()));
                remember(at, object);
            }
        }
        while (!deltas.isEmpty()) {
            Delta delta = deltas.pop();
            object = new GitObject(object.kind(), apply(object.content(), delta.instructions()));
            remember(delta.at(), object);
        }
        return object;
    }

    /// Reads a delta.
    /// @return where its base is
    private long delta(long at, Head head, ArrayDeque<Delta> deltas) throws IOException {
        long cursor = head.end();
        if (head.kind() == REF_DELTA) {
            var name = new byte[idBytes];
            for (int i = 0; i < name.length; i++) {
                name[i] = (byte) byteAt(cursor++);
            }
            deltas.push(new Delta(at, inflate(cursor, head.length())));
            return offset(find(ObjectId.of(name, 0, idBytes))
                    .orElseThrow(() -> new GitFormatException("the base of a delta is in another pack")));
        }
        int digit = byteAt(cursor++);
        long back = digit & 0x7f;
        while ((digit & 0x80) != 0 && back < size) {
            digit = byteAt(cursor++);
            back = ((back + 1) << 7) | (digit & 0x7f);
        }
        if (back <= 0 || back > at) {
            throw new GitFormatException("a delta has no valid base");
        }
        deltas.push(new Delta(at, inflate(cursor, head.length())));
        return at - back;
    }

    private void remember(long at, GitObject object) {
        if (object.content().length > MOST_CACHED / 4) {
            return;
        }
        cache.put(at, object);
        cached += object.content().length;
        var oldest = cache.entrySet().iterator();
        while (cached > MOST_CACHED && oldest.hasNext()) {
            cached -= oldest.next().getValue().content().length;
            oldest.remove();
        }
    }

    private int byteAt(long at) throws IOException {
        if (at < pieceAt || at >= pieceAt + pieceLength || pieceAt < 0) {
            pieceLength = FileContent.readAt(file, piece, at);
            pieceAt = at;
            if (pieceLength <= 0) {
                throw new GitFormatException("a pack is cut off");
            }
        }
        return piece[(int) (at - pieceAt)] & 0xff;
    }

    private byte[] inflate(long from, int length) throws IOException {
        var content = new byte[length];
        var inflater = new Inflater();
        try {
            long at = from;
            int done = 0;
            while (!inflater.finished()) {
                if (inflater.needsInput()) {
                    byteAt(at);
                    int skip = (int) (at - pieceAt);
                    inflater.setInput(piece, skip, pieceLength - skip);
                    at = pieceAt + pieceLength;
                }
                int count = inflater.inflate(content, done, length - done);
                done += count;
                boolean stuck = count == 0 && !inflater.finished() && !inflater.needsInput();
                if (stuck || inflater.needsDictionary()) {
                    throw new GitFormatException("an object is larger than it says");
                }
            }
            if (done != length) {
                throw new GitFormatException("an object is smaller than it says");
            }
            return content;
        } catch (DataFormatException e) {
            throw new GitFormatException("an object is damaged");
        } finally {
            inflater.end();
        }
    }

    /// Applies a delta: copies of stretches of the base, and new bytes.
    static byte[] apply(byte[] base, byte[] delta) throws IOException {
        int[] at = new int[1];
        long baseSize = size(delta, at);
        long resultSize = size(delta, at);
        if (baseSize != base.length || resultSize > MOST_CONTENT) {
            throw new GitFormatException(
                    resultSize > MOST_CONTENT ? "an object is larger than 64 MiB" : "a delta is for another base");
        }
        var result = new byte[(int) resultSize];
        int out = 0;
        int in = at[0];
        try {
            while (in < delta.length) {
                int op = delta[in++] & 0xff;
                int from = 0;
                int length = op;
                byte[] source = delta;
                if ((op & 0x80) != 0) {
                    length = 0;
                    for (int i = 0; i < 4; i++) {
                        from |= (op & (1 << i)) != 0 ? (delta[in++] & 0xff) << (8 * i) : 0;
                    }
                    for (int i = 0; i < 3; i++) {
                        length |= (op & (0x10 << i)) != 0 ? (delta[in++] & 0xff) << (8 * i) : 0;
                    }
                    length = length == 0 ? 0x10000 : length;
                    source = base;
                } else {
                    from = in;
                    in += length;
                }
                System.arraycopy(source, from, result, out, length);
                out += length;
            }
        } catch (IndexOutOfBoundsException e) {
            throw new GitFormatException("a delta is damaged");
        }
        if (out != result.length) {
            throw new GitFormatException("a delta is damaged");
        }
        return result;
    }

    private static long size(byte[] delta, int[] at) throws IOException {
        long value = 0;
        for (int shift = 0; at[0] < delta.length && shift <= 35; shift += 7) {
            int digit = delta[at[0]++] & 0xff;
            value |= (long) (digit & 0x7f) << shift;
            if ((digit & 0x80) == 0) {
                return value;
            }
        }
        throw new GitFormatException("a delta is damaged");
    }

    @Override
    public void close() {
        file.close();
    }
}
