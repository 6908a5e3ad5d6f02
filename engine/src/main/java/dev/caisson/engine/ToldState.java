package dev.caisson.engine;

import dev.caisson.launch.monitor.MonitorState;
import java.time.Instant;
import java.util.Optional;

/// What a monitor tells of its container, as the state that an embedder sees.
final class ToldState {
    private ToldState() {}

    static ContainerState of(MonitorState state) {
        return switch (state.phase()) {
            case RUNNING, STOPPING ->
                new ContainerState.Running(state.pid(), state.started().orElse(state.created()), health(state));
            case PAUSED ->
                new ContainerState.Paused(state.pid(), state.started().orElse(state.created()), health(state));
            case CREATED, STARTING, HELD ->
                end(state).<ContainerState>map(ContainerState.Exited::new).orElseGet(ContainerState.Created::new);
            case RESTARTING ->
                end(state).<ContainerState>map(ContainerState.Restarting::new).orElseGet(ContainerState.Created::new);
            case EXITED ->
                end(state).<ContainerState>map(ContainerState.Exited::new).orElseGet(ContainerState.Created::new);
        };
    }

    /// Returns how its program ended last; the end of an init that never came to its program does not count.
    static Optional<ContainerState.End> end(MonitorState state) {
        return state.end()
                .filter(_ -> !state.failedToStart() || state.started().isPresent())
                .map(end -> new ContainerState.End(
                        end.code(),
                        end.signal(),
                        state.metOutOfMemory(),
                        state.finished().orElse(Instant.EPOCH)));
    }

    static HealthReport.Health health(MonitorState state) {
        return HealthReport.Health.valueOf(state.health().name());
    }
}
