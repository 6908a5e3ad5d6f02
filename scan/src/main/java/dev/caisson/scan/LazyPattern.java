package dev.caisson.scan;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// An expression that is compiled when it is first used: most scans need few of them.
final class LazyPattern {
    private final String text;
    private volatile @Nullable Pattern compiled;

    LazyPattern(String text) {
        this.text = text;
    }

    Pattern get() {
        Pattern known = compiled;
        if (known == null) {
            // as in Go, only a line feed ends a line
            known = Pattern.compile(text, Pattern.UNIX_LINES);
            compiled = known;
        }
        return known;
    }
}
