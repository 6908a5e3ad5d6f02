package dev.caisson.watch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;

/// A pid namespace, pid_namespaces(7), by the numbers that eBPF programs ask for.
///
/// @param device of the kernel's file system of namespaces, as its dev_t packs it: 12 bits and 20
public record PidNamespace(long device, long inode) {
    /// `PROC_PID_INIT_INO` of the kernel's include/linux/proc_ns.h.
    private static final long INITIAL = 0xefff_fffcL;

    /// True if the numbers of its processes are those that eBPF programs see.
    public boolean isInitial() {
        return inode == INITIAL;
    }

    /// @throws WatchException CONTAINER_ENDED where the process does not run, PROCESS_UNREADABLE where the kernel
    ///     keeps it from being looked at
    static PidNamespace of(int pid) {
        return of(Integer.toString(pid));
    }

    public static PidNamespace ofThisProcess() {
        return of("self");
    }

    private static PidNamespace of(String pid) {
        try (Fd link = FileSystem.open("/proc/" + pid + "/ns/pid", FileSystem.O_PATH)) {
            FileStatus status = FileSystem.status(link);
            return new PidNamespace(
                    ((status.fileSystem() >>> 32) << 20) | (status.fileSystem() & 0xfffff), status.inode());
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                throw new WatchException("CONTAINER_ENDED", "the process " + pid + " does not run", e);
            }
            throw new WatchException(
                    "PROCESS_UNREADABLE",
                    "the kernel does not let this command look at process " + pid + " (" + Errno.name(e.errno())
                            + "): it needs root with CAP_SYS_PTRACE",
                    e);
        }
    }

    /// The namespace of a container's process.
    /// @param purpose what would happen to all others of the host, `recorded`
    /// @throws WatchException HOST_PROCESS for a process that is in no container
    static PidNamespace ofContainer(int pid, String purpose, String instead) {
        PidNamespace namespace = of(pid);
        if (namespace.equals(ofThisProcess())) {
            throw new WatchException(
                    "HOST_PROCESS",
                    "process " + pid + " is in the pid namespace of this command, and all others of it would be "
                            + purpose + " too: give a process of a container" + instead);
        }
        return namespace;
    }
}
