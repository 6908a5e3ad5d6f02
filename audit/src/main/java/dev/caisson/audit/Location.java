package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import java.util.Comparator;

/// A stretch of a file, in lines and columns from 1; the end column is the one after the last character.
public record Location(String file, int line, int column, int endLine, int endColumn) implements Comparable<Location> {
    private static final Comparator<Location> ORDER = Comparator.comparing(Location::file)
            .thenComparingInt(Location::line)
            .thenComparingInt(Location::column)
            .thenComparingInt(Location::endLine)
            .thenComparingInt(Location::endColumn);

    /// Returns the location of a place in a parsed file.
    public static Location of(Place place) {
        return new Location(place.file(), place.line(), place.column(), place.endLine(), place.endColumn());
    }

    @Override
    public int compareTo(Location other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return file + ":" + line + ":" + column;
    }
}
