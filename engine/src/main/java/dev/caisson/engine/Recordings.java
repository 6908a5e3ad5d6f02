package dev.caisson.engine;

import dev.caisson.launch.Step;
import dev.caisson.watch.SyscallRecorder;

/// Recordings of containers that an engine of this process starts.
public final class Recordings {
    private Recordings() {}

    /// Records a container that stands before its program, from the moment in which the program is started.
    /// @param container as [Engine#start] hands it out
    @SuppressWarnings("exports") // for Caisson's own modules
    public static SyscallRecorder ofStanding(Container container) {
        boolean initStays = container.plan().only(Step.Execute.class).initStays();
        return SyscallRecorder.ofStanding(container.pid(), initStays, container.recording());
    }
}
