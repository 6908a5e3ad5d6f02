package dev.caisson.containerfile;

import java.util.Comparator;

/// A stretch of a file: the characters from offset `start` up to, not including, `end`.
public record Place(Source source, int start, int end) implements Comparable<Place> {
    private static final Comparator<Place> ORDER =
            Comparator.comparing(Place::file).thenComparingInt(Place::start).thenComparingInt(Place::end);

    public Place {
        if (start < 0 || end < start || end > source.length()) {
            throw new IllegalArgumentException(start + ".." + end + " is not within " + source.name());
        }
    }

    public String file() {
        return source.name();
    }

    /// The line of the first character, from 1.
    public int line() {
        return source.line(start);
    }

    /// The column of the first character, from 1, in UTF-16 code units.
    public int column() {
        return source.column(start);
    }

    /// The line of the last character, from 1.
    public int endLine() {
        return source.line(Math.max(start, end - 1));
    }

    /// The column after the last character, from 1.
    public int endColumn() {
        return end == start ? column() : source.column(end - 1) + 1;
    }

    public String text() {
        return source.text().substring(start, end);
    }

    /// True if `other` lies wholly within this stretch of the same file.
    public boolean contains(Place other) {
        return source == other.source && start <= other.start && other.end <= end;
    }

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return file() + ":" + line() + ":" + column();
    }
}
