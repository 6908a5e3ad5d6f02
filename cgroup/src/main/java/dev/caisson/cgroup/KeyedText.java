package dev.caisson.cgroup;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.OptionalLong;

/// The "flat keyed" files of control groups: a key, a space and a number in each line, cgroups(7).
final class KeyedText {
    private final String text;

    KeyedText(String text) {
        this.text = text;
    }

    /// The number of `key`; empty where this kernel does not have it.
    OptionalLong find(String key) {
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            if (end < 0) {
                end = text.length();
            }
            int space = start + key.length();
            if (space < end && text.charAt(space) == ' ' && text.startsWith(key, start)) {
                return OptionalLong.of(Long.parseUnsignedLong(text, space + 1, end, 10));
            }
            start = end + 1;
        }
        return OptionalLong.empty();
    }

    /// The number of `key`, zero where this kernel does not have it.
    long get(String key) {
        return find(key).orElse(0);
    }

    /// Makes a duration of a count of microseconds.
    static Duration micros(long micros) {
        return Duration.of(micros, ChronoUnit.MICROS);
    }
}
