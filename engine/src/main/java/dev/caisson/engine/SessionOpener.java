package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;

/// Opens sessions. [Engine] does so in containers; a service that asks for this type can be tested without
/// root, with a [ScriptedRunner].
@FunctionalInterface
public interface SessionOpener {
    /// Opens a session: a container that waits for programs and files, until it is closed.
    /// @param spec without a program
    /// @throws dev.caisson.error.CaissonException if it could not be opened; nothing is left of it
    Session session(ContainerSpec spec) throws InterruptedException;
}
