package dev.caisson.engine;

/// The owner of the containers' control groups.
public enum CgroupDriver {
    /// The engine makes a group of its own below each tree's root.
    CGROUPFS,
    /// systemd, where it is process 1, hands the engine a scope unit to make its groups in, and lets them be.
    SYSTEMD
}
