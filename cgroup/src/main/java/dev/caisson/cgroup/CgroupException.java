package dev.caisson.cgroup;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Lack;

/// A limit or a group that cannot be had: a stable code for programs, and a sentence that tells people what to do.
public final class CgroupException extends CodedException {
    private static final long serialVersionUID = 1L;

    /// The kind of failure. The names are stable: programs may compare them.
    public enum Code implements ErrorCode {
        /// A group name that the kernel or the engine could not tell from something else.
        BAD_NAME(400),
        /// The limit belongs to those that are set when a group is made.
        FIXED_LIMIT(400),
        /// The limit is well formed, and this kernel or its set-up has nothing to enforce it with.
        UNENFORCEABLE(400),
        /// No control group file system that a container could be put into.
        NOT_MOUNTED(500),
        ALREADY_EXISTS(409),
        NO_SUCH_GROUP(404),
        /// The kernel refused a step; [#getCause] is its [ErrnoException].
        KERNEL_REFUSED(500),
        /// Processes stayed in the group although they were killed.
        BUSY(500),
        /// A scope of systemd's is asked for, and systemd is not process 1.
        SYSTEMD_MISSING(500),
        /// systemd delegates groups safely in version 2 only.
        SYSTEMD_NEEDS_V2(500),
        /// systemd gave no scope.
        SYSTEMD_REFUSED(500);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    public CgroupException(Code reason, String sentence) {
        super(reason, sentence);
    }

    public CgroupException(Code reason, String sentence, Throwable cause) {
        super(reason, sentence, cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }

    /// A limit that this machine has nothing to enforce with.
    static CgroupException unenforceable(Lack lack) {
        return new CgroupException(
                Code.UNENFORCEABLE, "the limit " + lack.limit() + " cannot be enforced here: " + lack.reason());
    }

    /// A step that the kernel refused.
    static CgroupException refused(String what, ErrnoException cause) {
        String advice = cause.is(Errno.EROFS) || cause.is(Errno.EACCES)
                ? ": in a pod, mount the node's /sys/fs/cgroup as a writable volume, or set privileged: true"
                        + " (docs/in-a-pod.md)"
                : "";
        return new CgroupException(
                Code.KERNEL_REFUSED,
                "the kernel refused " + what + " (" + Errno.name(cause.errno()) + ")" + advice,
                cause);
    }

    /// A group that cannot be read, most often because it was removed.
    static CgroupException gone(String group, ErrnoException e) {
        if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) {
            return new CgroupException(
                    Code.NO_SUCH_GROUP, "the group " + group + " is gone, or was never whole; remove what is left", e);
        }
        return new CgroupException(
                Code.KERNEL_REFUSED,
                "the kernel refused to read the group " + group + " (" + Errno.name(e.errno()) + ")",
                e);
    }
}
