package dev.caisson.engine;

/// The place of the values of gates while containers use them.
public enum GateIsolation {
    /// In a process for each container, which has its values alone, no privileges and no network of its own. If it
    /// cannot be started, gates stay closed: `GATE_PROCESS`, `GATE_PROGRAM`.
    PROCESS,
    /// In the engine's own process, which has what root has. For a JVM that cannot be started a second time, as
    /// one that is embedded in a native program or has Caisson's classes in no file.
    NONE
}
