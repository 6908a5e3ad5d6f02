package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.EventJournal;
import dev.caisson.state.KeptFile;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Events of the containers, images, networks and volumes of a state directory, as they happen: a journal has what
/// commands did, and the record that each monitor leaves has how a container in the background ended.
///
/// Bounds: the journal holds the last 256 KiB at least. Of each container that is there the last end is
/// known, the last 32 ends of programs that nobody waited for, and the last 8 changes of its health. A reader
/// that stays sees every end of runs that are longer than half a second.
public final class LifeEvents implements AutoCloseable {
    private static final int MOST_SEEN = 10_000;
    private static final String DIE = "die";

    private final EngineOptions options;
    private final EventJournal journal;
    private final Set<String> seen = new LinkedHashSet<>();
    private final MonitorEvents left = new MonitorEvents();

    private LifeEvents(EngineOptions options) {
        this.options = options;
        this.journal = new EventJournal(options.state());
    }

    /// Opens them from the oldest that is known.
    public static LifeEvents open(EngineOptions options) {
        return new LifeEvents(present(options, "options"));
    }

    /// Returns what happened since the last call, the oldest first.
    public List<LifeEvent> next() {
        var events = new ArrayList<LifeEvent>();
        for (String line : journal.next()) {
            LifeEvent.parse(line).filter(this::isNew).ifPresent(events::add);
        }
        for (DetachedPlace place : DetachedPlace.all(options)) {
            for (LifeEvent end : ends(place)) {
                if (isNew(end)) {
                    events.add(end);
                    left(place, end).stream().filter(this::isNew).forEach(events::add);
                }
            }
        }
        left.next(DetachedPlace.all(options)).stream().filter(this::isNew).forEach(events::add);
        events.sort(Comparator.comparing(LifeEvent::time));
        return events;
    }

    /// Once a container was started again, renamed or removed, the journal has what its monitor left, too.
    private boolean isNew(LifeEvent event) {
        if (!isLeft(event)) {
            return true;
        }
        String key = key(event);
        boolean isNew = !seen.remove(key); // what is seen again and again stays among the last
        if (seen.size() == MOST_SEEN) {
            seen.remove(seen.iterator().next());
        }
        seen.add(key);
        return isNew;
    }

    /// Names are left out, which change.
    private static String key(LifeEvent event) {
        Map<String, String> more = event.attributes();
        return event.id() + " " + event.action() + " " + more.get("container") + " " + more.get("execID") + " "
                + event.time();
    }

    private static boolean isLeft(LifeEvent event) {
        return event.action().equals(DIE)
                || event.action().equals("oom")
                || event.action().equals(NetworkEvents.DISCONNECT)
                || event.action().equals(MonitorEvents.EXEC_ENDED)
                || event.action().startsWith(MonitorEvents.HEALTH);
    }

    /// Returns whether events were replaced in the journal before they were read.
    public boolean hasGap() {
        return journal.hasGap();
    }

    @Override
    public void close() {
        journal.close();
    }

    // ---- written

    /// Notes what was done with a container. A journal that cannot be written holds up nothing; that is logged.
    static void note(
            EngineOptions options, DetachedPlace place, Instant time, String action, Map<String, String> more) {
        note(options, new LifeEvent(time, action, place.id(), attributes(place, more)));
    }

    static void note(EngineOptions options, ContainerId id, String action, Map<String, String> attributes) {
        note(options, new LifeEvent(Instant.now(), action, id, attributes));
    }

    /// Notes what was done with an image or a volume.
    static void note(
            EngineOptions options, LifeEvent.Kind kind, String action, String id, Map<String, String> attributes) {
        note(options, new LifeEvent(Instant.now(), kind, action, id, attributes));
    }

    /// Notes the last end, before the record of it goes.
    static void noteEnd(EngineOptions options, DetachedPlace place) {
        for (LifeEvent end : ends(place)) {
            note(options, end);
            left(place, end).forEach(event -> note(options, event));
        }
    }

    /// Notes the ends of left programs and the changes of health that are not in the journal yet, before the container
    /// gets another name.
    static void noteLeft(EngineOptions options, DetachedPlace place) {
        List<LifeEvent> left = MonitorEvents.of(place);
        if (left.isEmpty()) {
            return;
        }
        Set<String> noted;
        try (var journal = new EventJournal(options.state())) {
            noted = journal.next().stream()
                    .flatMap(line -> LifeEvent.parse(line).stream())
                    .map(LifeEvents::key)
                    .collect(Collectors.toSet());
        }
        left.stream().filter(event -> !noted.contains(key(event))).forEach(event -> note(options, event));
    }

    static void note(EngineOptions options, LifeEvent event) {
        try {
            EventJournal.append(options.state(), event.line());
        } catch (RuntimeException e) {
            System.getLogger(LifeEvents.class.getName())
                    .log(System.Logger.Level.WARNING, "an event could not be written", e);
        }
    }

    /// Returns the attributes of an event: name, image, `more`, then its labels.
    static Map<String, String> attributes(DetachedPlace place, Map<String, String> more) {
        Optional<KeptFile.Origin> origin = place.origin();
        return attributes(
                place.name(),
                origin.map(KeptFile.Origin::image),
                origin.map(KeptFile.Origin::labels).orElse(Map.of()),
                more);
    }

    static Map<String, String> attributes(
            String name, Optional<String> image, Map<String, String> labels, Map<String, String> more) {
        var attributes = new LinkedHashMap<String, String>();
        attributes.put("name", name);
        image.ifPresent(found -> attributes.put("image", found));
        attributes.putAll(more);
        labels.forEach(attributes::putIfAbsent);
        return attributes;
    }

    /// Returns the events of the networks that it left by this end.
    private static List<LifeEvent> left(DetachedPlace place, LifeEvent end) {
        return end.action().equals(DIE) ? NetworkEvents.ended(place.options(), place.id(), end.time()) : List.of();
    }

    private static List<LifeEvent> ends(DetachedPlace place) {
        Optional<MonitorState> recorded = place.recorded();
        if (recorded.isEmpty()
                || recorded.get().failedToStart()
                || recorded.get().end().isEmpty()
                || recorded.get().finished().isEmpty()) {
            return List.of();
        }
        MonitorState state = recorded.get();
        Instant time = state.finished().orElseThrow();
        var events = new ArrayList<LifeEvent>();
        if (state.metOutOfMemory()) {
            events.add(new LifeEvent(time, "oom", place.id(), attributes(place, Map.of())));
        }
        int status = new ContainerState.End(
                        state.end().orElseThrow().code(),
                        state.end().orElseThrow().signal(),
                        false,
                        time)
                .status();
        var more = new LinkedHashMap<String, String>();
        state.started()
                .ifPresent(started -> more.put(
                        "execDuration",
                        Long.toString(Duration.between(started, time).toSeconds())));
        more.put("exitCode", Integer.toString(status));
        events.add(new LifeEvent(time, DIE, place.id(), attributes(place, more)));
        return events;
    }
}
