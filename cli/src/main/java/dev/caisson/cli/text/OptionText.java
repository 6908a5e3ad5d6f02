package dev.caisson.cli.text;

import dev.caisson.cli.caller.CommandException;
import java.time.Duration;
import java.util.Map;

/// Values of options that several commands spell alike.
public final class OptionText {
    private static final Map<String, Long> UNITS = Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L);

    private OptionText() {}

    /// A number with ms, s, m or h; seconds without a unit.
    public static Duration duration(String option, String text) {
        String number = text.replaceAll("[a-z]+$", "");
        String unit = text.substring(number.length());
        Long millis = unit.isEmpty() ? Long.valueOf(1000) : UNITS.get(unit);
        if (millis == null || !number.matches("[0-9]{1,9}(\\.[0-9]{1,3})?")) {
            throw CommandException.usage(option + " takes a duration like 500ms, 10s, 2m or 1h, not '" + text + "'");
        }
        return Duration.ofMillis(Math.round(Double.parseDouble(number) * millis));
    }

    public static String[] pair(String option, String text) {
        int equals = text.indexOf('=');
        if (equals <= 0) {
            throw CommandException.usage(option + " takes NAME=VALUE, not '" + text + "'");
        }
        return new String[] {text.substring(0, equals), text.substring(equals + 1)};
    }
}
