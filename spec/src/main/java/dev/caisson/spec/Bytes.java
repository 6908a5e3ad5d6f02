package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An amount of memory or storage. [#UNLIMITED] is an amount of its own, larger than all others.
public record Bytes(long count) implements Comparable<Bytes> {
    public static final Bytes ZERO = new Bytes(0);
    public static final Bytes UNLIMITED = new Bytes(Long.MAX_VALUE);

    private static final Pattern SIZE = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?) ?(?:([kmgtp])(?:i?b)?|b)?");
    private static final String UNITS = "kmgtp";

    /// @param count zero or more
    public Bytes {
        if (count < 0) {
            throw new LimitException(Code.BAD_SIZE, "a size cannot be negative: " + count);
        }
    }

    public static Bytes of(long count) {
        return new Bytes(count);
    }

    public static Bytes kibibytes(long count) {
        return scaled(count, 10);
    }

    public static Bytes mebibytes(long count) {
        return scaled(count, 20);
    }

    public static Bytes gibibytes(long count) {
        return scaled(count, 30);
    }

    private static Bytes scaled(long count, int power) {
        if (count > Long.MAX_VALUE >> power || count < 0) {
            throw new LimitException(
                    Code.BAD_SIZE, "a size is 0 to " + (Long.MAX_VALUE >> power) + " of this unit, not " + count);
        }
        return new Bytes(count << power);
    }

    /// Reads a size as Docker's commands take it: `268435456`, `256m`, `1.5g`, `64MiB`. Units are powers of 1024,
    /// whatever their spelling.
    public static Bytes parse(String text) {
        Matcher matcher = SIZE.matcher(present(text, "text").toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new LimitException(
                    Code.BAD_SIZE,
                    Quoted.of(text) + " is not a size; write a number with b, k, m, g or t after it, such as 256m");
        }
        String unit = matcher.group(2);
        int power = unit == null ? 0 : 10 * (UNITS.indexOf(unit) + 1);
        BigDecimal count = new BigDecimal(matcher.group(1))
                .multiply(BigDecimal.valueOf(1L << power))
                .setScale(0, RoundingMode.DOWN);
        if (count.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) >= 0) {
            throw new LimitException(Code.BAD_SIZE, Quoted.of(text) + " is more than a machine can hold");
        }
        return new Bytes(count.longValueExact());
    }

    public boolean isUnlimited() {
        return count == Long.MAX_VALUE;
    }

    @Override
    public int compareTo(Bytes other) {
        return Long.compare(count, other.count);
    }

    /// Returns a text for people: `256 MiB`, `1.5 GiB`, `unlimited`.
    @Override
    public String toString() {
        if (isUnlimited()) {
            return "unlimited";
        }
        int power = 0;
        while (power < UNITS.length() && count >> (10 * power) >= 1024) {
            power++;
        }
        if (power == 0) {
            return count + " B";
        }
        String number = BigDecimal.valueOf(count)
                .divide(BigDecimal.valueOf(1L << (10 * power)), 1, RoundingMode.HALF_EVEN)
                .stripTrailingZeros()
                .toPlainString();
        return number + " " + Character.toUpperCase(UNITS.charAt(power - 1)) + "iB";
    }
}
