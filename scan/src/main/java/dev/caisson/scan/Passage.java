package dev.caisson.scan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A stretch of bytes that is searched at once: a window of a file, or what a part of one decodes to.
/// @param bytes the stretch, from 0 to `length`
/// @param from secrets that start before are an earlier window's
/// @param to secrets that start at or after are a later window's
/// @param outer the place that the stretch was decoded from, if it was
/// @param remark what the line says that it was decoded from
@SuppressWarnings("ArrayRecordComponent") // nobody compares passages
record Passage(
        String source, byte[] bytes, int length, int from, int to, Lines lines, Optional<Place> outer, String remark) {
    Passage(String source, byte[] bytes, int length, int from, int to, Lines lines) {
        this(source, bytes, length, from, to, lines, Optional.empty(), "");
    }

    private static final int DEEPEST = 3;

    /// Returns the place of a byte.
    Place place(int at) {
        return outer.orElseGet(() -> lines.place(source, bytes, at));
    }

    /// Returns how often the stretch was decoded.
    int depth() {
        return outer.map(place -> place.decoded().size()).orElse(0);
    }

    /// Returns what the line says that a byte is in, or the one that the stretch was decoded from.
    String remarkAt(int at) {
        String own = Remark.of(this, at);
        return own.isEmpty() ? remark : own;
    }

    boolean mayDecode() {
        return depth() < DEEPEST;
    }

    /// Returns the stretch that the bytes at `at` decode to.
    Passage decoded(byte[] plain, int size, int at, String encoding) {
        Place here = place(at);
        var encodings = new ArrayList<>(here.decoded());
        encodings.add(encoding);
        return new Passage(
                source,
                plain,
                size,
                0,
                size,
                lines,
                Optional.of(new Place(here.source(), here.line(), here.column(), List.copyOf(encodings))),
                remarkAt(at));
    }
}
