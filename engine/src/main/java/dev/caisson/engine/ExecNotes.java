package dev.caisson.engine;

import dev.caisson.spec.ContainerId;
import java.util.Map;
import java.util.Optional;

/// Notes what happens to one more program of a container that outlives its command, for those who follow events.
///
/// @param id 64 hexadecimal digits
record ExecNotes(DetachedPlace place, String id, String command) {
    /// Empty for a container that ends with its command.
    static Optional<ExecNotes> of(String container, Exec wish, EngineOptions options) {
        return DetachedPlace.find(container, options)
                .map(place -> new ExecNotes(place, ContainerId.random().value(), String.join(" ", wish.command())));
    }

    /// Before it runs, so that its end comes after this.
    void begins() {
        place.note("exec_create: " + command, Map.of("execID", id));
        place.note("exec_start: " + command, Map.of("execID", id));
    }

    void ended(ExecResult result) {
        place.note("exec_die", attributes(id, result.exitStatus()));
    }

    static Map<String, String> attributes(String id, int status) {
        return Map.of("execID", id, "exitCode", Integer.toString(status));
    }
}
