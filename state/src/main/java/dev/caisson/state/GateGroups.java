package dev.caisson.state;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import java.nio.file.Path;
import java.util.Optional;

/// Makes and removes the groups of the processes that serve gates of containers. Each stands beside its container's, so
/// that the same parent pays for both, and what ends, stops or fills the container's does nothing to the gates:
///
/// ```
/// caisson/ID        a container's group
/// caisson/ID.gate   that of its gates' process
/// ```
public final class GateGroups {
    private static final String SUFFIX = ".gate";

    private final Hierarchy hierarchy;
    private final Path state;
    private final String own;

    /// @param own path of the group that holds the containers' groups of this state directory
    public GateGroups(Hierarchy hierarchy, Path state, String own) {
        this.hierarchy = hierarchy;
        this.state = state;
        this.own = own;
    }

    /// Returns the name of the group of a container's gates.
    public static String name(String id) {
        return id + SUFFIX;
    }

    /// Returns the container whose gates have the group; empty for any other group.
    static Optional<String> container(String name) {
        String id = name.substring(0, Math.max(0, name.length() - SUFFIX.length()));
        return name.endsWith(SUFFIX) && ContainerId.isValid(id) ? Optional.of(id) : Optional.empty();
    }

    /// Makes the group of a container's gates with limits. One that a killed engine has left is removed before.
    ///
    /// @throws StateException CONTAINER_GONE if the tenant's group is gone, with its ceiling
    /// @throws dev.caisson.cgroup.CgroupException as [Hierarchy#create]
    public Cgroup make(Placement placement, ContainerId id, Limits limits) {
        String parent = Groups.parent(own, placement);
        String name = name(id.value());
        hierarchy.removeStale(parent, name::equals);
        return switch (placement) {
            case Placement.Standard _ -> hierarchy.create(parent, name, limits);
            case Placement.Parent _ -> {
                hierarchy.requireParent(parent, limits);
                yield hierarchy.create(parent, name, limits);
            }
            case Placement.Tenant _ -> {
                try (Fd root = root();
                        Fd _ = Groups.lockTenants(root)) {
                    if (hierarchy.find(parent, id.value()).isEmpty()) {
                        throw new StateException(
                                "CONTAINER_GONE",
                                "container " + id.shortForm() + " has no control group: it has ended");
                    }
                    yield hierarchy.create(parent, name, limits);
                }
            }
        };
    }

    /// Kills and removes the group of a container's gates, and then its tenant's, if that holds no other.
    public void remove(Placement placement, ContainerId id) {
        String parent = Groups.parent(own, placement);
        hierarchy.removeStale(parent, name(id.value())::equals);
        if (placement instanceof Placement.Tenant) {
            try (Fd root = root();
                    Fd _ = Groups.lockTenants(root)) {
                if (hierarchy.leftovers(parent).isEmpty()) {
                    hierarchy.removeParent(parent);
                }
            }
        }
    }

    private Fd root() {
        return FileSystem.open(state.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }
}
