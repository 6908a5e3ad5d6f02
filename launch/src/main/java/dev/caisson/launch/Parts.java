package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Fd;
import java.util.ArrayList;
import java.util.List;

/// The descriptors of a plan's slots, made once for any number of starts: whoever holds them can start
/// the container without a path of the host.
public final class Parts implements AutoCloseable {
    /// The descriptor of one slot.
    ///
    /// @param slot of the plan
    /// @param mount whether it is a detached mount, of which each start gets a clone
    public record Part(int slot, boolean mount, Fd fd) {}

    private final List<Part> parts = new ArrayList<>();

    private Parts() {}

    /// Makes all but standard streams, which each start gets anew.
    ///
    /// @param layers what the root is made of, which may be closed afterwards
    /// @param shared detached mounts of workspaces and volumes, in the order of the plan, then of secrets;
    ///     the caller's to close
    /// @param secrets variables of the program that no plan has, as `NAME=value`
    public static Parts make(
            Zygote zygote,
            LaunchPlan plan,
            Launcher.Layers layers,
            List<Fd> shared,
            Cgroup group,
            List<byte[]> secrets) {
        var made = new Parts();
        try {
            try (Zygote.Answer root = root(zygote, plan, layers)) { // it comes while the others are made
                made.addOthers(zygote, plan, layers, shared, group, secrets);
                made.parts.addFirst(new Part(plan.slots().size() - 1, true, root.descriptor()));
            }
            return made;
        } catch (RuntimeException | Error e) {
            made.close();
            throw e;
        }
    }

    private static Zygote.Answer root(Zygote zygote, LaunchPlan plan, Launcher.Layers of) {
        var mounts = new ArrayList<Fd>();
        try {
            of.layers().forEach(layer -> mounts.add(HostMounts.layer(layer, of.userNamespace())));
            var all = new ArrayList<Fd>(mounts);
            of.upper().ifPresent(all::add);
            return zygote.root(plan, all);
        } finally {
            mounts.forEach(Fd::close);
        }
    }

    private void addOthers(
            Zygote zygote,
            LaunchPlan plan,
            Launcher.Layers layers,
            List<Fd> shared,
            Cgroup group,
            List<byte[]> secrets) {
        List<Fd> joins = group.joinFds();
        try {
            for (int slot = 0; slot < plan.slots().size(); slot++) {
                switch (plan.slots().get(slot)) {
                    case SlotSource.Plan _ -> add(slot, false, PlanCodec.sealed(plan, PlanCodec.NO_PAUSE, secrets));
                    case SlotSource.CgroupTasks tasks ->
                        add(slot, false, joins.get(tasks.index()).duplicate());
                    case SlotSource.Bind bind -> add(slot, true, HostMounts.bind(bind, layers.userNamespace()));
                    case SlotSource.Shared it -> {
                        Fd mount = shared.get(it.index());
                        HostMounts.shared(mount, it, layers.userNamespace());
                        add(slot, true, mount.duplicate());
                    }
                    case SlotSource.Secrets it ->
                        add(slot, true, shared.get(it.index()).duplicate());
                    case SlotSource.Cover cover -> add(slot, true, cover(zygote, plan, cover, layers.userNamespace()));
                    case SlotSource.ImageFiles files ->
                        add(
                                slot,
                                true,
                                HostMounts.image(
                                        files,
                                        layers.mounted().get(files.index()),
                                        layers.userNamespace(),
                                        plan.ids(),
                                        zygote));
                    case SlotSource.Device device -> add(slot, true, HostMounts.device(device, plan.ids(), zygote));
                    case SlotSource.NamespaceOf _, SlotSource.Lifetime _ ->
                        throw new IllegalArgumentException("no slot of a launch");
                    // made for each start, or needed for the root alone
                    case SlotSource.Control _,
                            SlotSource.Stream _,
                            SlotSource.CgroupDirectory _,
                            SlotSource.Layer _,
                            SlotSource.Upper _,
                            SlotSource.Root _ -> {}
                }
            }
        } finally {
            joins.forEach(Fd::close);
        }
    }

    private void add(int slot, boolean mount, Fd fd) {
        parts.add(new Part(slot, mount, fd));
    }

    private static Fd cover(Zygote zygote, LaunchPlan plan, SlotSource.Cover cover, Fd userNamespace) {
        try (Fd mount = HostMounts.covered(cover, userNamespace);
                Zygote.Answer made = zygote.cover(plan.ids(), List.of(mount))) {
            return made.descriptor();
        }
    }

    /// Returns all, the root first: by that place it is found among what a monitor's zygote keeps.
    public List<Part> all() {
        return List.copyOf(parts);
    }

    @Override
    public void close() {
        parts.forEach(part -> part.fd().close());
    }
}
