package dev.caisson.linux;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// A netlink request that the kernel refused: which of the messages that were sent, the error number, and the kernel's
/// own words, if it has any (`NLMSGERR_ATTR_MSG`).
public final class NetlinkException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int message;
    private final int errno;
    private final String words;

    /// @param call what was asked for
    /// @param message the number of the message, from 1; 0 for the whole
    /// @param words empty if the kernel said nothing more
    NetlinkException(String call, int message, int errno, String words) {
        super(
                "KERNEL_REFUSED",
                "the kernel refused " + call + " with " + Errno.name(errno)
                        + (words.isEmpty() ? "" : " (" + words + ")")
                        + ": " + ErrnoException.advice(errno));
        this.message = message;
        this.errno = errno;
        this.words = words;
    }

    /// Returns the number of the message that was refused, from 1.
    public int message() {
        return message;
    }

    public int errno() {
        return errno;
    }

    public boolean is(int expected) {
        return errno == expected;
    }

    /// Returns the kernel's own words, or an empty text.
    public String words() {
        return words;
    }

    @Override
    public int httpStatus() {
        return 500;
    }
}
