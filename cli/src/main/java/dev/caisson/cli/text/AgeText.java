package dev.caisson.cli.text;

import java.time.Duration;
import java.time.Instant;

/// A span of time in Docker's words: 5 seconds, About an hour, 3 weeks.
public final class AgeText {
    private static final int SECONDS = 60;
    private static final int HOURS = 48;
    private static final int DAYS = 14;

    private AgeText() {}

    /// Returns how long ago `time` was.
    public static String of(Instant time, Instant now) {
        Duration age = Duration.between(time, now);
        long seconds = age.toSeconds();
        long hours = Math.round(age.toMinutes() / 60.0);
        if (seconds < 1) {
            return "Less than a second";
        }
        if (seconds < SECONDS) {
            return seconds == 1 ? "1 second" : seconds + " seconds";
        }
        if (age.toMinutes() < SECONDS) {
            return age.toMinutes() == 1 ? "About a minute" : age.toMinutes() + " minutes";
        }
        if (hours < HOURS) {
            return hours == 1 ? "About an hour" : hours + " hours";
        }
        long days = hours / 24;
        if (days < DAYS) {
            return days + " days";
        }
        return days < 60 ? days / 7 + " weeks" : days < 730 ? days / 30 + " months" : days / 365 + " years";
    }
}
