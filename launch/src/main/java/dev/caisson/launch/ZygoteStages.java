package dev.caisson.launch;

import dev.caisson.linux.Errno;
import java.util.List;

/// Words for the stages of a request to a zygote, `enum zygote_stage` of `native/plan.h`, and what to do where the
/// kernel
/// refuses one.
public final class ZygoteStages {
    private static final List<String> STAGES = List.of(
            "",
            "reading the request",
            "assembling the root file system",
            "cloning",
            "writing the id maps",
            "building its private root",
            "making a device node",
            "stage 7",
            "keeping a mount",
            "making network links");
    private static final int STAGE_CLONE = 3;
    private static final int STAGE_ROOT = 5;
    private static final int STAGE_DEVICE = 6;
    private static final int STAGE_LINKS = 9;

    private ZygoteStages() {}

    /// Returns what is said of a stage of a request that the kernel refused.
    public static HostException refused(int stage, int errno) {
        String where = stage > 0 && stage < STAGES.size() ? STAGES.get(stage) : "stage " + stage;
        return new HostException(
                "ZYGOTE_FAILED", "the kernel refused " + where + " (" + Errno.name(errno) + ")" + advice(stage, errno));
    }

    private static String advice(int stage, int errno) {
        if (stage == STAGE_DEVICE && errno == Errno.EPERM) {
            return ": the engine's own control group has to let it make nodes of that device";
        }
        if (stage == STAGE_CLONE && errno == Errno.ENOSPC) {
            return ": the host's limit of namespaces is reached, see /proc/sys/user/max_*_namespaces";
        }
        if (stage == STAGE_CLONE && errno == Errno.EAGAIN) {
            return ": the host's limit of processes is reached";
        }
        if (stage == STAGE_LINKS && (errno == Errno.ENODEV || errno == Errno.EOPNOTSUPP)) {
            return ": the bridge of a network is not there, start the container again";
        }
        if (errno == Errno.EPERM) {
            return stage == STAGE_LINKS
                    ? ": the engine needs CAP_NET_ADMIN over the host"
                    : ": the engine needs root with CAP_SYS_ADMIN over the host, and no security module or seccomp filter that"
                            + " denies it this, such as by SystemCallFilter= of a systemd unit";
        }
        if (stage == STAGE_ROOT && errno == Errno.ENOENT) {
            return ": the engine's own /dev has to have null, zero, full, random, urandom and tty";
        }
        return "";
    }
}
