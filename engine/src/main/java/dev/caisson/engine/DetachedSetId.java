package dev.caisson.engine;

import dev.caisson.launch.monitor.SetIdLog;
import dev.caisson.linux.Errno;
import java.util.Optional;

/// The set-user-ID and set-group-ID programs that a container which outlives its command executed without
/// effect: its monitor notes them.
final class DetachedSetId {
    private DetachedSetId() {}

    /// Returns those since it was created; none if an earlier version created it, or they have effect.
    static SetIdPrograms of(DetachedPlace place) {
        return find(place).orElse(SetIdPrograms.NONE);
    }

    /// Empty if an earlier version created it, or they have effect.
    static Optional<SetIdPrograms> find(DetachedPlace place) {
        return place.left(SetIdLog.NAME, SetIdLog.MOST_BYTES + 1)
                .flatMap(SetIdLog::decode)
                .map(log -> new SetIdPrograms(log.files(), missing(log)));
    }

    private static String missing(SetIdLog log) {
        if (log.error() != 0) {
            return SetIdPrograms.notWatched("fanotify_init: " + Errno.name(log.error()));
        }
        if (log.lost()) {
            return SetIdPrograms.LOST;
        }
        return log.more() ? SetIdPrograms.MORE : log.unseen() ? SetIdPrograms.UNSEEN : "";
    }
}
