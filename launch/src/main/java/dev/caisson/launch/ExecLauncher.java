package dev.caisson.launch;

import dev.caisson.cgroup.Subgroup;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Carries out plans of one more program in a container that runs.
public final class ExecLauncher {
    private final Zygote zygote;

    public ExecLauncher(Zygote zygote) {
        this.zygote = zygote;
    }

    /// Starts a process that enters a container which runs, up to its program.
    ///
    /// @param part of the container's group, for this program and what it starts
    /// @param namespaces descriptors of [ExecPlan#namespaces], in the order of [Namespace#inOrderOfEntry]
    /// @param streams standard input, output and error of the program
    public Launcher.Launched enter(ExecPlan plan, Subgroup part, List<Fd> namespaces, List<Fd> streams) {
        var opened = new ArrayList<Fd>();
        Sockets.Pair control = Sockets.pair();
        Zygote.Child child;
        try (Fd theirs = control.theirs()) {
            Optional<Fd> directory = part.cloneInto();
            directory.ifPresent(opened::add);
            try (Zygote.Answer answer = zygote.exec(plan.ids(), theirs, directory, plan.oomScore())) {
                child = answer.child();
            }
        } catch (RuntimeException | Error e) {
            opened.forEach(Fd::close);
            control.ours().close();
            throw e;
        }
        var launched = new Launcher.Launched(child, control.ours());
        try {
            List<Fd> joins = part.joinFds();
            opened.addAll(joins);
            var handover = new Handover(plan.slots().size());
            int namespace = 0;
            for (int slot = 0; slot < plan.slots().size(); slot++) {
                switch (plan.slots().get(slot)) {
                    case SlotSource.Plan _ -> handover.add(slot, Launcher.keep(opened, plan.sealed()));
                    case SlotSource.Stream stream -> handover.add(slot, streams.get(stream.number()));
                    case SlotSource.CgroupTasks tasks -> handover.add(slot, joins.get(tasks.index()));
                    case SlotSource.NamespaceOf _ -> handover.add(slot, namespaces.get(namespace++));
                    case SlotSource.Control _ -> {}
                    default -> throw new IllegalArgumentException("no slot of a program that enters");
                }
            }
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
        } finally {
            opened.forEach(Fd::close);
        }
    }
}
