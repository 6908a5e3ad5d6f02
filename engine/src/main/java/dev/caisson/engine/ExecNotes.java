package dev.caisson.engine;

import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import java.util.Map;
import java.util.Optional;

/// Notes what happens to one more program of a container, for those who follow events.
///
/// @param container which runs it
/// @param id 64 hexadecimal digits
/// @param keeper the container's place if it outlives its command, and its monitor can keep the program
record ExecNotes(
        EngineOptions options, ContainerRecord container, String id, String command, Optional<DetachedPlace> keeper) {
    static ExecNotes of(ExecTarget target, Exec wish, EngineOptions options) {
        return new ExecNotes(
                options,
                target.record(),
                ContainerId.random().value(),
                shown(target, String.join(" ", wish.command())),
                DetachedPlace.find(target.record().id(), options));
    }

    /// Returns a command without the values of the container's secrets.
    private static String shown(ExecTarget target, String command) {
        return OwnSecrets.redaction(target)
                .map(redaction -> {
                    try (redaction) {
                        return redaction.redact(command);
                    }
                })
                .orElse(command);
    }

    /// Before it runs, so that its end comes after this.
    void begins() {
        note("exec_create: " + command, Map.of("execID", id));
        note("exec_start: " + command, Map.of("execID", id));
    }

    void ended(ExecResult result) {
        note(MonitorEvents.EXEC_ENDED, attributes(id, result.exitStatus()));
    }

    private void note(String action, Map<String, String> more) {
        keeper.ifPresentOrElse(
                place -> place.note(action, more),
                () -> LifeEvents.note(
                        options,
                        new ContainerId(container.id()),
                        action,
                        LifeEvents.attributes(
                                container.name(), Optional.of(container.image()), container.labels(), more)));
    }

    static Map<String, String> attributes(String id, int status) {
        return Map.of("execID", id, "exitCode", Integer.toString(status));
    }
}
