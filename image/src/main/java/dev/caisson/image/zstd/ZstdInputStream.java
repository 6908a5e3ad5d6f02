package dev.caisson.image.zstd;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/// Decodes a zstd stream, RFC 8878, frame after frame; skippable frames are left out. The sizes that the stream states
/// are not trusted: memory grows with what was really decoded, up to twice the window and a block. The checksum of a
/// frame is compared, where it has one.
public final class ZstdInputStream extends InputStream {
    /// The largest window that is decoded: that of the strongest level of the tools that build images.
    static final int WINDOW_LIMIT = 32 << 20;

    private static final int MAGIC = 0xfd2fb528;
    private static final int SKIPPABLE_MAGIC = 0x184d2a50;
    private static final int SKIPPABLE_MASK = 0xfffffff0;
    private static final int FIRST_ROOM = 256 << 10;

    private final InputStream in;
    private final byte[] packed = new byte[ZstdBlock.LIMIT + ZstdBits.PADDING];
    private ZstdBlock block = new ZstdBlock();

    /// The decoded bytes of this frame, at least as much of its end as the window is long; what lies before `taken` was
    /// read already.
    private byte[] history = new byte[FIRST_ROOM];
    private int end;
    private int taken;

    private boolean inFrame;
    private boolean checksum;
    private Xxh64 content = new Xxh64();
    private int window;
    private int blockLimit;
    private long announced;
    private long decoded;

    /// @param in at the first frame; not read past the last one
    public ZstdInputStream(InputStream in) {
        this.in = in;
    }

    /// True if a stream with these first bytes is one: they begin a frame or a skippable frame.
    public static boolean begins(byte[] bytes) {
        return bytes.length >= 4 && isMagic((int) ZstdBits.littleEndian(bytes, 0, 4));
    }

    private static boolean isMagic(int number) {
        return number == MAGIC || (number & SKIPPABLE_MASK) == SKIPPABLE_MAGIC;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (taken == end) {
            if (!inFrame && !beginFrame()) {
                return -1;
            }
            decodeBlock();
        }
        int count = Math.min(length, end - taken);
        System.arraycopy(history, taken, bytes, offset, count);
        taken += count;
        return count;
    }

    @Override
    public int available() {
        return end - taken;
    }

    /// @return false at the end of the stream
    private boolean beginFrame() throws IOException {
        while (true) {
            byte[] magic = in.readNBytes(4);
            if (magic.length == 0) {
                return false;
            }
            int number = (int) ZstdBits.littleEndian(magic, 0, magic.length);
            if (!isMagic(number)) { // nor is one that is cut off: all of them use four bytes
                throw ZstdException.damaged("something else stands where a frame begins");
            }
            if (number == MAGIC) {
                readFrameHeader();
                return true;
            }
            leaveOut(field(4));
        }
    }

    /// Read, not skipped: a stream that hashes what passes does not see what is skipped.
    private void leaveOut(long size) throws IOException {
        for (long left = size; left > 0; ) {
            int count = in.read(packed, 0, (int) Math.min(left, packed.length));
            if (count < 0) {
                throw ZstdException.damaged("it is cut off");
            }
            left -= count;
        }
    }

    private void readFrameHeader() throws IOException {
        int descriptor = (int) field(1);
        if ((descriptor & 8) != 0) {
            throw ZstdException.damaged("a reserved bit is set");
        }
        boolean single = (descriptor & 0x20) != 0;
        checksum = (descriptor & 4) != 0;
        long size = 0;
        if (!single) {
            int exponentAndMantissa = (int) field(1);
            long base = 1L << (10 + (exponentAndMantissa >> 3));
            size = base + base / 8 * (exponentAndMantissa & 7);
        }
        int[] dictionaryBytes = {0, 1, 2, 4};
        if (field(dictionaryBytes[descriptor & 3]) != 0) {
            throw new ZstdException(
                    ZstdException.Reason.DICTIONARY,
                    "the image has a layer compressed with a zstd dictionary, which no image brings; build it again");
        }
        announced = readContentSize(descriptor >> 6, single);
        if (single) {
            size = announced;
        }
        if (size < 0 || size > WINDOW_LIMIT) {
            throw new ZstdException(
                    ZstdException.Reason.WINDOW_TOO_LARGE,
                    "the image has a layer whose zstd window is larger than " + (WINDOW_LIMIT >> 20)
                            + " MiB; compress it again without --long or --ultra");
        }
        window = (int) size;
        blockLimit = Math.min(window, ZstdBlock.LIMIT);
        block = new ZstdBlock();
        inFrame = true;
        content = new Xxh64();
        decoded = 0;
        end = 0;
        taken = 0;
    }

    /// -1 where the frame does not say.
    private long readContentSize(int flag, boolean single) throws IOException {
        return switch (flag) {
            case 0 -> single ? field(1) : -1;
            case 1 -> field(2) + 256;
            case 2 -> field(4);
            default -> {
                long size = field(8);
                if (size < 0) {
                    throw ZstdException.damaged("a size of more than 63 bits");
                }
                yield size;
            }
        };
    }

    private void decodeBlock() throws IOException {
        int header = (int) field(3);
        int size = header >>> 3;
        int type = header >>> 1 & 3;
        if (size > blockLimit) {
            throw ZstdException.damaged("a block is too large");
        }
        makeRoom();
        int before = end;
        switch (type) {
            case 0 -> {
                readFully(history, end, size);
                end += size;
            }
            case 1 -> {
                byte repeated = (byte) field(1);
                Arrays.fill(history, end, end + size, repeated);
                end += size;
            }
            case 2 -> {
                readFully(packed, 0, size);
                end = block.decode(packed, size, history, end, window, blockLimit);
            }
            default -> throw ZstdException.damaged("a block of a reserved type");
        }
        decoded += end - before;
        if (checksum) {
            content.add(history, before, end - before);
        }
        if (announced >= 0 && decoded > announced) {
            throw ZstdException.damaged("a frame holds more than it says");
        }
        if ((header & 1) != 0) {
            endFrame();
        }
    }

    private void endFrame() throws IOException {
        if (announced >= 0 && decoded != announced) {
            throw ZstdException.damaged("a frame holds less than it says");
        }
        if (checksum && (int) field(4) != (int) content.value()) {
            throw ZstdException.damaged("the checksum of a frame is another one");
        }
        inFrame = false;
    }

    /// All of the history was read; its last `window` bytes are needed still.
    private void makeRoom() {
        if (history.length - end >= ZstdBlock.LIMIT) {
            return;
        }
        int most = 2 * window + ZstdBlock.LIMIT;
        if (history.length < most) {
            history = Arrays.copyOf(history, (int) Math.min(most, 2L * history.length));
            if (history.length - end >= ZstdBlock.LIMIT) {
                return;
            }
        }
        int kept = Math.min(window, end);
        System.arraycopy(history, end - kept, history, 0, kept);
        end = kept;
        taken = kept;
    }

    private long field(int width) throws IOException {
        byte[] bytes = in.readNBytes(width);
        if (bytes.length != width) {
            throw ZstdException.damaged("it is cut off");
        }
        return ZstdBits.littleEndian(bytes, 0, width);
    }

    private void readFully(byte[] target, int at, int count) throws IOException {
        if (in.readNBytes(target, at, count) != count) {
            throw ZstdException.damaged("it is cut off");
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
