package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExecutedFiles;
import dev.caisson.linux.ExecutedFiles.Execution;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptRun;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Notes which set-user-ID and set-group-ID programs the containers of this engine execute without effect, from
/// one queue of the kernel for all of them. No program waits for it: what is not looked at in time is reported
/// as missing, and a container whose executions cannot be watched starts all the same.
final class SetIdWatch implements AutoCloseable, ExecutedFiles.Visitor {
    private static final long WINDOW_NANOS = 50_000_000;
    private static final int MOST_IN_WINDOW = 128;
    /// Looked at in one turn of the reactor, which has others to serve.
    private static final int MOST_IN_TURN = 32;

    private static final int MOST_AT_END = 1024;

    private final Reactor reactor;
    private final Map<Long, SetIdNotes> watched = new HashMap<>();
    private final Map<ContainerId, SetIdNotes> containers = new HashMap<>();
    private @Nullable ExecutedFiles files;
    private String unavailable = "";
    private long key;
    private long windowBegan;
    private int inWindow;
    private boolean paused;
    private boolean closed;

    SetIdWatch(Reactor reactor) {
        this.reactor = reactor;
    }

    /// Begins to take notes of a container that is about to be made.
    ///
    /// @param user of its program, in its own ids
    /// @return what takes the directory of each mount that has its programs, which need not be attached yet
    Consumer<Fd> begin(ContainerId id, LaunchPlan plan, int user, Optional<KeptRun> kept) {
        if (!plan.has(Step.NoNewPrivileges.class)) {
            return _ -> {}; // such programs have effect
        }
        var notes = new SetIdNotes(user != 0);
        kept.ifPresent(run -> notes.tell(() -> Thread.ofVirtual()
                .start(() ->
                        run.noted(SetIdPrograms.FILE, () -> notes.programs().fields()))));
        synchronized (this) {
            containers.put(id, notes);
        }
        return directory -> add(directory, notes);
    }

    private synchronized void add(Fd directory, SetIdNotes notes) {
        ExecutedFiles queue = files();
        if (queue == null) {
            notes.lack(unavailable);
            return;
        }
        try {
            long mount = queue.watch(directory);
            notes.add(mount);
            watched.put(mount, notes);
        } catch (ErrnoException e) {
            notes.lack(SetIdPrograms.notWatched("fanotify: " + Errno.name(e.errno())));
        }
    }

    /// Opened for the first container, and tried again for the next one if the kernel gives none.
    private @Nullable ExecutedFiles files() {
        if (files != null || closed) {
            return files;
        }
        try {
            ExecutedFiles opened = ExecutedFiles.open();
            try {
                key = reactor.watch(opened.queue(), this::look, this::lose);
            } catch (RuntimeException | Error e) {
                opened.close();
                throw e;
            }
            files = opened;
        } catch (ErrnoException e) {
            unavailable = SetIdPrograms.notWatched("fanotify: " + Errno.name(e.errno()));
        }
        return files;
    }

    /// In the reactor's thread.
    private synchronized void look() {
        ExecutedFiles queue = files;
        if (queue == null) {
            return;
        }
        long now = System.nanoTime();
        if (now - windowBegan >= WINDOW_NANOS) {
            windowBegan = now;
            inWindow = 0;
        }
        inWindow += queue.read(MOST_IN_TURN, this);
        if (inWindow >= MOST_IN_WINDOW) {
            reactor.forget(key, queue.queue());
            paused = true;
            reactor.at(windowBegan + WINDOW_NANOS, this::lookAgain);
        }
    }

    private synchronized void lookAgain() {
        ExecutedFiles queue = files;
        if (queue != null && paused) { // else it is another one, which is watched
            paused = false;
            key = reactor.watch(queue.queue(), this::look, this::lose);
        }
    }

    /// Containers run on if it fails.
    private synchronized void lose(Throwable why) {
        ExecutedFiles queue = files;
        if (queue != null) {
            reactor.forget(key, queue.queue());
            queue.close();
            files = null;
            paused = false;
        }
        watched.values().forEach(notes -> notes.lack("executions could not be read (" + why + ")"));
        watched.clear();
    }

    @Override
    public void executed(Execution execution) {
        SetIdNotes notes = watched.get(execution.mount());
        ExecutedFiles queue = files;
        if (notes == null || queue == null) {
            return; // a container that has ended
        }
        if (!notes.count()) {
            watched.remove(execution.mount());
            notes.lack(SetIdPrograms.LOST);
            queue.unwatch(execution.file());
        } else if (!ProcessObstacles.isSetId(execution.mode())) {
            if (notes.isRepeated(execution.fileSystem(), execution.inode())) {
                queue.ignore(execution.file());
            }
        } else {
            Optional<Boolean> isVoid = ProcessObstacles.isVoid(execution);
            if (isVoid.isEmpty() && !notes.isWithoutRoot()) {
                notes.lack(SetIdPrograms.UNSEEN);
            } else if (isVoid.orElse(true)) {
                notes.found(FileSystem.path(execution.file()));
                queue.ignore(execution.file());
            }
        }
    }

    @Override
    public void lost() {
        watched.values().forEach(notes -> notes.lack(SetIdPrograms.LOST));
    }

    /// Looks at what is left of a container that has ended.
    synchronized SetIdPrograms end(ContainerId id) {
        SetIdNotes notes = containers.get(id);
        if (notes == null) {
            return SetIdPrograms.NONE;
        }
        ExecutedFiles queue = files;
        if (queue != null && queue.read(MOST_AT_END, this) >= MOST_AT_END) {
            notes.lack(SetIdPrograms.LOST);
        }
        forget(id);
        return notes.programs();
    }

    /// Forgets a container. The kernel forgets its mounts with them.
    synchronized void forget(ContainerId id) {
        SetIdNotes notes = containers.remove(id);
        if (notes != null) {
            notes.mounts().forEach(mount -> watched.remove(mount, notes));
        }
    }

    /// Comes after the reactor's end.
    @Override
    public synchronized void close() {
        closed = true;
        if (files != null) {
            files.close();
            files = null;
        }
    }
}
