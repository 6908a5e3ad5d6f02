package dev.caisson.engine;

import java.util.OptionalInt;

/// Is told where launches stand, in the thread that carries them out. Only a test gives an engine one, to end the
/// engine there: no option, file or variable leads to it.
interface Probe {
    /// Places between two acts of the engine, in the order in which a container passes them.
    enum Moment {
        /// It has a directory and a lock of its own, and has not looked for what others left.
        ENGINE_STANDS,
        /// One container of a dead engine is removed; that engine's directory is still there.
        LEFTOVER_REMOVED,
        RANGE_TAKEN,
        /// Its name is taken, by an empty record.
        NAME_TAKEN,
        GROUP_MADE,
        /// The kernel makes the first process, if it has not yet.
        CHILD_ASKED,
        /// All is there of which the zygote makes the root file system.
        LAYERS_OPEN,
        STREAMS_OPEN,
        /// Init waits in front of a step.
        INIT_PAUSED,
        INIT_READY,
        VERIFIED,
        WATCHED,
        STARTED,
        /// The record is written, under a name that nobody looks for.
        RECORD_WRITTEN,
        START_RECORDED,
        /// The kernel makes the first process of a container that nobody has wished for yet.
        NEXT_ASKED,
        ENDED,
        DESCRIPTORS_CLOSED,
        GROUP_REMOVED,
        RECORD_REMOVED,
        RANGE_GIVEN_BACK,
        /// Every container of a closing engine is removed; its directory is still there.
        CONTAINERS_REMOVED
    }

    Probe NONE = new Probe() {
        @Override
        public void reached(Moment moment) {
            // Nobody wants to know.
        }

        @Override
        public OptionalInt pauseBefore() {
            return OptionalInt.empty();
        }
    };

    void reached(Moment moment);

    /// Comes before what is read about the caller of a denied call, in the thread that reads it.
    default void readsCaller() {}

    /// Index of the plan's step in front of which the init that is launched now waits.
    OptionalInt pauseBefore();
}
