package dev.caisson.watch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// The process that made a system call, from proc_pid(5). Reading it can take as long as the process likes: it holds
/// the locks of its own memory map.
///
/// @param process its name, which a program chooses itself
/// @param executable as seen by the host
/// @param location of the call: a mapped file and the offset in it
record Caller(String process, String executable, String location) {
    static final Caller UNKNOWN = new Caller("", "", "");

    /// A program that has cut its memory into more pieces than fit in here is told without the place.
    private static final int MOST_MAPS = 256 << 10;

    static Caller read(int pid, long instructionPointer) {
        Path process = Path.of("/proc/" + pid);
        return new Caller(
                text(process.resolve("comm")).strip(),
                link(process.resolve("exe")),
                location(text(process.resolve("maps")), instructionPointer));
    }

    private static String text(Path file) {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MOST_MAPS), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return ""; // the process has ended
        }
    }

    private static String link(Path file) {
        try {
            return Files.readSymbolicLink(file).toString();
        } catch (IOException e) {
            return ""; // the process has ended
        }
    }

    /// The mapping that holds an address, proc_pid_maps(5).
    static String location(String maps, long address) {
        for (String line : maps.split("\n", -1)) {
            String[] fields = line.split(" +", 6);
            String[] range = fields[0].split("-", 2);
            if (fields.length < 5 || range.length < 2) {
                continue;
            }
            long start = Long.parseUnsignedLong(range[0], 16);
            long end = Long.parseUnsignedLong(range[1], 16);
            if (Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0) {
                String file = fields.length == 6 ? fields[5] : "anonymous memory";
                return file + "+0x" + Long.toHexString(address - start + Long.parseUnsignedLong(fields[2], 16));
            }
        }
        return "";
    }
}
