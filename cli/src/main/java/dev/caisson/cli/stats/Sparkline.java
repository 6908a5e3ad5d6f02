package dev.caisson.cli.stats;

import java.util.ArrayDeque;
import java.util.Deque;

/// The last few values of a figure, each drawn one character wide.
final class Sparkline {
    private static final String LEVELS = "▁▂▃▄▅▆▇█";
    private final int width;
    private final Deque<Double> values = new ArrayDeque<>();

    Sparkline(int width) {
        this.width = width;
    }

    void add(double value) {
        values.addLast(value);
        if (values.size() > width) {
            values.removeFirst();
        }
    }

    /// @param full the value that fills a character; where a value is larger, that one does
    String draw(double full) {
        double top = values.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        double scale = Math.max(full, top);
        var line = new StringBuilder();
        for (double value : values) {
            int level = scale <= 0 ? 0 : (int) Math.round(value / scale * (LEVELS.length() - 1));
            line.append(LEVELS.charAt(Math.clamp(level, 0, LEVELS.length() - 1)));
        }
        return line.toString();
    }
}
