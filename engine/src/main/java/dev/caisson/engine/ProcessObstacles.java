package dev.caisson.engine;

import dev.caisson.launch.Verifier;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExecutedFiles;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds what stands in the way of a container's processes as they run: a set-user-ID or set-group-ID program
/// that no_new_privs left without effect, and a soft limit of open files that is reached. The kernel tells
/// neither to anybody but the program.
final class ProcessObstacles {
    private static final int S_ISUID = 04000;
    private static final int S_ISGID_EXECUTABLE = 02010;
    private static final int MOST_TOLD = 32;

    private ProcessObstacles() {}

    /// Returns a line for each, all as planned.
    /// @param processes in the numbers of this process's namespace
    static List<Verifier.Check> of(List<Long> processes) {
        return processes.stream()
                .flatMap(pid -> ofProcess(pid).stream())
                .limit(MOST_TOLD)
                .toList();
    }

    private static List<Verifier.Check> ofProcess(long pid) {
        var checks = new ArrayList<Verifier.Check>();
        try (Fd process = FileSystem.open("/proc/" + pid, FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            String status = KernelText.read(process, "status");
            if (word(status, "NoNewPrivs:", 1).equals("1") && isSetId(process, status)) {
                String program = FileSystem.readLink(process, "exe");
                checks.add(check(pid, program + ": " + Obstacle.SET_ID_WITHOUT_EFFECT.sentence()));
            }
            String most = word(KernelText.read(process, "limits"), "Max open files", 3);
            if (isFull(process, most)) {
                checks.add(check(
                        pid,
                        "it has all of the " + most
                                + " open files that it may have: give it more with --ulimit nofile=SOFT:HARD"));
            }
            return checks;
        } catch (ErrnoException e) {
            return List.of(); // it has ended
        }
    }

    private static Verifier.Check check(long pid, String found) {
        return new Verifier.Check("process " + pid, found, found, true);
    }

    private static boolean isSetId(Fd process, String status) {
        try (Fd program = FileSystem.openAt(process, "exe", FileSystem.O_PATH, 0, 0)) {
            FileStatus file = FileSystem.status(program);
            return changesIds(file.mode(), file.uid(), file.gid(), status);
        }
    }

    /// True if a file of this mode is set-user-ID or set-group-ID.
    static boolean isSetId(int mode) {
        return (mode & S_ISUID) != 0 || (mode & S_ISGID_EXECUTABLE) == S_ISGID_EXECUTABLE;
    }

    private static boolean changesIds(int mode, int uid, int gid, String status) {
        return ((mode & S_ISUID) != 0 && uid != Integer.parseUnsignedInt(word(status, "Uid:", 2)))
                || ((mode & S_ISGID_EXECUTABLE) == S_ISGID_EXECUTABLE
                        && gid != Integer.parseUnsignedInt(word(status, "Gid:", 2)));
    }

    /// Returns true if no_new_privs kept a set-user-ID or set-group-ID program from changing the ids of who
    /// executes it; empty if that process has ended.
    static Optional<Boolean> isVoid(ExecutedFiles.Execution execution) {
        try (Fd process = FileSystem.open("/proc/" + execution.pid(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            String status = KernelText.read(process, "status");
            return Optional.of(word(status, "NoNewPrivs:", 1).equals("1")
                    && changesIds(execution.mode(), execution.uid(), execution.gid(), status));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private static boolean isFull(Fd process, String limit) {
        if (!limit.matches("[0-9]{1,5}")) {
            return false; // more than is counted here
        }
        int most = Integer.parseInt(limit);
        try (Fd files = FileSystem.openAt(process, "fd", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0)) {
            return DirectoryEntries.of(files, most).size() >= most;
        }
    }

    /// Returns a word of the line that starts so; empty if there is none.
    private static String word(String text, String start, int index) {
        return KernelText.lines(text)
                .filter(line -> line.startsWith(start))
                .map(line -> line.trim().split("\\s+", -1))
                .filter(words -> words.length > index)
                .map(words -> words[index])
                .findFirst()
                .orElse("0");
    }
}
