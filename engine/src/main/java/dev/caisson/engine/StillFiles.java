package dev.caisson.engine;

import dev.caisson.launch.monitor.MonitorState;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Keeps the files of a container that outlives its command as they are while they are copied. One that runs is
/// frozen; one that does not run, or that somebody has paused, is looked at again when its files are copied.
final class StillFiles implements AutoCloseable {
    private final DetachedPlace place;
    private final @Nullable Freeze freeze;
    private final OptionalLong deadline;
    private final Optional<MonitorState> before;

    private StillFiles(DetachedPlace place, @Nullable Freeze freeze, Optional<MonitorState> before) {
        this.place = place;
        this.freeze = freeze;
        this.deadline = freeze == null ? OptionalLong.empty() : SessionSnapshots.deadline();
        this.before = before;
    }

    /// Waits while somebody else copies them, who lets the container run on at the end.
    ///
    /// @param changes open as long as this
    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING if it becomes so just
    ///     then
    static StillFiles of(DetachedPlace place, DetachedChanges changes) throws InterruptedException {
        changes.awaitTurn();
        if (place.told().map(ToldState::of).orElseGet(place::lastState) instanceof ContainerState.Running) {
            Freeze freeze = Freeze.of(place);
            try {
                return new StillFiles(place, freeze, place.told());
            } catch (RuntimeException | InterruptedException e) {
                freeze.close();
                throw e;
            }
        }
        return new StillFiles(place, null, place.told());
    }

    /// Returns until when they must be copied, in the time of [System#nanoTime]; empty if nobody waits for it.
    OptionalLong deadline() {
        return deadline;
    }

    /// Refuses what was copied if the container ran, or was removed, meanwhile.
    /// @throws EngineException FILE_CHANGED
    void requireSame() throws InterruptedException {
        if (!place.told().map(Moment::of).equals(before.map(Moment::of))) {
            throw changed(place.name());
        }
    }

    static EngineException changed(String container) {
        return new EngineException(
                "FILE_CHANGED",
                "container " + container + " was started, let run on, ended or removed while its files were copied: try"
                        + " again");
    }

    /// A state of the monitor that stays the same as long as no process of the container goes on.
    private record Moment(MonitorState.Phase phase, int generation, int pid) {
        static Moment of(MonitorState state) {
            return new Moment(state.phase(), state.generation(), state.pid());
        }
    }

    @Override
    public void close() {
        if (freeze != null) {
            freeze.close();
        }
    }
}
