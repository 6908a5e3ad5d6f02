package dev.caisson.engine;

import dev.caisson.spec.Usage;
import java.util.Optional;

/// The usage of a container so far.
///
/// @param group memory, CPU, processes, I/O and pressure
/// @param writable its writable layer; empty when its process 1 has ended
public record ContainerUsage(Usage group, Optional<WritableUse> writable) {}
