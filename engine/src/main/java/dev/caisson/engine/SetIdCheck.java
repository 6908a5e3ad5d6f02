package dev.caisson.engine;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.launch.Verifier.Outcome;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.linux.MountInfo;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Shows which set-user-ID and set-group-ID programs a running container has executed without effect, and
/// whether its executions are watched at all.
final class SetIdCheck {
    private static final String SUBJECT = "set-id programs";
    private static final String PLANNED = "executions are watched";
    private static final String QUEUE = "anon_inode:[fanotify]";
    private static final int MOST_FILES = 100_000;
    private static final int LONGEST_DETAIL = 16 << 20;

    private SetIdCheck() {}

    static List<Check> of(ContainerRecord record, EngineOptions options) {
        var checks = new ArrayList<Check>();
        Optional<KeptContainer> kept = kept(record, options);
        Optional<SetIdPrograms> noted = kept.flatMap(KeptContainer::findSetIdPrograms);
        checks.add(watched(record, kept, noted));
        for (String file : noted.map(SetIdPrograms::files).orElse(List.of())) {
            String found = file + ": " + Obstacle.SET_ID_WITHOUT_EFFECT.sentence();
            checks.add(new Check(SUBJECT, found, found, true));
        }
        return checks;
    }

    private static Check watched(ContainerRecord record, Optional<KeptContainer> kept, Optional<SetIdPrograms> noted) {
        String missing = noted.map(SetIdPrograms::missing).orElse("");
        if (SetIdPrograms.isNotWatched(missing)) {
            return new Check(SUBJECT, PLANNED, missing, Outcome.NOT_EVALUATED);
        }
        if (!missing.isEmpty()) {
            return new Check(SUBJECT, PLANNED, PLANNED + ", some may be missing, because " + missing, true);
        }
        boolean detached = kept.flatMap(KeptContainer::detached).isPresent();
        boolean isWatched = detached ? noted.isPresent() : isWatched(record);
        return isWatched
                ? new Check(SUBJECT, PLANNED, PLANNED, true)
                : new Check(
                        SUBJECT,
                        PLANNED,
                        "nobody watches its executions: it was started by an earlier version, or the kernel gave no queue"
                                + " for them (fs.fanotify.max_user_groups)",
                        Outcome.NOT_EVALUATED);
    }

    private static Optional<KeptContainer> kept(ContainerRecord record, EngineOptions options) {
        try {
            return Optional.of(KeptContainer.find(new ContainerId(record.id()).value(), options));
        } catch (EngineException e) {
            return Optional.empty(); // nothing is kept of it
        }
    }

    /// True if its engine has a queue of executions on its root.
    private static boolean isWatched(ContainerRecord record) {
        try (Fd container = process(record.pid());
                Fd engine = process(record.enginePid());
                Fd files = FileSystem.openAt(engine, "fd", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0)) {
            String mark = "mnt_id:" + Integer.toHexString(root(container)) + " ";
            for (String file : DirectoryEntries.of(files, MOST_FILES)) {
                if (isQueue(files, file) && detail(engine, file).contains(mark)) {
                    return true;
                }
            }
            return false;
        } catch (ErrnoException e) {
            return false; // one of them has ended
        }
    }

    private static Fd process(int pid) {
        return FileSystem.open("/proc/" + pid, FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }

    private static boolean isQueue(Fd files, String file) {
        try {
            return FileSystem.readLink(files, file).equals(QUEUE);
        } catch (ErrnoException e) {
            return false; // closed by now
        }
    }

    private static String detail(Fd process, String file) {
        try (Fd detail = FileSystem.openAt(process, "fdinfo/" + file, FileSystem.O_RDONLY, 0, 0)) {
            return new String(FileSystem.read(detail, LONGEST_DETAIL), StandardCharsets.US_ASCII);
        }
    }

    private static int root(Fd container) {
        return MountInfo.parse(KernelText.read(container, "mountinfo")).stream()
                .filter(mount -> mount.point().equals("/"))
                .mapToInt(MountInfo::id)
                .max()
                .orElse(0);
    }
}
