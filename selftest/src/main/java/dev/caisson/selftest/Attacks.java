package dev.caisson.selftest;

import dev.caisson.engine.Verdict;
import dev.caisson.selftest.Attack.Expected;
import dev.caisson.spec.Limits;
import dev.caisson.spec.WritableLayer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// All attacks of the suite.
public final class Attacks {
    /// Of 4,096 instructions each: the kernel takes 32,768 of a process, with those of its container.
    private static final int FILTERS_OF_A_PROCESS = 7;

    static final String PENDING_SIGNALS = "sigpending";
    static final String NO_SPACE = "No space left on device";
    private static final String NO_DESCRIPTORS = "Too many open files";
    private static final String TRY_AGAIN = "Resource temporarily unavailable";
    private static final String NOT_PERMITTED = "Operation not permitted";
    private static final String NOT_IMPLEMENTED = "Function not implemented";
    private static final String DENIED = "Permission denied";
    private static final String NOT_AVAILABLE = "Protocol not available";
    private static final String NO_FAMILY = "Address family not supported by protocol";
    private static final String READ_ONLY = "Read-only file system";
    private static final String MISSING = "No such file or directory";

    /// With the defaults of a container: 1 GiB of memory, of which half may be written to files, a file
    /// to each page.
    private static final long WRITABLE_MIB = 512;

    private static final long WRITABLE_FILES = 131_072;

    /// With the default limit, in both directions of as many connections as there may be descriptors.
    private static final long MOST_IN_SOCKETS = 256;

    /// With those of the neighbors and the host's own.
    private static final long MOST_CONNECTIONS = 4096 + 256;

    /// 256 at once, some that come later, and those of the neighbors and the host.
    private static final long MOST_NEIGHBORS = 256 + 128;

    /// A neighbour's launch is in it too.
    private static final double MOST_OF_A_PROCESSOR = 0.25;

