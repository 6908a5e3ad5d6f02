package dev.caisson.engine;

import dev.caisson.cgroup.CgroupException;
import java.util.Collection;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/// What the containers of an engine use, in events for whoever records them.
final class UsageRecording {
    private final Supplier<Collection<Container>> containers;
    private final Runnable record = this::record;

    UsageRecording(Supplier<Collection<Container>> containers) {
        this.containers = containers;
    }

    /// Begins, where somebody may be recording: the classes of events are loaded for nobody else.
    void begin() {
        if (FlightRecorder.isInitialized()) {
            FlightRecorder.addPeriodicEvent(UsageEvent.class, record);
        }
    }

    void end() {
        if (FlightRecorder.isInitialized()) {
            FlightRecorder.removePeriodicEvent(record);
        }
    }

    private void record() {
        containers.get().forEach(container -> {
            try {
                UsageEvent.commit(container.id().value(), container.usage());
            } catch (CgroupException e) {
                if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) { // it has ended meanwhile
                    throw e;
                }
            }
        });
    }
}
