package dev.caisson.launch;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/// The kernel's eight namespaces, namespaces(7).
public enum Namespace {
    USER(0x1000_0000L, "user"),
    MOUNT(0x0002_0000L, "mnt"),
    PID(0x2000_0000L, "pid"),
    NETWORK(0x4000_0000L, "net"),
    IPC(0x0800_0000L, "ipc"),
    UTS(0x0400_0000L, "uts"),
    CGROUP(0x0200_0000L, "cgroup"),
    TIME(0x0000_0080L, "time");

    private final long cloneFlag;
    private final String link;

    Namespace(long cloneFlag, String link) {
        this.cloneFlag = cloneFlag;
        this.link = link;
    }

    /// CLONE_NEW* of linux/sched.h.
    public long cloneFlag() {
        return cloneFlag;
    }

    /// Returns the flags for a new process with these. The namespace of control groups is entered by init, once init
    /// is in its groups.
    public static long cloneFlags(Set<Namespace> namespaces) {
        return namespaces.stream()
                .filter(namespace -> namespace != CGROUP)
                .mapToLong(Namespace::cloneFlag)
                .sum();
    }

    /// Returns those of `namespaces` in the order in which a process enters them: the network namespace first, as it
    /// may be another container's, then the user namespace, which gives the right to the others.
    /// `plan_namespaces` in `native/plan.c` is the same.
    static List<Namespace> inOrderOfEntry(Set<Namespace> namespaces) {
        return Stream.of(NETWORK, USER, CGROUP, IPC, UTS, TIME, PID, MOUNT)
                .filter(namespaces::contains)
                .toList();
    }

    /// Its name below /proc/PID/ns.
    public String link() {
        return link;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
