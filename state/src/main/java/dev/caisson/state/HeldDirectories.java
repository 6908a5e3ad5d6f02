package dev.caisson.state;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Fd;
import dev.caisson.spec.SharedName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The workspaces and volumes that containers use. The kernel gives back the locks of an engine that was killed.
public final class HeldDirectories implements Holding {
    private final List<SharedDirectories> all;
    private final Map<String, List<HeldDirectory>> held = new ConcurrentHashMap<>();

    public HeldDirectories(List<SharedDirectories> all) {
        this.all = List.copyOf(all);
    }

    /// Holds those of a container's plan, until [#undo].
    /// @param holding finds or makes one
    /// @return a detached mount of each, in the order of the plan; the caller's to close
    public List<Fd> make(String id, LaunchPlan plan, Function<SharedName, HeldDirectory> holding) {
        var mounts = new ArrayList<Fd>();
        for (SlotSource source : plan.slots()) {
            if (source instanceof SlotSource.Shared shared) {
                try {
                    HeldDirectory one = holding.apply(shared.name());
                    held.computeIfAbsent(id, _ -> new ArrayList<>()).add(one);
                    mounts.add(one.mount(shared.subpath()));
                } catch (RuntimeException | Error e) {
                    mounts.forEach(Fd::close);
                    undo(id);
                    throw e;
                }
            }
        }
        return mounts;
    }

    /// Returns the descriptors whose locks hold what a container has; they stay this object's.
    public List<Fd> holders(String id) {
        return held.getOrDefault(id, List.of()).stream()
                .map(HeldDirectory::lock)
                .toList();
    }

    @Override
    public void undo(String id) {
        List<HeldDirectory> had = held.remove(id);
        if (had != null) {
            had.forEach(HeldDirectory::close);
        }
    }

    @Override
    public void clearUnrecorded() {
        all.forEach(SharedDirectories::clear);
    }
}
