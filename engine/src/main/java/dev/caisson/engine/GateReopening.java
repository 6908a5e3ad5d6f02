package dev.caisson.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Bounds how often the gates of a container are opened again after their process has ended by itself: five times in
/// ten minutes, each time after a longer pause.
final class GateReopening {
    static final int MOST = 5;
    private static final Duration WITHIN = Duration.ofMinutes(10);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

    private final Map<String, Deque<Long>> ends = new HashMap<>();

    /// Notes an end.
    ///
    /// @param now [System#nanoTime]
    /// @return the pause before the next opening; empty if there is none
    synchronized Optional<Duration> after(String id, long now) {
        Deque<Long> recent = ends.computeIfAbsent(id, _ -> new ArrayDeque<>());
        while (!recent.isEmpty() && now - recent.getFirst() > WITHIN.toNanos()) {
            recent.removeFirst();
        }
        if (recent.size() >= MOST) {
            return Optional.empty();
        }
        recent.addLast(now);
        return Optional.of(FIRST_PAUSE.multipliedBy(1L << (recent.size() - 1)));
    }

    /// Forgets a container.
    synchronized void forget(String id) {
        ends.remove(id);
    }
}
