package dev.caisson.linux;

/// A system call that the kernel refused: which one, on what, and the error number it gave, errno(3).
public final class ErrnoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    /// @param call the system call's name and, where it helps, its object: `openat2 etc/passwd`
    /// @param errno a positive error number
    public ErrnoException(String call, int errno) {
        super(call + ": " + Errno.name(errno));
        this.call = call;
        this.errno = errno;
    }

    public String call() {
        return call;
    }

    public int errno() {
        return errno;
    }

    public boolean is(int expected) {
        return errno == expected;
    }
}
