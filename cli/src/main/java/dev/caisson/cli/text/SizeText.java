package dev.caisson.cli.text;

import java.math.BigDecimal;
import java.math.MathContext;

/// A number of bytes in Docker's words: 0B, 1.23kB, 45MB.
public final class SizeText {
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    private static final int STEP = 1000;

    private SizeText() {}

    /// Returns a size with its unit, as Docker prints it.
    /// @param digits at most so many
    public static String of(long bytes, int digits) {
        double size = bytes;
        int unit = 0;
        while (size >= STEP && unit < UNITS.length - 1) {
            size /= STEP;
            unit++;
        }
        return new BigDecimal(size)
                        .round(new MathContext(digits))
                        .stripTrailingZeros()
                        .toPlainString()
                + UNITS[unit];
    }
}
