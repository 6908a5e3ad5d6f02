package dev.caisson.gate.http2;

import java.util.Arrays;
import java.util.Optional;

/// Collects the parts of header blocks, which come in one HEADERS frame and those of CONTINUATION behind it, with
/// nothing between them. A block has a bounded number of bytes and of parts (CVE-2024-27316, CVE-2023-45288).
final class HeaderCollector {
    private static final int MOST_BYTES = 2 * HeaderDecoder.MOST_BYTES;
    private static final int MOST_PARTS = 16;

    /// A block that is complete.
    ///
    /// @param ends true if no body follows
    record Collected(int stream, HeaderList list, boolean ends) {}

    private final HeaderDecoder decoder = new HeaderDecoder();
    private byte[] bytes = new byte[0];
    private int size;
    private int parts;
    private int stream;
    private boolean ends;

    /// Refuses a frame that stands within a block.
    void require(Frame frame) throws ConnectionException {
        if ((frame.type() == Frame.CONTINUATION) != (stream != 0)
                || (frame.type() == Frame.CONTINUATION && frame.stream() != stream)) {
            throw new ConnectionException(
                    ErrorCode.PROTOCOL_ERROR, "a header block and its continuation are not next to each other");
        }
    }

    /// True if more of a block must follow.
    boolean isIncomplete() {
        return stream != 0;
    }

    /// Takes a frame of a block.
    /// @return the block with its last frame
    Optional<Collected> take(Frame frame) throws ConnectionException {
        if (frame.type() == Frame.HEADERS) {
            stream = frame.stream();
            ends = frame.has(Frame.END_STREAM);
            size = 0;
            parts = 0;
        }
        Frame.Part part = frame.type() == Frame.HEADERS ? frame.content() : new Frame.Part(0, frame.length());
        if (++parts > MOST_PARTS || size + part.length() > MOST_BYTES) {
            throw FrameBudget.calm("a header block has more than " + MOST_BYTES + " bytes or " + MOST_PARTS + " parts");
        }
        if (size + part.length() > bytes.length) {
            bytes = Arrays.copyOf(bytes, size + part.length());
        }
        System.arraycopy(frame.payload(), part.from(), bytes, size, part.length());
        size += part.length();
        if (!frame.has(Frame.END_HEADERS)) {
            return Optional.empty();
        }
        int of = stream;
        stream = 0;
        HeaderList list = decoder.decode(bytes, size);
        bytes = new byte[0];
        return Optional.of(new Collected(of, list, ends));
    }
}
