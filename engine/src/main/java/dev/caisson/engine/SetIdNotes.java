package dev.caisson.engine;

import dev.caisson.linux.ByteText;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The set-user-ID and set-group-ID programs that one container executed without effect, and how much of its
/// executions has been looked at.
final class SetIdNotes {
    private static final int MOST = 32;
    private static final int LONGEST = 256;
    private static final int REMEMBERED = 64;
    /// Ordinary files that the kernel is asked to leave out: each takes a little of its memory.
    private static final int MOST_IGNORED = 1024;
    /// A container that executes more different files is watched no more. A loop over the same files is not
    /// counted.
    private static final int MOST_A_SECOND = 1000;
    private static final long SECOND = 1_000_000_000;

    private final boolean withoutRoot;
    private final Set<String> files = new LinkedHashSet<>();
    private final List<Long> mounts = new ArrayList<>();
    private final long[] seen = new long[REMEMBERED];
    private String missing = "";
    private Runnable changed = () -> {};
    private int next;
    private int ignored;
    private int executed;
    private long second;

    /// @param withoutRoot whether nobody in the container can be its root: a program that has ended before its
    ///     ids could be read was then without effect
    SetIdNotes(boolean withoutRoot) {
        this.withoutRoot = withoutRoot;
    }

    boolean isWithoutRoot() {
        return withoutRoot;
    }

    /// Sets who is told of each change.
    synchronized void tell(Runnable taker) {
        changed = taker;
    }

    synchronized void add(long mount) {
        mounts.add(mount);
    }

    synchronized List<Long> mounts() {
        return List.copyOf(mounts);
    }

    /// Counts one more execution.
    /// @return false if these are too many to look at
    synchronized boolean count() {
        long now = System.nanoTime() / SECOND;
        executed = now == second ? executed + 1 : 1;
        second = now;
        return executed <= MOST_A_SECOND;
    }

    /// Remembers an ordinary file.
    /// @return true if it was executed not long ago, so that it is worth being left out
    synchronized boolean isRepeated(long fileSystem, long inode) {
        long file = inode * 31 + fileSystem;
        for (long known : seen) {
            if (known == file) {
                return ignored++ < MOST_IGNORED;
            }
        }
        seen[next] = file;
        next = (next + 1) % REMEMBERED;
        return false;
    }

    synchronized void found(String path) {
        String shown = ByteText.shown(path.length() > LONGEST ? path.substring(path.length() - LONGEST) : path);
        if (files.contains(shown)) {
            return;
        }
        if (files.size() == MOST) {
            lack(SetIdPrograms.MORE);
        } else {
            files.add(shown);
            changed.run();
        }
    }

    /// Notes why some may be missing; the first reason stays, but for the weakest.
    synchronized void lack(String why) {
        if (missing.isEmpty() || (missing.equals(SetIdPrograms.UNSEEN) && !why.equals(missing))) {
            missing = why;
            changed.run();
        }
    }

    synchronized SetIdPrograms programs() {
        return new SetIdPrograms(List.copyOf(files), missing);
    }
}
