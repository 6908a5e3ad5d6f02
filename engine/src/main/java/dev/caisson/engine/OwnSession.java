package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Processes;

/// A process that goes on when whoever started it ends: it has left its caller's session and terminal, and the control
/// group that ends with a login or a service.
public final class OwnSession {
    private static final System.Logger LOG = System.getLogger(OwnSession.class.getName());
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private OwnSession() {}

    /// Makes this process such a one. Where the unified tree of control groups has no root that takes processes, as
    /// in a container, it stays in its group, as a container's monitor does.
    public static void begin() {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        Processes.leaveSession();
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            hierarchy.root().ifPresent(OwnSession::join);
        }
    }

    private static void join(Fd root) {
        try (root;
                Fd processes = FileSystem.openAt(root, "cgroup.procs", FileSystem.O_WRONLY, 0, BENEATH)) {
            FileSystem.write(processes, new byte[] {'0'});
        } catch (ErrnoException e) {
            LOG.log(System.Logger.Level.WARNING, "this process ends with its caller's control group", e);
        }
    }
}
