package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Sockets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Starts the file service of a container that does not run, over copies of its mounts.
public final class FilesLauncher {
    private final Zygote zygote;

    public FilesLauncher(Zygote zygote) {
        this.zygote = zygote;
    }

    /// Returns the slots of a plan whose mounts the service needs.
    public static List<Integer> mounts(LaunchPlan plan) {
        var slots = new ArrayList<Integer>();
        plan.all(Step.AttachRoot.class).forEach(step -> slots.add(step.slot().index()));
        plan.all(Step.MountSlot.class).forEach(step -> slots.add(step.slot().index()));
        return List.copyOf(slots);
    }

    /// Starts it, up to its last step.
    ///
    /// @param plan of [FilesPlan]
    /// @param mounts detached ones by slot, the caller's to close
    /// @param group the container's, which pays for what the service does
    public Launched stand(LaunchPlan plan, Map<Integer, Fd> mounts, Cgroup group) {
        var opened = new ArrayList<Fd>();
        try {
            List<Fd> joins = group.joinFds();
            opened.addAll(joins);
            Optional<Fd> directory = group.cloneInto();
            directory.ifPresent(opened::add);
            var handover = new Handover(plan.slots().size());
            Fd none = Launcher.keep(opened, FileSystem.open("/dev/null", FileSystem.O_RDWR));
            for (int slot = 0; slot < plan.slots().size(); slot++) {
                switch (plan.slots().get(slot)) {
                    case SlotSource.Plan _ ->
                        handover.add(
                                slot, Launcher.keep(opened, MemoryFile.sealed("caisson-plan", PlanCodec.encode(plan))));
                    case SlotSource.Stream _ -> handover.add(slot, none);
                    case SlotSource.CgroupTasks tasks -> handover.add(slot, joins.get(tasks.index()));
                    default -> {
                        Fd mount = mounts.get(slot);
                        if (mount != null) {
                            handover.add(slot, mount);
                        }
                    }
                }
            }
            return stand(plan, handover, directory);
        } finally {
            opened.forEach(Fd::close);
        }
    }

    private Launched stand(LaunchPlan plan, Handover handover, Optional<Fd> directory) {
        Sockets.Pair control = Sockets.pair();
        Zygote.Child child;
        try (Fd theirs = control.theirs();
                Zygote.Answer answer =
                        zygote.child(plan.ids(), plan.namespaces(), theirs, directory, Optional.empty())) {
            child = answer.child();
        } catch (RuntimeException | Error e) {
            control.ours().close();
            throw e;
        }
        var launched = new Launched(child, control.ours());
        try {
            handover.send(control.ours());
            Launcher.awaitReady(plan.steps(), launched, Launcher.Pause.NONE);
            return launched;
        } catch (LaunchException e) { // its own word, or that it gave none
            launched.abandon();
            throw e;
        } catch (RuntimeException e) {
            throw launched.abandon(e);
        } catch (Error e) {
            launched.abandon();
            throw e;
        }
    }
}
