package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.HealthCheck;
import dev.caisson.error.CaissonException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.CommandSpec;

/// The options of health checks, Docker's and Podman's.
final class HealthOptions {
    private final List<String> given = new ArrayList<>();
    private HealthCheck health = HealthCheck.OF_IMAGE;
    private boolean none;

    HealthOptions(CommandSpec command) {
        var options = new OptionList(command);
        options.text(
                        "--health-cmd",
                        "COMMAND",
                        "Check its health by a line for its shell; with -d.",
                        change("--health-cmd", HealthOptions::withLine))
                .text(
                        "--health-interval",
                        "DURATION",
                        "Time between checks (default: 30s).",
                        time("--health-interval", (check, time) -> check.interval(time)))
                .text(
                        "--health-timeout",
                        "DURATION",
                        "Kill a check that takes longer (default: 30s).",
                        time("--health-timeout", (check, time) -> check.timeout(time)))
                .text(
                        "--health-start-period",
                        "DURATION",
                        "Time in which failures are not counted (default: 0s).",
                        time("--health-start-period", (check, time) -> check.startPeriod(time)))
                .text(
                        "--health-start-interval",
                        "DURATION",
                        "Time between checks of the start period (default: 5s).",
                        time("--health-start-interval", (check, time) -> check.startInterval(time)))
                .value(
                        "--health-retries",
                        "COUNT",
                        "Failures in a row that make it unhealthy (default: 3).",
                        Integer.class,
                        value -> set("--health-retries", check -> check.retries(value)))
                .text(
                        "--health-on-failure",
                        "ACTION",
                        "What follows when it becomes unhealthy: none (default), kill, restart, stop.",
                        change("--health-on-failure", HealthOptions::withAction))
                .flag("--no-healthcheck", "Run no check, whatever the image says.", value -> none = value);
    }

    @FunctionalInterface
    private interface Change<T> {
        HealthCheck apply(HealthCheck check, T value);
    }

    private Consumer<String> change(String option, Change<String> change) {
        return text -> set(option, check -> change.apply(check, text));
    }

    private Consumer<String> time(String option, Change<Duration> change) {
        return text -> set(option, check -> {
            if (text.startsWith("-")) {
                throw CommandException.refused(option, "it cannot be negative");
            }
            Duration time = text.equals("0") || text.equals("0s") ? Duration.ZERO : OptionText.duration(option, text);
            return change.apply(check, time);
        });
    }

    private void set(String option, UnaryOperator<HealthCheck> change) {
        given.add(option);
        changes.add(change);
    }

    private final List<UnaryOperator<HealthCheck>> changes = new ArrayList<>();

    private static HealthCheck withLine(HealthCheck check, String line) {
        return check.test(line.isEmpty() ? List.of() : List.of("CMD-SHELL", line));
    }

    private static HealthCheck withAction(HealthCheck check, String action) {
        for (HealthCheck.OnFailure known : HealthCheck.OnFailure.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(action)) {
                return check.onFailure(known);
            }
        }
        throw CommandException.refused("--health-on-failure " + action, "give none, kill, restart or stop");
    }

    /// Refuses what needs a container that outlives its command. None is checked in the foreground.
    void requireUnset() {
        if (!given.isEmpty()) {
            throw CommandException.refused(
                    given.getFirst(), "health is checked of containers that outlive their command: add -d");
        }
    }

    /// @throws CaissonException for what contradicts itself
    HealthCheck check() {
        if (none && !given.isEmpty()) {
            throw CommandException.usage("--no-healthcheck conflicts with --health-* options: leave one of them out");
        }
        for (UnaryOperator<HealthCheck> change : changes) {
            health = change.apply(health);
        }
        return none ? HealthCheck.NONE : health;
    }
}
