package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/// A process of a container, as the host sees it.
///
/// @param uid its effective user id on the host
/// @param parent process id of its parent on the host
/// @param command what it was called with, or its name in brackets
public record ContainerProcess(int pid, int uid, int parent, Instant started, long cpuSeconds, String command) {
    private static final int LONGEST_COMMAND = 4096;
    /// USER_HZ, time(7); counted from the state, which follows the name.
    private static final long TICKS = 100;

    private static final int PARENT = 1;
    private static final int USER_TIME = 11;
    private static final int SYSTEM_TIME = 12;
    private static final int START_TIME = 19;

    /// Empty if it has ended.
    static Optional<ContainerProcess> read(int pid, Instant boot) {
        Path process = Path.of("/proc/" + pid);
        try {
            String stat = Files.readString(process.resolve("stat"), java.nio.charset.StandardCharsets.ISO_8859_1);
            int end = stat.lastIndexOf(')');
            String[] fields = stat.substring(end + 2).split(" ", -1);
            String name = stat.substring(stat.indexOf('(') + 1, end);
            int uid = (int) Files.getAttribute(process, "unix:uid");
            return Optional.of(new ContainerProcess(
                    pid,
                    uid,
                    Integer.parseInt(fields[PARENT]),
                    boot.plusMillis(Long.parseLong(fields[START_TIME]) * 1000 / TICKS),
                    (Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[SYSTEM_TIME])) / TICKS,
                    command(process, name)));
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    private static String command(Path process, String name) throws IOException {
        try (var in = Files.newInputStream(process.resolve("cmdline"))) {
            byte[] bytes = in.readNBytes(LONGEST_COMMAND);
            if (bytes.length == 0) {
                return "[" + name + "]";
            }
            return String.join(
                    " ", Arrays.asList(new String(bytes, java.nio.charset.StandardCharsets.UTF_8).split("\0")));
        }
    }
}
