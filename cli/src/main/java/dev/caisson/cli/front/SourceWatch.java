package dev.caisson.cli.front;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Inotify;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Knows whether a source of the clone may have changed since a front end last looked at all of them: the look takes
/// longer than most commands. Where the kernel tells no changes, or not all of them, each front end looks. Not seen is
/// what changes through a mapping of memory, or through a second name that a file got elsewhere after it was watched.
public final class SourceWatch implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(SourceWatch.class.getName());
    /// ext4, xfs, btrfs, tmpfs, overlay, f2fs: nobody changes a file of theirs on another machine.
    private static final Set<Long> LOCAL =
            Set.of(0xef53L, 0x5846_5342L, 0x9123_683eL, 0x0102_1994L, 0x794c_7630L, 0xf2f5_2010L);
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_CLOEXEC;
    private static final String MAVEN = ".mvn";
    private static final int MOST_DEPTH = 32;

    private final Path clone;
    private @Nullable Inotify changes;
    /// How often something changed, and what that was when the directories of all sources were watched, and when a
    /// front end looked at them.
    private long changed;
    private long watched = -1;
    private long seen = -1;

    private SourceWatch(Path clone, @Nullable Inotify changes) {
        this.clone = clone;
        this.changes = changes;
    }

    /// Begins with nothing known: the first front end looks.
    /// @param clone the directory that has the launcher
    public static SourceWatch of(Path clone) {
        try {
            return new SourceWatch(clone, Inotify.open());
        } catch (ErrnoException e) {
            LOG.log(System.Logger.Level.DEBUG, "changes of sources are not seen", e);
            return new SourceWatch(clone, null);
        }
    }

    /// Returns a mark for [#looked] if a front end has to look, or empty if it has nothing to look for.
    synchronized OptionalLong toLook() {
        if (changes == null) {
            return OptionalLong.of(0);
        }
        try {
            if (changes.changes().stream().anyMatch(SourceWatch::counts)) {
                changed++;
            }
            if (seen == changed) {
                return OptionalLong.empty();
            }
            if (watched != changed) {
                watchAll(changes); // first, so that what changes during the look is seen
                watched = changed;
            }
        } catch (ErrnoException | NotWatched e) {
            LOG.log(System.Logger.Level.DEBUG, "changes of sources are not seen any more", e);
            close();
        }
        return OptionalLong.of(changed);
    }

    /// @param mark what [#toLook] returned before the front end looked and found nothing newer than the build
    synchronized void looked(long mark) {
        if (changes != null && mark == changed) {
            seen = mark;
        }
    }

    private static boolean counts(String name) {
        return !name.startsWith(".") || name.equals(MAVEN);
    }

    /// A tree whose changes are not all told.
    private static final class NotWatched extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotWatched(String why) {
            super(why);
        }
    }

    /// The directories of the files that `front_is_fresh` of native/front_place.c looks at.
    private void watchAll(Inotify into) {
        try (Fd top = FileSystem.open(clone.toString(), DIRECTORY)) {
            if (!LOCAL.contains(FileSystem.type(top))) {
                throw new NotWatched("the clone is on a file system of other machines");
            }
            long device = FileSystem.status(top).fileSystem();
            watch(into, top, ".", device, 0);
            watch(into, top, "tools", device, 0);
            watch(into, top, "native", device, 0);
            watch(into, top, MAVEN, device, MOST_DEPTH);
            for (String room : DirectoryEntries.directories(top)) {
                if (!room.startsWith(".")) {
                    watch(into, top, room, device, 0);
                    watch(into, top, room + "/src", device, 0);
                    watch(into, top, room + "/src/main", device, MOST_DEPTH);
                }
            }
        }
    }

    /// @param depth of the directories below that are watched too
    private static void watch(Inotify into, Fd above, String name, long device, int depth) {
        Optional<Fd> opened =
                FileSystem.find(above, name, DIRECTORY, FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
        if (opened.isEmpty()) {
            return; // its making would be told of the directory above
        }
        try (Fd directory = opened.get()) {
            into.watch(directory);
            for (String entry : DirectoryEntries.of(directory)) {
                Optional<FileStatus> status = FileSystem.findStatus(directory, entry);
                if (entry.startsWith(".") || status.isEmpty()) {
                    continue;
                }
                requireTold(status.get(), device, entry);
                if (depth > 0 && status.get().isDirectory()) {
                    watch(into, directory, entry, device, depth - 1);
                }
            }
        }
    }

    private static void requireTold(FileStatus status, long device, String name) {
        boolean told = status.isDirectory() || (status.isRegularFile() && status.links() == 1);
        if (!told || status.fileSystem() != device) {
            throw new NotWatched(name + " may change from elsewhere");
        }
    }

    @Override
    public synchronized void close() {
        if (changes != null) {
            changes.close();
            changes = null;
        }
    }
}
