package dev.caisson.seccomp;

import java.util.Optional;

/// A Linux version as far as system calls depend on it, `6.12`.
public record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {
    private static final int MOST_DIGITS = 4;

    /// Reads the leading `major.minor` of a profile's `minKernel` or of `uname -r`, `6.12.101-amd64`.
    /// @throws SeccompException BAD_KERNEL_VERSION
    public static KernelVersion parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new SeccompException(
                        SeccompException.Code.BAD_KERNEL_VERSION,
                        "\"" + text + "\" is not a kernel version; write major.minor, as 4.8"));
    }

    /// By hand: every row of the table has one, and a regular expression costs a cold JVM more than the whole table.
    private static Optional<KernelVersion> tryParse(String text) {
        int dot = digits(text, 0);
        if (dot == 0 || dot == text.length() || text.charAt(dot) != '.') {
            return Optional.empty();
        }
        int end = digits(text, dot + 1);
        if (end == dot + 1 || dot > MOST_DIGITS || end - dot - 1 > MOST_DIGITS) {
            return Optional.empty();
        }
        return Optional.of(new KernelVersion(
                Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1, end))));
    }

    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at;
    }

    boolean isBefore(KernelVersion other) {
        return compareTo(other) < 0;
    }

    @Override
    public int compareTo(KernelVersion other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
