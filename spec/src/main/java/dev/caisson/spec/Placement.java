package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import java.util.Optional;

/// In which group of the control group trees a container's own group is made.
public sealed interface Placement {
    /// In the engine's group, beside all others.
    record Standard() implements Placement {}

    /// In a group of the user's, which exists in each tree that the container joins: Docker's
    /// `--cgroup-parent`.
    ///
    /// @param path below each tree's root, as `jobs/nightly`
    record Parent(String path) implements Placement {
        public Parent {
            present(path, "path");
        }
    }

    /// Among the containers of a tenant, which together use no more than its ceiling. The tenant's group is
    /// there as long as one of its containers.
    ///
    /// @param name of the tenant
    /// @param ceiling what its containers may use together, which replaces the one in force; empty for a
    ///     tenant that has one already
    record Tenant(String name, Optional<Limits> ceiling) implements Placement {
        public Tenant {
            present(name, "name");
            present(ceiling, "ceiling");
        }
    }
}
