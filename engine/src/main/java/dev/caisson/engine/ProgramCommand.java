package dev.caisson.engine;

import dev.caisson.launch.Step;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What a running container's program was started with, as the kernel shows it: arguments may be secret, so no record
/// holds them.
final class ProgramCommand {
    private static final int MOST = 4096;

    private ProgramCommand() {}

    /// Returns the beginning of the command; nothing if the program has not begun or has ended.
    static List<String> of(ContainerRecord record) {
        try {
            String pid = Integer.toString(record.pid());
            boolean initStays = record.plan().plan().only(Step.Execute.class).initStays();
            String program = initStays ? firstWord(read(pid + "/task/" + pid + "/children")) : pid;
            String command = program.isEmpty() ? "" : read(program + "/cmdline");
            if (command.isEmpty() || !ProcessTimes.isRunning(record.pid(), record.startTime())) {
                return List.of();
            }
            return KeptFile.shortened(List.of(command.replaceFirst("\0$", "").split("\0", -1)));
        } catch (ErrnoException e) {
            return List.of();
        }
    }

    private static String firstWord(String text) {
        return text.strip().split(" ", 2)[0];
    }

    private static String read(String file) {
        try (Fd open = FileSystem.open("/proc/" + file, FileSystem.O_RDONLY)) {
            return new String(FileSystem.read(open, MOST), StandardCharsets.UTF_8);
        }
    }
}
