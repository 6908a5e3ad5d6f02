package dev.caisson.launch;

import java.util.Optional;

/// The thirteen phases of a launch, in the order in which init walks them. A plan never goes back.
///
/// The order is the containment: nothing of the image is touched before the namespaces stand and the privileges over
/// the host are gone, and the filter goes on last, so that it never has to allow a call of ours.
public enum Phase {
    /// Dies with the engine; not dumpable; every descriptor closed but the plan's.
    SEAL,
    /// Root of its own user namespace; no_new_privs.
    MAPPED,
    /// A session of its own; nothing mounted here is seen elsewhere.
    PRIVATE,
    /// The root file system is attached; every later path is resolved inside it.
    ROOT,
    /// proc, sys, dev, volumes, files.
    MOUNTS,
    /// A fixed list of device nodes, and the terminal.
    DEVICES,
    /// The host's tree is gone.
    PIVOT,
    /// Kernel settings, read-only and masked paths; then what was meant is read back.
    PROTECT,
    /// Resource limits of the process, host name, keyring, loopback.
    LIMITS,
    /// Bounding set, groups, ids, capabilities; read back and compared.
    CAPS,
    /// Landlock, where the kernel has it.
    LANDLOCK,
    /// In the working directory as the user, the program found; waits for the start.
    READY,
    /// The system call filter; the only call after it is execveat.
    FILTER;

    /// Its place in the order, from 0.
    @SuppressWarnings("EnumOrdinal") // the order is what this type is about
    public int number() {
        return ordinal();
    }

    /// Returns the phase at this place, if there is one.
    static Optional<Phase> ofNumber(int number) {
        return number >= 0 && number < values().length ? Optional.of(values()[number]) : Optional.empty();
    }
}
