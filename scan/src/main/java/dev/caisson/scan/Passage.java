package dev.caisson.scan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A stretch of bytes that is searched at once: a window of a file, or what a part of one decodes to.
/// @param bytes the stretch, from 0 to `length`
/// @param from secrets that start before are an earlier window's
/// @param to secrets that start at or after are a later window's
/// @param origin where the stretch was decoded from, if it was
@SuppressWarnings("ArrayRecordComponent") // nobody compares passages
record Passage(String source, byte[] bytes, int length, int from, int to, Lines lines, Optional<Origin> origin) {
    Passage(String source, byte[] bytes, int length, int from, int to, Lines lines) {
        this(source, bytes, length, from, to, lines, Optional.empty());
    }

    /// What a stretch was decoded from. Its place and remark are looked up for findings alone: most stretches
    /// have none.
    /// @param at offset in the outer passage
    /// @param depth how often the stretch was decoded
    record Origin(Passage outer, int at, String encoding, int depth) {
        Place place() {
            Place outermost = outer.place(at);
            var encodings = new ArrayList<>(outermost.decoded());
            encodings.add(encoding);
            return new Place(outermost.source(), outermost.line(), outermost.column(), List.copyOf(encodings));
        }
    }

    private static final int DEEPEST = 3;

    /// Returns the place of a byte.
    Place place(int at) {
        return origin.map(Origin::place).orElseGet(() -> lines.place(source, bytes, at));
    }

    /// Returns how often the stretch was decoded.
    int depth() {
        return origin.map(Origin::depth).orElse(0);
    }

    /// Returns what the line says that a byte is in, or the one that the stretch was decoded from.
    String remarkAt(int at) {
        String own = Remark.of(this, at);
        return own.isEmpty()
                ? origin.map(from -> from.outer().remarkAt(from.at())).orElse("")
                : own;
    }

    boolean mayDecode() {
        return depth() < DEEPEST;
    }

    /// Returns the stretch that the bytes at `at` decode to.
    Passage decoded(byte[] plain, int size, int at, String encoding) {
        return new Passage(
                source, plain, size, 0, size, lines, Optional.of(new Origin(this, at, encoding, depth() + 1)));
    }
}
