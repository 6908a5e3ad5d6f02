package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.spec.Lack;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The processes of a group and below it: listed, stopped and killed.
///
/// @param trees that have the group
/// @param unified the one of version 2 among them
/// @param freezer the one that freezes in version 1 among them
record GroupProcesses(
        String group,
        List<Tree> trees,
        @Nullable Tree unified,
        @Nullable Tree freezer) {
    private static final Duration PAUSE_PATIENCE = Duration.ofSeconds(10);
    private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);
    private static final long BETWEEN_LOOKS_NANOS = 50_000;
    private static final int SIGKILL = 9;

    List<Long> list() {
        return trees.stream()
                .flatMap(tree -> tree.processes(group).stream())
                .distinct()
                .toList();
    }

    void kill() {
        if (killAtOnce()) {
            killOneByOne(); // what has left its unified group
        } else {
            killFrozen();
        }
    }

    /// False where the kernel cannot, before Linux 5.14 or without a unified tree.
    private boolean killAtOnce() {
        return unified != null && unified.writeIfThere(group, "cgroup.kill", "1");
    }

    /// Stops everything first, so that nothing forks faster than it is killed.
    void killFrozen() {
        freeze(true);
        try {
            killOneByOne();
        } finally {
            freeze(false);
        }
    }

    /// Kills until nothing new shows.
    private void killOneByOne() {
        long deadline = System.nanoTime() + KILL_PATIENCE.toNanos();
        var killed = new HashSet<Long>();
        boolean again = true;
        while (again && System.nanoTime() < deadline) {
            again = false;
            for (long pid : list()) {
                if (pid != 0 && killed.add(pid)) {
                    again = true;
                    killIfInside(Math.toIntExact(pid));
                }
            }
        }
    }

    /// The number is looked up again after the descriptor was opened, so that it can stand for no other process.
    private void killIfInside(int pid) {
        try (Fd process = Processes.open(pid)) {
            if (list().contains((long) pid)) {
                Processes.signal(process, SIGKILL);
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.ESRCH)) {
                throw e;
            }
        }
    }

    /// Waits until all have stopped, or somebody has enough of waiting.
    void pause(BooleanSupplier enough) {
        if (!freeze(true)) {
            throw trees.stream().anyMatch(tree -> tree.exists(group))
                    ? CgroupException.unenforceable(new Lack("pause", "the kernel cannot freeze groups"))
                    : new CgroupException(Code.NO_SUCH_GROUP, "the group " + group + " is gone");
        }
        long deadline = System.nanoTime() + PAUSE_PATIENCE.toNanos();
        while (!isPaused() && !enough.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                freeze(false);
                throw new CgroupException(
                        Code.BUSY, "some process of " + group + " does not stop; it runs on, try again later");
            }
            LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
        }
    }

    void resume() {
        freeze(false);
    }

    boolean isPaused() {
        if (unified != null) {
            return unified.find(group, "cgroup.events")
                    .filter(events -> new KeyedText(events).get("frozen") == 1)
                    .isPresent();
        }
        return freezer != null
                && freezer.find(group, "freezer.state").filter("FROZEN"::equals).isPresent();
    }

    /// True from the moment on in which it is told to stop: whoever comes into it now stands still.
    boolean isToldToPause() {
        return unified != null
                ? unified.find(group, "cgroup.freeze").filter("1"::equals).isPresent()
                : freezer != null
                        && freezer.find(group, "freezer.state")
                                .filter(state -> !state.equals("THAWED"))
                                .isPresent();
    }

    /// False where the kernel cannot, or the group is gone.
    private boolean freeze(boolean frozen) {
        if (unified != null) {
            return unified.writeIfThere(group, "cgroup.freeze", frozen ? "1" : "0");
        }
        return freezer != null && freezer.writeIfThere(group, "freezer.state", frozen ? "FROZEN" : "THAWED");
    }
}
