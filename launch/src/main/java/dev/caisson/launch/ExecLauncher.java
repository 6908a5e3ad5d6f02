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

    /// What a process that enters is given, each the caller's to close.
    ///
    /// @param group the directory of the group that it is born into
    /// @param joins the v1 groups that it joins
    /// @param namespaces descriptors of [ExecPlan#namespaces], in the order of [Namespace#inOrderOfEntry]
    /// @param streams standard input, output and error of the program
    /// @param lifetime the process that a file service does not outlive
    public record Given(
            Optional<Fd> group, List<Fd> joins, List<Fd> namespaces, List<Fd> streams, Optional<Fd> lifetime) {
        public Given {
            joins = List.copyOf(joins);
            namespaces = List.copyOf(namespaces);
            streams = List.copyOf(streams);
        }
    }

    /// Starts a process that enters a container which runs, up to its program.
    ///
    /// @param part of the container's group, for this program and what it starts
    public Launched enter(ExecPlan plan, Subgroup part, List<Fd> namespaces, List<Fd> streams) {
        var opened = new ArrayList<Fd>();
        try {
            Optional<Fd> directory = part.cloneInto();
            directory.ifPresent(opened::add);
            List<Fd> joins = part.joinFds();
            opened.addAll(joins);
            return enter(plan, new Given(directory, joins, namespaces, streams, Optional.empty()));
        } finally {
            opened.forEach(Fd::close);
        }
    }

    /// Starts a process that enters a container which runs, up to its last step.
    public Launched enter(ExecPlan plan, Given given) {
        Sockets.Pair control = Sockets.pair();
        Zygote.Child child;
        try (Fd theirs = control.theirs();
                Zygote.Answer answer = zygote.exec(plan.ids(), theirs, given.group(), plan.oomScore())) {
            child = answer.child();
        } catch (RuntimeException | Error e) {
            control.ours().close();
            throw e;
        }
        var launched = new Launched(child, control.ours());
        try (Fd encoded = plan.sealed()) {
            handover(plan, given, encoded).send(control.ours());
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

    private static Handover handover(ExecPlan plan, Given given, Fd encoded) {
        var handover = new Handover(plan.slots().size());
        int namespace = 0;
        for (int slot = 0; slot < plan.slots().size(); slot++) {
            switch (plan.slots().get(slot)) {
                case SlotSource.Plan _ -> handover.add(slot, encoded);
                case SlotSource.Stream stream ->
                    handover.add(slot, given.streams().get(stream.number()));
                case SlotSource.CgroupTasks tasks ->
                    handover.add(slot, given.joins().get(tasks.index()));
                case SlotSource.NamespaceOf _ ->
                    handover.add(slot, given.namespaces().get(namespace++));
                case SlotSource.Lifetime _ ->
                    handover.add(slot, given.lifetime().orElseThrow());
                case SlotSource.Control _ -> {}
                default -> throw new IllegalArgumentException("no slot of a program that enters");
            }
        }
        return handover;
    }
}
