package dev.caisson.state;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Makes the groups that hold containers' groups, and removes them with the last one. The containers of a
/// tenant stand in a group of its own, which holds its ceiling and is there as long as one of them:
///
/// ```
/// caisson/ID               a container's group, beside which GateGroups may have another
/// caisson/tenant-NAME/ID   one of a tenant's
/// ```
public final class Groups implements Holding {
    private static final String TENANT = "tenant-";
    private static final String LOCK = "tenants";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final Hierarchy hierarchy;
    private final State state;
    private final Map<String, Placement> placements = new ConcurrentHashMap<>();
    /// Of containers of dead engines; read when the first of them is found, while nobody else removes or adds one.
    private @Nullable Map<String, String> parents;

    public Groups(Hierarchy hierarchy, State state) {
        this.hierarchy = hierarchy;
        this.state = state;
    }

    /// Path of the group that the container's group is made in.
    public String parent(Placement placement) {
        return parent(state.cgroupParent(), placement);
    }

    static String parent(String own, Placement placement) {
        return switch (placement) {
            case Placement.Standard _ -> own;
            case Placement.Parent parent -> parent.path();
            case Placement.Tenant tenant -> own + "/" + TENANT + tenant.name();
        };
    }

    /// The tenant whose containers' groups are made in `parent`.
    public static Optional<String> tenant(String parent) {
        int start = parent.lastIndexOf('/') + 1;
        String above = parent.substring(0, Math.max(0, start - 1));
        boolean ofAnEngine = above.substring(above.lastIndexOf('/') + 1).startsWith("caisson");
        return ofAnEngine && parent.startsWith(TENANT, start)
                ? Optional.of(parent.substring(start + TENANT.length()))
                : Optional.empty();
    }

    /// Makes what a process can be born into of the group of a container that stands beside all others.
    public Cgroup begin(String id) {
        return hierarchy.begin(state.cgroupParent(), id);
    }

    /// Makes the rest of it, and puts its limits in force.
    public Cgroup complete(Cgroup begun, Limits limits) {
        return hierarchy.complete(begun, limits);
    }

    /// Kills and removes a container's group, as much of it as there is.
    public void remove(String id) {
        hierarchy.find(parent(placement(id)), id).ifPresent(group -> {
            group.kill();
            group.remove();
        });
    }

    /// Makes a container's group, and its tenant's where that is not there.
    public Cgroup create(ContainerSpec spec, String id) {
        String parent = parent(spec.placement());
        placements.put(id, spec.placement());
        return switch (spec.placement()) {
            case Placement.Standard _ -> hierarchy.create(parent, id, spec.limits());
            case Placement.Parent _ -> {
                hierarchy.requireParent(parent, spec.limits());
                yield hierarchy.create(parent, id, spec.limits());
            }
            case Placement.Tenant tenant -> {
                try (Fd _ = whole()) {
                    if (tenant.ceiling().isPresent()) {
                        hierarchy.createParent(parent, tenant.ceiling().get());
                    } else if (hierarchy.leftovers(parent).isEmpty()) {
                        // One that stands without a container may be what a killed engine left before its ceiling.
                        throw new StateException(
                                "TENANT_UNKNOWN",
                                "no container of the tenant " + tenant.name()
                                        + " runs, so it has no ceiling: give one, as --tenant " + tenant.name()
                                        + ",memory=2g,cpus=2,pids=1000");
                    }
                    yield hierarchy.create(parent, id, spec.limits());
                }
            }
        };
    }

    /// Removes what stood for the container's group alone, when that is gone.
    @Override
    public void undo(String id) {
        if (placements.remove(id) instanceof Placement.Tenant tenant) {
            removeIfEmpty(parent(tenant));
        }
    }

    private Placement placement(String id) {
        return placements.getOrDefault(id, new Placement.Standard());
    }

    private void removeIfEmpty(String tenant) {
        try (Fd _ = whole()) {
            if (hierarchy.leftovers(tenant).isEmpty()) {
                hierarchy.removeParent(tenant);
            }
        }
    }

    /// Kills and removes the groups of containers whose engine ended without doing it, wherever they stand.
    @Override
    public void clear(String id) {
        String own = state.cgroupParent();
        Set<String> its = Set.of(id, GateGroups.name(id));
        hierarchy.removeStale(own, its::contains);
        String parent = parents().getOrDefault(id, own);
        if (!parent.equals(own)) {
            hierarchy.removeStale(parent, its::contains);
        }
        for (String name : hierarchy.leftovers(own)) {
            if (name.startsWith(TENANT)) {
                hierarchy.removeStale(own + "/" + name, its::contains);
                removeIfEmpty(own + "/" + name);
            }
        }
    }

    /// Removes groups whose record somebody else removed. An engine writes a record before it makes the group
    /// and removes it after: a group that has none when records are read later than groups are belongs to
    /// nobody.
    @Override
    public void clearUnrecorded() {
        String own = state.cgroupParent();
        var parents = new ArrayList<>(List.of(own));
        hierarchy.leftovers(own).stream()
                .filter(name -> name.startsWith(TENANT))
                .forEach(name -> parents.add(own + "/" + name));
        for (String parent : parents) {
            Set<String> recorded = state.ids();
            hierarchy.removeStale(
                    parent,
                    name -> container(name)
                            .filter(id -> !recorded.contains(id) && !state.isRecorded(id))
                            .isPresent());
            if (!parent.equals(own)) {
                removeIfEmpty(parent);
            }
        }
    }

    /// Returns the container that a group is of, its own or that of its gates.
    private static Optional<String> container(String name) {
        return ContainerId.isValid(name) ? Optional.of(name) : GateGroups.container(name);
    }

    /// Parent groups by container, of all engines, as far as records can be read.
    private Map<String, String> parents() {
        Map<String, String> known = parents;
        if (known == null) {
            known = new HashMap<>();
            for (ContainerRecord record : state.records()) {
                known.put(record.id(), record.cgroupParent());
            }
            parents = known;
        }
        return known;
    }

    /// Holds off the launches and ends of other containers of tenants, of this engine and others: a
    /// tenant's group that is removed between two steps of a launch would be made again without its
    /// ceiling.
    private Fd whole() {
        return lockTenants(state.root());
    }

    /// @param root of the state directory
    static Fd lockTenants(Fd root) {
        Fd lock = FileSystem.openAt(root, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
        try {
            FileLocks.lock(lock);
            return lock;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }
}
