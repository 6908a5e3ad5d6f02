package dev.caisson.cli.text;

import java.math.BigDecimal;
import java.math.MathContext;

/// A number of bytes in Docker's words: 0B, 1.23kB, 45MB; of memory: 1.25GiB.
public final class SizeText {
    private static final String[] DECIMAL = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    private static final int THOUSAND = 1000;
    private static final int KIBI = 1024;
    private static final int MEMORY_DIGITS = 4;

    private SizeText() {}

    /// Returns a size with its unit, as Docker prints it.
    /// @param digits at most so many
    public static String of(long bytes, int digits) {
        return text(bytes, digits, THOUSAND, DECIMAL);
    }

    /// Returns a size of memory with its unit, as Docker prints it.
    public static String memory(long bytes) {
        return text(bytes, MEMORY_DIGITS, KIBI, BINARY);
    }

    private static String text(long bytes, int digits, int step, String[] units) {
        double size = bytes;
        int unit = 0;
        while (size >= step && unit < units.length - 1) {
            size /= step;
            unit++;
        }
        return new BigDecimal(size)
                        .round(new MathContext(digits))
                        .stripTrailingZeros()
                        .toPlainString()
                + units[unit];
    }
}
