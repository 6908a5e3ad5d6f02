package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.ImageHealth;
import dev.caisson.text.Quoted;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How the health of a container that outlives its command is checked, in Docker's terms. Each probe is one
/// more program in the container, as [Exec] is, started by the container's monitor.
///
/// @param test `CMD` and words, `CMD-SHELL` and a line for `/bin/sh -c`, or `NONE`; empty for the image's
/// @param interval between probes; zero for the image's or 30 s
/// @param timeout after which a probe is killed with all that it has started, and has failed; zero for the image's or
///     30 s
/// @param startPeriod in which failures are not counted; zero for the image's or none
/// @param startInterval between probes of the start period; zero for the image's or 5 s
/// @param retries failures in a row that make it unhealthy; zero for the image's or 3
/// @param onFailure what follows when it becomes unhealthy
public record HealthCheck(
        List<String> test,
        Duration interval,
        Duration timeout,
        Duration startPeriod,
        Duration startInterval,
        int retries,
        OnFailure onFailure) {
    /// What follows when a container becomes unhealthy.
    public enum OnFailure {
        /// Nothing: it is shown.
        NONE,
        /// It is killed; its restart policy answers that as any end.
        KILL,
        /// It is stopped and started again, whatever its restart policy.
        RESTART,
        /// It is stopped, and not started again.
        STOP
    }

    private static final Duration INTERVAL = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration START_INTERVAL = Duration.ofSeconds(5);
    private static final int RETRIES = 3;
    private static final Duration LONGEST = Duration.ofDays(24);

    /// As the image says.
    public static final HealthCheck OF_IMAGE =
            new HealthCheck(List.of(), Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, 0, OnFailure.NONE);

    /// No health check, whatever the image says.
    public static final HealthCheck NONE = OF_IMAGE.test(List.of("NONE"));

    public HealthCheck {
        test = allPresent(test, "test");
        requireDuration("interval", interval);
        requireDuration("timeout", timeout);
        requireDuration("start period", startPeriod);
        requireDuration("start interval", startInterval);
        present(onFailure, "onFailure");
        if (retries < 0) {
            throw ArgumentException.invalid("the retries of a health check are negative: " + retries);
        }
        requireTest(test);
    }

    private static void requireDuration(String what, Duration value) {
        present(value, what);
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw ArgumentException.invalid(
                    "the " + what + " of a health check is not between 0 and " + LONGEST.toDays() + " days: " + value);
        }
        if (!value.isZero() && value.toMillis() == 0) {
            throw ArgumentException.invalid("the " + what + " of a health check cannot be less than one millisecond");
        }
    }

    private static void requireTest(List<String> test) {
        boolean known = test.isEmpty()
                || (test.getFirst().equals("NONE") && test.size() == 1)
                || (test.getFirst().equals("CMD") && test.size() > 1)
                || (test.getFirst().equals("CMD-SHELL") && test.size() == 2);
        if (!known || test.stream().anyMatch(word -> word.indexOf('\0') >= 0)) {
            throw ArgumentException.invalid(
                    "the test of a health check is not NONE, CMD with a command, or CMD-SHELL with one line: "
                            + Quoted.of(test.toString()));
        }
    }

    /// Checks by a line for the container's `/bin/sh`.
    public static HealthCheck shell(String line) {
        return OF_IMAGE.test(List.of("CMD-SHELL", present(line, "line")));
    }

    public HealthCheck test(List<String> value) {
        return new HealthCheck(value, interval, timeout, startPeriod, startInterval, retries, onFailure);
    }

    public HealthCheck interval(Duration value) {
        return new HealthCheck(test, value, timeout, startPeriod, startInterval, retries, onFailure);
    }

    public HealthCheck timeout(Duration value) {
        return new HealthCheck(test, interval, value, startPeriod, startInterval, retries, onFailure);
    }

    public HealthCheck startPeriod(Duration value) {
        return new HealthCheck(test, interval, timeout, value, startInterval, retries, onFailure);
    }

    public HealthCheck startInterval(Duration value) {
        return new HealthCheck(test, interval, timeout, startPeriod, value, retries, onFailure);
    }

    public HealthCheck retries(int value) {
        return new HealthCheck(test, interval, timeout, startPeriod, startInterval, value, onFailure);
    }

    public HealthCheck onFailure(OnFailure value) {
        return new HealthCheck(test, interval, timeout, startPeriod, startInterval, retries, value);
    }

    /// Returns the program of a probe and its arguments; empty where nothing is checked.
    public Optional<List<String>> command() {
        if (test.isEmpty() || test.getFirst().equals("NONE")) {
            return Optional.empty();
        }
        return Optional.of(
                test.getFirst().equals("CMD")
                        ? test.subList(1, test.size())
                        : List.of("/bin/sh", "-c", test.getLast()));
    }

    /// Fills in what is left open, by the image and by Docker's defaults.
    /// @throws EngineException HEALTH_NO_COMMAND where there is something to say about a check, and no check
    HealthCheck settled(Optional<ImageHealth> image) {
        List<String> settled = test.isEmpty() ? image.map(ImageHealth::test).orElse(List.of()) : test;
        if (settled.isEmpty() && !equals(OF_IMAGE)) {
            throw new EngineException(
                    "HEALTH_NO_COMMAND", "the image has no health check to change: give one with --health-cmd");
        }
        return new HealthCheck(
                settled,
                first(interval, image.map(ImageHealth::interval), INTERVAL),
                first(timeout, image.map(ImageHealth::timeout), TIMEOUT),
                first(startPeriod, image.map(ImageHealth::startPeriod), Duration.ZERO),
                first(startInterval, image.map(ImageHealth::startInterval), START_INTERVAL),
                retries > 0
                        ? retries
                        : image.map(ImageHealth::retries)
                                .filter(given -> given > 0)
                                .orElse(RETRIES),
                onFailure);
    }

    private static Duration first(Duration own, Optional<Duration> image, Duration usual) {
        return own.isZero() ? image.filter(given -> !given.isZero()).orElse(usual) : own;
    }
}
