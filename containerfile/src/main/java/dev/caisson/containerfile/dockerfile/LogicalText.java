package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import java.util.Arrays;

/// Text whose characters may come from stretches of a file that do not touch: an instruction with its line
/// continuations and embedded comments taken out. Each character knows its offset in the file.
public final class LogicalText {
    private final Source source;
    private final String text;
    private final int[] offsets;
    private final int end;

    private LogicalText(Source source, String text, int[] offsets, int end) {
        this.source = source;
        this.text = text;
        this.offsets = offsets;
        this.end = end;
    }

    /// A stretch of the file as it stands.
    public static LogicalText of(Source source, int start, int end) {
        int[] offsets = new int[end - start];
        Arrays.setAll(offsets, at -> start + at);
        return new LogicalText(source, source.text().substring(start, end), offsets, end);
    }

    public String text() {
        return text;
    }

    public int length() {
        return text.length();
    }

    public char charAt(int index) {
        return text.charAt(index);
    }

    public boolean isBlank() {
        return text.isBlank();
    }

    /// The offset in the file of the character at `index`; the end of this text for its length.
    public int offset(int index) {
        return index < offsets.length ? offsets[index] : end;
    }

    /// Returns the place in the file of the characters from `from` up to, not including, `to`.
    public Place place(int from, int to) {
        int start = offset(from);
        return source.place(start, from == to ? start : offsets[to - 1] + 1);
    }

    public Place place() {
        return place(0, length());
    }

    public LogicalText slice(int from, int to) {
        return new LogicalText(
                source,
                text.substring(from, to),
                Arrays.copyOfRange(offsets, from, to),
                from == to ? offset(from) : offset(to - 1) + 1);
    }

    /// The same text without white space at both ends.
    public LogicalText strip() {
        int from = 0;
        int to = length();
        while (from < to && Character.isWhitespace(text.charAt(from))) {
            from++;
        }
        while (to > from && Character.isWhitespace(text.charAt(to - 1))) {
            to--;
        }
        return slice(from, to);
    }

    @Override
    public String toString() {
        return text;
    }

    /// Collects characters with their offsets.
    static final class Builder {
        private final Source source;
        private final StringBuilder text = new StringBuilder();
        private int[] offsets = new int[64];
        private int end;

        Builder(Source source, int start) {
            this.source = source;
            this.end = start;
        }

        /// Adds the characters of the file from `start` up to, not including, `stop`.
        Builder append(int start, int stop) {
            int needed = text.length() + stop - start;
            if (needed > offsets.length) {
                offsets = Arrays.copyOf(offsets, Math.max(needed, offsets.length * 2));
            }
            for (int at = start; at < stop; at++) {
                offsets[text.length() + at - start] = at;
            }
            text.append(source.text(), start, stop);
            end = stop;
            return this;
        }

        LogicalText build() {
            return new LogicalText(source, text.toString(), Arrays.copyOf(offsets, text.length()), end);
        }
    }
}
