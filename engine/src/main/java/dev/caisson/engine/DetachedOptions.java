package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.time.Duration;
import java.util.Optional;

/// How long a container lives that outlives its command.
///
/// @param restart when it is started again after its end
/// @param removedAtEnd whether nothing of it is kept once it has ended
/// @param health how its health is checked
/// @param lease after which it is ended and removed, unless [DetachedContainer#renew] is called in time
/// @param log where what it writes is kept
/// @param imageVolumes whether it is created with a new volume for each path that its image declares as one
public record DetachedOptions(
        RestartPolicy restart,
        boolean removedAtEnd,
        HealthCheck health,
        Optional<Duration> lease,
        LogFiles log,
        boolean imageVolumes) {
    /// Kept until it is removed, and never started again by itself.
    public static final DetachedOptions STANDARD = new DetachedOptions(
            RestartPolicy.NEVER, false, HealthCheck.OF_IMAGE, Optional.empty(), LogFiles.STANDARD, true);

    private static final Duration LONGEST = Duration.ofDays(24);

    public DetachedOptions {
        present(restart, "restart");
        present(health, "health");
        present(lease, "lease");
        present(log, "log");
        if (removedAtEnd && restart.kind() != RestartPolicy.Kind.NO) {
            throw ArgumentException.invalid("conflicting options: a container that is removed at its end (--rm) has no"
                    + " restart policy: leave one of the two out");
        }
        lease.ifPresent(DetachedOptions::requireLease);
    }

    static void requireLease(Duration lease) {
        if (lease.compareTo(Duration.ofMillis(1)) < 0 || lease.compareTo(LONGEST) > 0) {
            String given =
                    Math.abs(lease.toDays()) > LONGEST.toDays() ? lease.toDays() + " days" : lease.toMillis() + " ms";
            throw ArgumentException.invalid(
                    "a lease of " + given + " is not between 1 ms and " + LONGEST.toDays() + " days");
        }
    }

    public DetachedOptions restart(RestartPolicy value) {
        return new DetachedOptions(value, removedAtEnd, health, lease, log, imageVolumes);
    }

    public DetachedOptions removedAtEnd(boolean value) {
        return new DetachedOptions(restart, value, health, lease, log, imageVolumes);
    }

    public DetachedOptions lease(Duration value) {
        return new DetachedOptions(
                restart, removedAtEnd, health, Optional.of(present(value, "lease")), log, imageVolumes);
    }

    public DetachedOptions health(HealthCheck value) {
        return new DetachedOptions(restart, removedAtEnd, value, lease, log, imageVolumes);
    }

    public DetachedOptions log(LogFiles value) {
        return new DetachedOptions(restart, removedAtEnd, health, lease, value, imageVolumes);
    }

    public DetachedOptions imageVolumes(boolean value) {
        return new DetachedOptions(restart, removedAtEnd, health, lease, log, value);
    }
}
