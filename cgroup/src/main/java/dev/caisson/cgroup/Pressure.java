package dev.caisson.cgroup;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import java.time.Duration;
import java.util.Optional;

/// How much time the processes of a group lost because they had to wait for a resource,
/// Documentation/accounting/psi.rst.
///
/// @param some at least one of them waited
/// @param full all of them that had work waited, so that none was done
public record Pressure(Stall some, Stall full) {
    /// Percentages of the last 10, 60 and 300 seconds, and the time since the group was made.
    public record Stall(double last10, double last60, double last300, Duration total) {
        private static final Stall NONE = new Stall(0, 0, 0, Duration.ZERO);
    }

    /// Empty where the kernel does not measure it.
    static Optional<Pressure> read(Tree unified, GroupFiles files, String resource) {
        try {
            return files.find(unified, resource + ".pressure").map(Pressure::parse);
        } catch (ErrnoException e) {
            if (e.is(Errno.EOPNOTSUPP)) { // built in and switched off
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
    static Pressure parse(String text) {
        Stall some = Stall.NONE;
        Stall full = Stall.NONE;
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

    private static Stall stall(String text, int start, int end) {
        int ten = text.indexOf(" avg10=", start) + " avg10=".length();
        int sixty = text.indexOf(" avg60=", ten);
        int threeHundred = text.indexOf(" avg300=", sixty);
        int total = text.indexOf(" total=", threeHundred);
        return new Stall(
                Double.parseDouble(text.substring(ten, sixty)),
                Double.parseDouble(text.substring(sixty + " avg60=".length(), threeHundred)),
                Double.parseDouble(text.substring(threeHundred + " avg300=".length(), total)),
                Usage.micros(Long.parseLong(text, total + " total=".length(), end, 10)));
    }
}
