package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How much a container may receive and send on each of its networks, in bits per second. 0 for no bound.
public record Bandwidth(long in, long out) {
    /// No bound.
    public static final Bandwidth ALL = new Bandwidth(0, 0);

    private static final String NONE = "all";
    private static final long LEAST = 64_000;
    private static final long MOST = 100_000_000_000L;
    private static final Pattern RATE = Pattern.compile("(\\d{1,12})([kmg]?)(?:bit)?");
    private static final int THOUSAND = 1000;

    public Bandwidth {
        require(in);
        require(out);
    }

    private static void require(long rate) {
        if (rate != 0 && (rate < LEAST || rate > MOST)) {
            throw ArgumentException.invalid("bandwidth " + text(rate) + " is not between " + text(LEAST) + " and "
                    + text(MOST) + ": give bits per second, as 10mbit");
        }
    }

    /// Reads `10mbit` for both directions, or `in=100mbit,out=20mbit`, of which one may be missing; `all` for no bound.
    public static Bandwidth parse(String text) {
        if (present(text, "text").equals(NONE)) {
            return ALL;
        }
        if (text.indexOf('=') < 0) {
            long both = rate(text);
            return new Bandwidth(both, both);
        }
        long in = 0;
        long out = 0;
        for (String part : text.split(",", -1)) {
            if (part.startsWith("in=") && in == 0) {
                in = rate(part.substring(3));
            } else if (part.startsWith("out=") && out == 0) {
                out = rate(part.substring(4));
            } else {
                throw malformed(text);
            }
        }
        return new Bandwidth(in, out);
    }

    private static long rate(String text) {
        Matcher matcher = RATE.matcher(text.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw malformed(text);
        }
        long rate = Long.parseLong(matcher.group(1));
        long unit = switch (matcher.group(2)) {
            case "k" -> THOUSAND;
            case "m" -> (long) THOUSAND * THOUSAND;
            case "g" -> (long) THOUSAND * THOUSAND * THOUSAND;
            default -> 1;
        };
        if (rate == 0 || rate > MOST / unit) {
            throw ArgumentException.invalid("bandwidth " + text + " is not between " + text(LEAST) + " and "
                    + text(MOST) + ": give bits per second, as 10mbit, or all for no bound");
        }
        return rate * unit;
    }

    private static ArgumentException malformed(String text) {
        return ArgumentException.invalid(Quoted.of(text)
                + " is not a bandwidth: write bits per second as 10mbit, or in=100mbit,out=20mbit, or all");
    }

    /// Returns it as [#parse] reads it.
    public String text() {
        if (in == out) {
            return in == 0 ? NONE : text(in);
        }
        var parts = new ArrayList<String>();
        if (in != 0) {
            parts.add("in=" + text(in));
        }
        if (out != 0) {
            parts.add("out=" + text(out));
        }
        return String.join(",", parts);
    }

    private static String text(long rate) {
        String[] units = {"bit", "kbit", "mbit", "gbit"};
        long value = rate;
        int unit = 0;
        while (unit < units.length - 1 && value != 0 && value % THOUSAND == 0) {
            value /= THOUSAND;
            unit++;
        }
        return value + units[unit];
    }
}
