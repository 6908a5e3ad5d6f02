package dev.caisson.cgroup;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Pressure;
import java.util.Optional;

/// Reads a group's `cpu.pressure`, `memory.pressure` and `io.pressure`.
final class PressureFile {
    private PressureFile() {}

    /// Empty where the kernel does not measure it.
    static Optional<Pressure> read(Tree unified, GroupFiles files, String resource) {
        try {
            return files.find(unified, resource + ".pressure").map(PressureFile::parse);
        } catch (ErrnoException e) {
            if (e.is(Errno.EOPNOTSUPP)) { // built in and switched off
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
    static Pressure parse(String text) {
        Pressure.Stall some = Pressure.Stall.NONE;
        Pressure.Stall full = Pressure.Stall.NONE;
        for (int start = 0; start < text.length(); ) {
            int line = text.indexOf('\n', start);
            int end = line < 0 ? text.length() : line;
            if (text.startsWith("some ", start)) {
                some = stall(text, start, end);
            } else if (text.startsWith("full ", start)) {
                full = stall(text, start, end);
            }
            start = end + 1;
        }
        return new Pressure(some, full);
    }

    private static Pressure.Stall stall(String text, int start, int end) {
        int ten = text.indexOf(" avg10=", start) + " avg10=".length();
        int sixty = text.indexOf(" avg60=", ten);
        int threeHundred = text.indexOf(" avg300=", sixty);
        int total = text.indexOf(" total=", threeHundred);
        return new Pressure.Stall(
                Double.parseDouble(text.substring(ten, sixty)),
                Double.parseDouble(text.substring(sixty + " avg60=".length(), threeHundred)),
                Double.parseDouble(text.substring(threeHundred + " avg300=".length(), total)),
                KeyedText.micros(Long.parseLong(text, total + " total=".length(), end, 10)));
    }
}
