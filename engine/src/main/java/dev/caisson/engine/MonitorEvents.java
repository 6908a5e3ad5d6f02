package dev.caisson.engine;

import dev.caisson.launch.monitor.ExecLog;
import dev.caisson.launch.monitor.HealthLog;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Events from the files that monitors leave in the directories of their containers: ends of programs that
/// nobody waited for, and changes of health. A directory that has not changed is not read.
final class MonitorEvents {
    static final String EXEC_ENDED = "exec_die";
    /// Stands before the word for it.
    static final String HEALTH = "health_status: ";

    /// Times of files are those of the last tick of the kernel's clock.
    private static final Duration SETTLED = Duration.ofSeconds(1);

    /// @param modified when its directory changed last, if nothing can have changed unseen since
    /// @param keys of the events that were there: a later one may have an earlier time, once the clock was set back
    private record Seen(Optional<Instant> modified, Set<String> keys) {}

    private Map<String, Seen> seen = new HashMap<>();

    List<LifeEvent> next(List<DetachedPlace> places) {
        var events = new ArrayList<LifeEvent>();
        var now = new HashMap<String, Seen>();
        for (DetachedPlace place : places) {
            String id = place.id().value();
            Optional<Instant> modified = place.modified();
            Seen before = seen.getOrDefault(id, new Seen(Optional.empty(), Set.of()));
            if (modified.isPresent() && modified.equals(before.modified())) {
                now.put(id, before);
                continue;
            }
            List<LifeEvent> all = of(place);
            all.stream().filter(event -> !before.keys().contains(key(event))).forEach(events::add);
            Set<String> keys = all.stream().map(MonitorEvents::key).collect(Collectors.toSet());
            Instant settled = Instant.now().minus(SETTLED);
            now.put(id, new Seen(modified.filter(settled::isAfter), keys));
        }
        seen = now;
        return events;
    }

    /// Names are left out, which change.
    private static String key(LifeEvent event) {
        return event.time() + " " + event.action() + " " + event.attributes().getOrDefault("execID", "");
    }

    /// Returns all that are there of one container, the oldest first.
    static List<LifeEvent> of(DetachedPlace place) {
        var events = new ArrayList<LifeEvent>();
        place.left(ExecLog.NAME, ExecLog.MOST_BYTES + 1)
                .flatMap(ExecLog::decode)
                .map(ExecLog::ends)
                .orElse(List.of())
                .forEach(end -> events.add(new LifeEvent(
                        end.finished(),
                        EXEC_ENDED,
                        place.id(),
                        LifeEvents.attributes(place, ExecNotes.attributes(end.id(), end.code())))));
        place.healthLog()
                .map(HealthLog::changes)
                .orElse(List.of())
                .forEach(change -> events.add(new LifeEvent(
                        change.time(),
                        HEALTH + (change.healthy() ? "healthy" : "unhealthy"),
                        place.id(),
                        LifeEvents.attributes(place, Map.of()))));
        events.sort(Comparator.comparing(LifeEvent::time));
        return events;
    }
}
