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
        for (String line : text.lines().toList()) {
            String[] words = line.split("[ =]", -1);
            var stall = new Stall(
                    Double.parseDouble(words[2]),
                    Double.parseDouble(words[4]),
                    Double.parseDouble(words[6]),
                    Usage.micros(Long.parseLong(words[8])));
            if (words[0].equals("some")) {
                some = stall;
            } else {
                full = stall;
            }
        }
        return new Pressure(some, full);
    }
}
