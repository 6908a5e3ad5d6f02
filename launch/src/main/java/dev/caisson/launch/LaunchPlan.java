package dev.caisson.launch;

import dev.caisson.spec.Capability;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Everything that a launch will do, with no choice left open: it prints, compares, and is checked without privileges.
///
/// @param ids host ids that the container's become
/// @param namespaces those that are its own
/// @param root how the root file system is put together
/// @param slots the descriptors that it takes: some are for the zygote, the others are handed over to init
/// @param links to bridges of the host, which the zygote makes before init goes on
/// @param steps what init does, phases ascending
public record LaunchPlan(
        IdRange ids,
        Set<Namespace> namespaces,
        RootAssembly root,
        List<SlotSource> slots,
        List<Link> links,
        List<Step> steps) {
    /// An overlay of the image's layers below a bounded one that is gone with the container: a file system in memory,
    /// or what the slot [SlotSource.Upper] holds.
    ///
    /// @param layers how many, at least one
    /// @param bytes how much may be written
    /// @param inodes how many files may be made
    public record RootAssembly(int layers, long bytes, long inodes) {}

    public LaunchPlan {
        namespaces = Set.copyOf(EnumSet.copyOf(namespaces));
        slots = List.copyOf(slots);
        links = List.copyOf(links);
        steps = List.copyOf(steps);
    }

    /// A plan of a container with loopback alone.
    public LaunchPlan(
            IdRange ids, Set<Namespace> namespaces, RootAssembly root, List<SlotSource> slots, List<Step> steps) {
        this(ids, namespaces, root, slots, List.of(), steps);
    }

    /// The same with other steps.
    LaunchPlan with(List<Step> others) {
        return new LaunchPlan(ids, namespaces, root, slots, links, others);
    }

    /// Returns the medium of the writable layer.
    public LayerMedium medium() {
        int upper = SlotSource.position(slots, SlotSource.Upper.class, 0);
        return upper < 0 ? LayerMedium.MEMORY : ((SlotSource.Upper) slots.get(upper)).medium();
    }

    /// The slot of the `nth` source of a kind, from 0.
    public Slot slot(Class<? extends SlotSource> kind, int nth) {
        int index = SlotSource.position(slots, kind, nth);
        if (index < 0) {
            throw new IllegalArgumentException("the plan has no slot " + nth + " of " + kind.getSimpleName());
        }
        return new Slot(index);
    }

    /// The one step of a kind that occurs once.
    public <S extends Step> S only(Class<S> kind) {
        List<S> found = all(kind);
        if (found.size() != 1) {
            throw new IllegalStateException(found.size() + " steps of kind " + kind.getSimpleName());
        }
        return found.getFirst();
    }

    public <S extends Step> List<S> all(Class<S> kind) {
        return steps.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /// Returns true if it is in the network namespace of another container: the one who makes a namespace raises its
    /// loopback.
    public boolean sharesNetwork() {
        return !usesHostNetwork() && !has(Step.RaiseLoopback.class);
    }

    /// Returns true if it is in the host's network namespace.
    public boolean usesHostNetwork() {
        return !namespaces.contains(Namespace.NETWORK);
    }

    /// Returns true if its network namespace is made for it.
    public boolean hasOwnNetwork() {
        return !usesHostNetwork() && !sharesNetwork();
    }

    /// Returns the namespaces that are made for it.
    public Set<Namespace> madeNamespaces() {
        Set<Namespace> made = EnumSet.copyOf(namespaces);
        if (sharesNetwork()) {
            made.remove(Namespace.NETWORK);
        }
        return made;
    }

    /// Returns the same launch without a program: a container that waits for others to work in it.
    public LaunchPlan idle() {
        return with(steps.stream()
                .map(step -> step instanceof Step.Execute execute
                        ? new Step.Execute(
                                true, false, execute.searchPath(), execute.arguments(), execute.environment(), true)
                        : step)
                .toList());
    }

    /// True if the container may mount file systems, and take flags off mounts that it has.
    public boolean mayMount() {
        return all(Step.SetPrivileges.class).stream()
                .anyMatch(step -> step.bounding().contains(Capability.SYS_ADMIN));
    }

    public <S extends Step> boolean has(Class<S> kind) {
        return steps.stream().anyMatch(kind::isInstance);
    }
}
