package dev.caisson.engine;

import java.time.Instant;
import java.util.Optional;

/// The states in the life of a container that outlives its command, and the operations that are legal in each.
///
/// ```
/// Created -> Running <-> Paused
///              |  ^-- Restarting <-- an end that the restart policy answers
///              v
///            Exited -> Running                        (start makes the same container run again)
///            Lost   -> Running                        (its monitor was lost: nobody knows how it ended)
/// ```
public sealed interface ContainerState {
    /// What may be asked of a container.
    enum Operation {
        START,
        STOP,
        SIGNAL,
        PAUSE,
        RESUME,
        RESTART,
        ATTACH,
        EXEC,
        UPDATE,
        RENAME,
        REMOVE
    }

    /// An end of its program.
    ///
    /// @param code exit code, 0 if a signal ended it
    /// @param signal that ended it, else 0
    /// @param outOfMemory whether the kernel killed one of its processes at its memory limit
    record End(int code, int signal, boolean outOfMemory, Instant time) {
        private static final int BY_SIGNAL = 128;

        /// Returns the status that a shell would see.
        public int status() {
            return signal == 0 ? code : BY_SIGNAL + signal;
        }
    }

    /// Made, and never started.
    record Created() implements ContainerState {}

    /// Its program runs.
    ///
    /// @param pid of its process 1, in this process's pid namespace
    /// @param health as its health checks have it
    record Running(int pid, Instant started, HealthReport.Health health) implements ContainerState {}

    /// Its program runs and every process of it is frozen.
    record Paused(int pid, Instant started, HealthReport.Health health) implements ContainerState {}

    /// Its program has ended and will be started again.
    record Restarting(End last) implements ContainerState {}

    /// Its program has ended.
    record Exited(End end) implements ContainerState {}

    /// It ran when its monitor was lost, and ended with it: nobody knows its exit status.
    record Lost(Cause cause) implements ContainerState {
        /// Why a monitor is gone.
        public enum Cause {
            HOST_RESTARTED("the host was restarted"),
            MONITOR_KILLED("its monitor was killed");

            private final String text;

            Cause(String text) {
                this.text = text;
            }

            /// Returns it for people.
            public String text() {
                return text;
            }
        }
    }

    /// Returns the state in Docker's words.
    default String word() {
        return switch (this) {
            case Created _ -> "created";
            case Running _ -> "running";
            case Paused _ -> "paused";
            case Restarting _ -> "restarting";
            case Exited _, Lost _ -> "exited";
        };
    }

    /// Returns the process id of its process 1; 0 if it has none.
    default int pid() {
        return switch (this) {
            case Running running -> running.pid();
            case Paused paused -> paused.pid();
            case Created _, Restarting _, Exited _, Lost _ -> 0;
        };
    }

    /// Returns its health while it runs.
    default HealthReport.Health health() {
        return switch (this) {
            case Running running -> running.health();
            case Paused paused -> paused.health();
            case Created _, Restarting _, Exited _, Lost _ -> HealthReport.Health.NONE;
        };
    }

    /// Returns how its program ended last, if that is known.
    default Optional<End> lastEnd() {
        return switch (this) {
            case Exited exited -> Optional.of(exited.end());
            case Restarting restarting -> Optional.of(restarting.last());
            case Created _, Running _, Paused _, Lost _ -> Optional.empty();
        };
    }

    /// Returns true if a program of it runs, frozen or not.
    default boolean isUp() {
        return this instanceof Running || this instanceof Paused;
    }

    /// Returns true if an operation changes nothing in this state, and succeeds as Docker's does.
    default boolean isDone(Operation operation) {
        return switch (operation) {
            case START -> this instanceof Running;
            case STOP -> this instanceof Created || this instanceof Exited || this instanceof Lost;
            case SIGNAL, PAUSE, RESUME, RESTART, ATTACH, EXEC, UPDATE, RENAME, REMOVE -> false;
        };
    }

    /// Refuses an operation that is not legal in this state.
    ///
    /// @param container the name by which the caller knows it
    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_NOT_PAUSED,
    ///     CONTAINER_RESTARTING
    default void require(Operation operation, String container) {
        refusal(operation, container).ifPresent(refusal -> {
            throw refusal;
        });
    }

    private Optional<EngineException> refusal(Operation operation, String container) {
        return switch (operation) {
            case STOP, RESTART, UPDATE, RENAME -> Optional.empty();
            case START ->
                this instanceof Paused
                        ? refused("PAUSED", "cannot start a paused container, try unpause instead")
                        : Optional.empty();
            case SIGNAL -> isUp() ? Optional.empty() : notRunning(container);
            case PAUSE -> pause(container);
            case RESUME ->
                this instanceof Paused
                        ? Optional.empty()
                        : refused("NOT_PAUSED", "container " + container + " is not paused");
            case ATTACH -> attach();
            case EXEC ->
                switch (this) {
                    case Running _ -> Optional.empty();
                    case Paused _ ->
                        refused("PAUSED", "container " + container + " is paused, unpause the container before exec");
                    case Restarting _ ->
                        refused(
                                "RESTARTING",
                                "container " + container + " is restarting, wait until the container is running");
                    case Created _, Exited _, Lost _ -> notRunning(container);
                };
            case REMOVE -> remove(container);
        };
    }

    private Optional<EngineException> pause(String container) {
        return switch (this) {
            case Running _ -> Optional.empty();
            case Paused _ -> refused("PAUSED", "container " + container + " is already paused");
            case Restarting _ ->
                refused("RESTARTING", "container " + container + " is restarting, wait until the container is running");
            case Created _, Exited _, Lost _ -> notRunning(container);
        };
    }

    private Optional<EngineException> attach() {
        return switch (this) {
            case Running _ -> Optional.empty();
            case Paused _ -> refused("PAUSED", "cannot attach to a paused container, unpause it first");
            case Restarting _ ->
                refused("RESTARTING", "cannot attach to a restarting container, wait until it is running");
            case Created _, Exited _, Lost _ ->
                refused("NOT_RUNNING", "cannot attach to a stopped container, start it first");
        };
    }

    private Optional<EngineException> remove(String container) {
        String what = "cannot remove container \"" + container + "\": container is ";
        return switch (this) {
            case Running _ -> refused("RUNNING", what + "running: stop the container before removing or force remove");
            case Paused _ -> refused("PAUSED", what + "paused and must be unpaused first");
            case Restarting _ ->
                refused("RESTARTING", what + "restarting: stop the container before removing or force remove");
            case Created _, Exited _, Lost _ -> Optional.empty();
        };
    }

    private static Optional<EngineException> notRunning(String container) {
        return refused(
                "NOT_RUNNING",
                "container " + container + " is not running: start it with 'caisson start " + container + "'");
    }

    private static Optional<EngineException> refused(String code, String sentence) {
        return Optional.of(new EngineException("CONTAINER_" + code, sentence));
    }
}
