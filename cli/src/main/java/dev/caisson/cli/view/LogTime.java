package dev.caisson.cli.view;

import dev.caisson.cli.caller.CommandException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// A moment as `docker logs` takes it: a date, a date and time with or without an offset, seconds since 1970 with or
/// without a fraction, or how long ago.
public final class LogTime {
    private static final List<Function<String, Instant>> FORMS = List.of(
            text -> OffsetDateTime.parse(text).toInstant(),
            text -> LocalDateTime.parse(text).atZone(ZoneId.systemDefault()).toInstant(),
            text -> LocalDate.parse(text).atStartOfDay(ZoneId.systemDefault()).toInstant());

    private static final java.time.format.DateTimeFormatter CLOCK = java.time.format.DateTimeFormatter.ofPattern(
                    "HH:mm", Locale.ROOT)
            .withZone(java.time.ZoneId.systemDefault());

    private LogTime() {}

    /// Returns the hour and minute of a time, here.
    static String clock(Instant time) {
        return CLOCK.format(time);
    }

    /// Reads one.
    ///
    /// @param option that it is the value of
    /// @throws CommandException if it is none
    public static Instant parse(String option, String text, Instant now) {
        if (text.matches("[0-9]{1,11}(\\.[0-9]{1,9})?")) {
            String[] parts = text.split("\\.", -1);
            long nanos = parts.length == 1 ? 0 : Long.parseLong((parts[1] + "000000000").substring(0, 9));
            return Instant.ofEpochSecond(Long.parseLong(parts[0]), nanos);
        }
        for (Function<String, Instant> form : FORMS) {
            Optional<Instant> time = attempt(form, text);
            if (time.isPresent()) {
                return time.get();
            }
        }
        if (text.matches("([0-9]{1,6}[hms])+")) {
            return now.minus(Duration.parse("PT" + text.toUpperCase(java.util.Locale.ROOT)));
        }
        throw CommandException.usage(option
                + " takes a time like 2026-01-31T10:00:00Z, seconds since 1970, or 1h30m for that long ago, not '"
                + text + "'");
    }

    private static Optional<Instant> attempt(Function<String, Instant> form, String text) {
        try {
            return Optional.of(form.apply(text));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
