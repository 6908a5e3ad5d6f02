package dev.caisson.seccomp;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A Linux version as far as system calls depend on it, `6.12`.
public record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {
    private static final Pattern LEADING = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(?![0-9]).*", Pattern.DOTALL);

    /// Reads the leading `major.minor` of a profile's `minKernel` or of `uname -r`, `6.12.101-amd64`.
    /// @throws SeccompException BAD_KERNEL_VERSION
    public static KernelVersion parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new SeccompException(
                        SeccompException.Code.BAD_KERNEL_VERSION,
                        "\"" + text + "\" is not a kernel version; write major.minor, as 4.8"));
    }

    private static Optional<KernelVersion> tryParse(String text) {
        Matcher matcher = LEADING.matcher(text);
        return matcher.matches()
                ? Optional.of(new KernelVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
                : Optional.empty();
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
