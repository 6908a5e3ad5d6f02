package dev.caisson.state;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Fd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The workspaces that containers use. The kernel gives back the locks of an engine that was killed.
public final class HeldWorkspaces implements Holding {
    private final WorkspaceDirectory directory;
    private final Map<String, List<HeldWorkspace>> held = new ConcurrentHashMap<>();

    public HeldWorkspaces(WorkspaceDirectory directory) {
        this.directory = directory;
    }

    /// Holds those of a container's plan, until [#undo].
    /// @return a detached mount of each, in the order of the plan; the caller's to close
    /// @throws StateException WORKSPACE_UNKNOWN
    public List<Fd> make(String id, LaunchPlan plan) {
        var mounts = new ArrayList<Fd>();
        for (SlotSource source : plan.slots()) {
            if (source instanceof SlotSource.Workspace workspace) {
                try {
                    HeldWorkspace one = directory.hold(workspace.name());
                    held.computeIfAbsent(id, _ -> new ArrayList<>()).add(one);
                    mounts.add(one.mount());
                } catch (RuntimeException | Error e) {
                    mounts.forEach(Fd::close);
                    undo(id);
                    throw e;
                }
            }
        }
        return mounts;
    }

    /// Returns the descriptors whose locks hold a container's workspaces; they stay this object's.
    public List<Fd> holders(String id) {
        return held.getOrDefault(id, List.of()).stream()
                .map(HeldWorkspace::lock)
                .toList();
    }

    @Override
    public void undo(String id) {
        List<HeldWorkspace> all = held.remove(id);
        if (all != null) {
            all.forEach(HeldWorkspace::close);
        }
    }

    @Override
    public void clearUnrecorded() {
        directory.clear();
    }
}
