package dev.caisson.scan;

import java.util.List;

/// A place in what was scanned.
/// @param source the file's name; what is in an archive stands behind `!/`
/// @param line from 1
/// @param column in bytes, from 1
/// @param decoded how the text there was encoded, outermost first: `base64`, `hex`, `utf-16`, `escapes`
public record Place(String source, long line, long column, List<String> decoded) {
    /// Returns `source:line:column`.
    @Override
    public String toString() {
        return source + ":" + line + ":" + column;
    }
}
