package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.state.ContainerRecord;

/// The files of a container that outlives its command, whether it runs or not. Not for several threads.
final class DetachedFiles implements FileSource {
    private static final long LOOK_NANOS = 100_000_000;

    private final DetachedPlace place;
    private final EngineOptions options;
    private final Hierarchy hierarchy;
    private final FileServices services;
    private final ContainerRecord record;
    /// What the present service was started for: a number of a run, or less than 0 for a container at rest.
    private long subject;

    private long looked;

    DetachedFiles(DetachedPlace place, EngineOptions options, Hierarchy hierarchy, FileServices services) {
        this.place = place;
        this.options = options;
        this.hierarchy = hierarchy;
        this.services = services;
        this.record = place.record();
    }

    ContainerRecord record() {
        return record;
    }

    @Override
    public FileService start(boolean outside) {
        return Failures.uninterrupted(() -> startNow(outside)).orElseThrow(DetachedFiles::interrupted);
    }

    private FileService startNow(boolean outside) throws InterruptedException {
        try (Monitor monitor = place.monitor()) {
            MonitorState state = monitor.state();
            subject = subject(state);
            looked = System.nanoTime();
            if (runs(state)) {
                place.refresh();
                return services.start(ExecTarget.find(place.id().value(), options, hierarchy), outside);
            }
            return services.stand(record.plan().plan(), group(), monitor);
        }
    }

    private static long subject(MonitorState state) {
        return runs(state) ? state.pid() : -1;
    }

    /// One that starts or ends just now is at rest: what its programs see is made, or taken down.
    private static boolean runs(MonitorState state) {
        return state.phase() == MonitorState.Phase.RUNNING || state.phase() == MonitorState.Phase.PAUSED;
    }

    private Cgroup group() {
        return hierarchy.find(record.cgroupParent(), record.id()).orElseThrow(place::dead);
    }

    @Override
    public boolean isFrozen() {
        Cgroup group = group();
        return group.chargesInUnified() && group.isPaused();
    }

    /// Looks now and then, because a look costs more than a request.
    @Override
    public boolean isCurrent() {
        if (System.nanoTime() - looked < LOOK_NANOS) {
            return true;
        }
        return Failures.uninterrupted(() -> {
                    try (Monitor monitor = place.monitor()) {
                        looked = System.nanoTime();
                        return subject(monitor.state()) == subject;
                    }
                })
                .orElseThrow(DetachedFiles::interrupted);
    }

    private static EngineException interrupted() {
        return new EngineException("INTERRUPTED", "the thread was interrupted while it worked on files: do it again");
    }
}