    private static final List<Attack> ALL = List.of(
            refused("fork-bomb", "processes", "pids limit", Scripts.FORK_BOMB, 511, TRY_AGAIN),
            new Attack(
                    "memory-hog",
                    "memory",
                    "memory limit",
                    Scripts.MEMORY_HOG,
                    new Expected.Ended(Verdict.OUT_OF_MEMORY)),
            new Attack("page-cache-hog", "page cache", "memory limit", Scripts.PAGE_CACHE_HOG, new Expected.Bounded()),
            new Attack(
                    "name-cache-hog", "the kernel's name cache", "memory limit", Scripts.NAMES, new Expected.Bounded()),
            refused(
                    "disk-fill",
                    "disk, MiB",
                    "size of the writable layer",
                    Scripts.FILL.replace("PLACE", "/tmp"),
                    WRITABLE_MIB + 1,
                    NO_SPACE),
            new Attack(
                    "io-hog",
                    "time of the disk",
                    "the disk's scheduler",
                    Scripts.IO_HOG,
                    new Expected.Bounded(),
                    WritableLayer.Place.DISK),
            refused(
                    "shm-fill",
                    "/dev/shm, MiB",
                    "size of /dev/shm",
                    Scripts.FILL.replace("PLACE", "/dev/shm"),
                    65,
                    NO_SPACE),
            refused("dev-fill", "/dev, MiB", "size of /dev", Scripts.FILL.replace("PLACE", "/dev"), 2, NO_SPACE),
            refused("inode-fill", "files", "files of the writable layer", Scripts.INODES, WRITABLE_FILES, NO_SPACE),
            new Attack(
                    "output-flood",
                    "the caller's memory",
                    "output limit",
                    Scripts.OUTPUT,
                    new Expected.Ended(Verdict.OUTPUT)),
            refused("descriptors", "open files", "nofile", Scripts.DESCRIPTORS, 65_536, NO_DESCRIPTORS),
            refused(
                    "inotify-instances",
                    "inotify instances",
                    "a host user of its own",
                    Scripts.INOTIFY_INSTANCES,
                    4096,
                    NO_DESCRIPTORS),
            refused(
                    "inotify-watches",
                    "inotify watches",
                    "files of the writable layer, a host user of its own",
                    Scripts.INOTIFY_WATCHES,
                    WRITABLE_FILES,
                    NO_SPACE),
            refused("keys", "kernel keys", "system call filter", Scripts.KEYS, 0, NOT_PERMITTED, NOT_IMPLEMENTED),
            refused("timers", "POSIX timers", PENDING_SIGNALS, Scripts.TIMERS, 4096, TRY_AGAIN),
            refused("signals", "pending signals", PENDING_SIGNALS, Scripts.SIGNALS, 4096, TRY_AGAIN),
            refused(
                    "posix-queues",
                    "POSIX message queues",
                    "IPC namespace, msgqueue",
                    Scripts.POSIX_QUEUES,
                    256,
                    NO_DESCRIPTORS,
                    NO_SPACE),
            refused("sysv-queues", "System V queues", "IPC namespace", Scripts.SYSV_QUEUES, 32_768, NO_SPACE),
            refused("namespaces", "namespaces", "system call filter", Scripts.NAMESPACES, 0, NOT_PERMITTED, NO_SPACE),
            refused("mounts", "mounts", "system call filter, capabilities", Scripts.MOUNTS, 0, NOT_PERMITTED),
            refused(
                    "kernel-settings",
                    "sysrq, /proc/sys and /sys",
                    "read-only and masked paths",
                    Scripts.KERNEL_SETTINGS,
                    0,
                    READ_ONLY,
                    DENIED,
                    MISSING),
            refused(
                    "host-files",
                    "files of the host",
                    "read-only mounts",
                    Scripts.HOST_FILES,
                    0,
                    READ_ONLY,
                    DENIED,
                    MISSING),
            new Attack(
                    "leases",
                    "leases and locks of the host's programs",
                    "a read-only overlay over /usr",
                    Scripts.LEASES,
                    new Expected.Bounded()),
            refused(
                    "socket-filters",
                    "compiled filters of sockets",
                    "system call filter",
                    Scripts.SOCKET_FILTERS,
                    0,
                    NOT_AVAILABLE),
            new Attack(
                    "filters",
                    "compiled system call filters",
                    "pids limit, 32,768 instructions a process",
                    Scripts.FILTERS,
                    new Expected.Bounded(
                            FILTERS_OF_A_PROCESS * Limits.defaults().pids())),
            refused(
                    "socket-buffers",
                    "MiB in sockets",
                    "memory limit, that of TCP beside it",
                    Scripts.SOCKET_BUFFERS,
                    MOST_IN_SOCKETS,
                    "MiB in sockets"),
            refused(
                    "file-locks",
                    "readers of all locks",
                    "masked paths",
                    Scripts.FILE_LOCKS,
                    0,
                    "lines of the host's locks"),
            refused("terminals", "terminals", "max= of its devpts", Scripts.TERMINALS, 256, NO_SPACE),
            refused("aio-contexts", "asynchronous I/O", "system call filter", Scripts.AIO_CONTEXTS, 0, NOT_IMPLEMENTED),
            refused(
                    "secret-memory",
                    "the kernel's large pages",
                    "system call filter",
                    Scripts.SECRET_MEMORY,
                    0,
                    NOT_IMPLEMENTED),
            refused(
                    "flow-labels",
                    "the host's flow labels of IPv6",
                    "system call filter",
                    NetworkScripts.FLOW_LABELS,
                    0,
                    NOT_AVAILABLE),
            new Attack(
                    "denial-flood",
                    "the engine's processor time",
                    "answers in a time",
                    Scripts.DENIALS,
                    new Expected.Answered(MOST_OF_A_PROCESSOR)),
            new Attack("cpu-hog", "processors", "CPU weight", Scripts.CPU_HOG, new Expected.Shared()),
            refused("interfaces", "network interfaces", "capabilities", NetworkScripts.INTERFACES, 0, NOT_PERMITTED),
            refused(
                    "packet-sockets",
                    "frames with any sender",
                    "system call filter",
                    NetworkScripts.PACKET_SOCKETS,
                    0,
                    NO_FAMILY,
                    NOT_PERMITTED),
            crowded(
                    "connections",
                    "the host's table of connections",
                    "connections of a container",
                    NetworkScripts.CONNECTIONS,
                    Gauge.CONNECTIONS,
                    MOST_CONNECTIONS),
            crowded(
                    "neighbors",
                    "the host's table of neighbors",
                    "neighbors that a container asks for",
                    NetworkScripts.NEIGHBORS,
                    Gauge.NEIGHBORS,
                    MOST_NEIGHBORS),
            crowded(
                    "udp-buffers",
                    "the memory of all UDP sockets",
                    "memory limit, that of TCP beside it",
                    NetworkScripts.UDP_BUFFERS,
                    Gauge.UDP_MEMORY,
                    MOST_IN_SOCKETS),
            crowded("connects", "a server beside it", "its queue, SYN cookies", NetworkScripts.CONNECTS),
            crowded("packets", "time for packets", "fair share of processors", NetworkScripts.PACKETS),
            crowded("link-lists", "the lock of all interfaces", "turns of the lock", NetworkScripts.LISTS),
            new Attack(
                    "questions",
                    "who answers for names",
                    "questions in a time",
                    NetworkScripts.QUESTIONS,
                    new Expected.Questioned(MOST_OF_A_PROCESSOR)));

    /// On what the kernel counts for the whole host: what they do where nothing stops them is done to everybody.
    static final Set<String> OURS_ALONE = Set.of(
            "leases",
            "socket-filters",
            "filters",
            "socket-buffers",
            "file-locks",
            "terminals",
            "aio-contexts",
            "secret-memory",
            "flow-labels",
            "interfaces",
            "packet-sockets");

    private Attacks() {}

    private static Attack refused(String name, String aim, String limit, String script, long most, String... errors) {
        return new Attack(name, aim, limit, script, new Expected.Refused(most, Set.of(errors)));
    }

    private static Attack crowded(String name, String aim, String limit, String script) {
        return new Attack(name, aim, limit, script, new Expected.Crowded(Optional.empty(), 0));
    }

    private static Attack crowded(String name, String aim, String limit, String script, Gauge gauge, long most) {
        return new Attack(name, aim, limit, script, new Expected.Crowded(Optional.of(gauge), most));
    }

    public static List<Attack> all() {
        return ALL;
    }
}
