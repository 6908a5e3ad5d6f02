package dev.caisson.engine;

import java.nio.file.Path;

/// Where an engine keeps what it has to remember.
///
/// @param state what lives as long as the kernel runs: a directory that only root can enter, best in memory
/// @param data images, and writable layers on disk
/// @param driver who answers for the place of control groups; the same for all engines of a state directory
public record EngineOptions(Path state, Path data, CgroupDriver driver) {
    public static final Path DEFAULT_STATE = Path.of("/run/caisson");
    public static final Path DEFAULT_DATA = Path.of("/var/lib/caisson");

    public static EngineOptions standard() {
        return new EngineOptions(DEFAULT_STATE, DEFAULT_DATA);
    }

    /// With groups of the engine's own.
    public EngineOptions(Path state, Path data) {
        this(state, data, CgroupDriver.CGROUPFS);
    }

    public EngineOptions {
        if (!state.isAbsolute() || !data.isAbsolute()) {
            throw new IllegalArgumentException("the engine's directories are absolute paths");
        }
    }
}
