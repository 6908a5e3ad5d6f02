package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;

/// Runs programs to their end. [Engine] does so in containers; a service that asks for this type can be tested without
/// root, with a [ScriptedRunner].
@FunctionalInterface
public interface ContainerRunner {
    /// Runs a program to its end, its output kept.
    /// @throws dev.caisson.error.CaissonException if it could not be started; nothing is left of it
    RunResult run(ContainerSpec spec) throws InterruptedException;
}
