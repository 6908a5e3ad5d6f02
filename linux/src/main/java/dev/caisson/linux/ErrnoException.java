package dev.caisson.linux;

import dev.caisson.error.CaissonException;

/// A system call that the kernel refused: which one, on what, and the error number it gave, errno(3).
public final class ErrnoException extends CaissonException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    /// @param call the system call's name and, where it helps, its object: `openat2 etc/passwd`
    /// @param errno a positive error number
    public ErrnoException(String call, int errno) {
        super("KERNEL_REFUSED", call + ": " + Errno.name(errno));
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

    /// The call, the error number's name, and what usually lifts such a refusal. [#getMessage] has the first two alone.
    @Override
    public String sentence() {
        return "the kernel refused " + call + " with " + Errno.name(errno) + ": " + advice(errno);
    }

    static String advice(int errno) {
        return switch (errno) {
            case Errno.EPERM, Errno.EACCES ->
                "run as root, and let no security module or seccomp filter of this process deny the call";
            case Errno.ENOSPC, Errno.EDQUOT ->
                "free space or inodes, or raise the limit of this file system or kernel object";
            case Errno.EMFILE -> "raise this process's limit of open files (ulimit -n)";
            case Errno.EFBIG -> "raise this process's limit of file size (ulimit -f)";
            case Errno.ENFILE -> "raise fs.file-max, or close files on this host";
            case Errno.ENOMEM -> "free memory on this host, or raise the memory limit of this process's control group";
            case Errno.EAGAIN ->
                "raise the limit of processes (ulimit -u, pids.max), or try again when the host has less load";
            case Errno.EROFS -> "mount the file system writable, or choose a directory on one that is";
            case Errno.ENOSYS, Errno.EOPNOTSUPP -> "use a newer kernel, or one built with this feature";
            case Errno.EIO -> "see the kernel log for a failing disk or file system";
            default -> "see the kernel log";
        };
    }

    @Override
    public int httpStatus() {
        return 500;
    }
}
