package dev.caisson.scan;

import java.util.List;

/// Counts the lines of a file whose windows are searched one after the other.
final class Lines {
    private long before;
    private long columnsBefore;
    private int countedTo;
    private long counted;
    private int lineStart = -1;

    /// The window moves on by `bytes` of what is in it.
    void dropped(byte[] window, int bytes) {
        countTo(window, bytes);
        before += counted;
        columnsBefore = lineStart < 0 ? columnsBefore + bytes : bytes - lineStart;
        reset();
    }

    private void reset() {
        countedTo = 0;
        counted = 0;
        lineStart = -1;
    }

    Place place(String source, byte[] window, int at) {
        if (at < countedTo) {
            reset();
        }
        countTo(window, at);
        long column = lineStart < 0 ? columnsBefore + at : at - lineStart;
        return new Place(source, before + counted + 1, column + 1, List.of());
    }

    private void countTo(byte[] window, int end) {
        for (int at = countedTo; at < end; at++) {
            if (window[at] == '\n') {
                counted++;
                lineStart = at + 1;
            }
        }
        countedTo = Math.max(countedTo, end);
    }
}
