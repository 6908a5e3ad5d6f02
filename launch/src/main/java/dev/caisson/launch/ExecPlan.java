package dev.caisson.launch;

import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.TerminalSize;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Everything that is done to run one more program in a container that runs: a process of its own enters the
/// container's namespaces and takes the limits, capabilities and filter that the container was planned with.
///
/// @param ids host ids that the container's become
/// @param namespaces those of the container's own
/// @param groups how many v1 groups it joins
/// @param oomScore its oom_score_adj, the container's
/// @param steps what the process does, phases ascending
public record ExecPlan(IdRange ids, Set<Namespace> namespaces, int groups, int oomScore, List<Step> steps) {
    private static final int FIRST_FREE = 5;

    /// The program, with no choice left open.
    ///
    /// @param searchPath where a program without a slash is looked for, as PATH has it
    /// @param environment as `NAME=value`
    /// @param workingDirectory absolute, in the container
    public record Program(
            List<String> arguments,
            String searchPath,
            List<String> environment,
            String workingDirectory,
            Optional<TerminalSize> terminal,
            int uid,
            int gid,
            List<Integer> supplementaryGroups) {
        public Program {
            arguments = List.copyOf(arguments);
            environment = List.copyOf(environment);
            supplementaryGroups = List.copyOf(supplementaryGroups);
        }
    }

    public ExecPlan {
        namespaces = Set.copyOf(namespaces);
        steps = List.copyOf(steps);
    }

    /// Plans one program.
    ///
    /// It gets no landlock(7) scope: one of its own would keep its signals from the container's other programs, and
    /// the namespaces keep them from all others. In the host's network alone it has one for abstract sockets,
    /// which then keeps it from those of the container, too.
    ///
    /// @param container as it was planned
    /// @param filter the container's own, which no listener answers; empty only where the container has none
    public static ExecPlan of(LaunchPlan container, Program program, Optional<FilterProgram> filter) {
        return of(container, program, filter, 0);
    }

    /// Like the other, for a process that is not born into the unified tree's group but joins it.
    ///
    /// @param moreGroups that it joins beside the container's v1 groups
    public static ExecPlan of(LaunchPlan container, Program program, Optional<FilterProgram> filter, int moreGroups) {
        int groups = container.all(Step.JoinCgroup.class).size() + moreGroups;
        var steps = new ArrayList<Step>();
        steps.add(new Step.Seal());
        for (int i = 0; i < groups; i++) {
            steps.add(new Step.JoinCgroup(new Slot(FIRST_FREE + i)));
        }
        steps.add(new Step.EnterNamespaces(container.namespaces(), new Slot(FIRST_FREE + groups)));
        steps.add(new Step.Mapped());
        boolean locked = container.has(Step.NoNewPrivileges.class);
        if (locked) {
            steps.add(new Step.NoNewPrivileges());
        }
        program.terminal()
                .ifPresent(size ->
                        steps.add(new Step.OpenConsole(size.rows(), size.columns(), program.uid(), program.gid())));
        steps.addAll(container.all(Step.SetResourceLimit.class));
        steps.add(new Step.JoinKeyring());
        if (!locked) {
            filter.ifPresent(compiled -> steps.add(new Step.InstallFilter(compiled, true)));
        }
        CapabilitySet bounding = container.only(Step.SetPrivileges.class).bounding();
        steps.add(new Step.SetPrivileges(
                bounding,
                program.uid() == 0 ? bounding : CapabilitySet.NONE,
                program.uid(),
                program.gid(),
                program.supplementaryGroups()));
        if (container.usesHostNetwork()) {
            steps.add(new Step.RestrictScope(Step.RestrictScope.ABSTRACT_SOCKETS));
        }
        steps.add(new Step.Ready(program.workingDirectory()));
        if (locked) {
            filter.ifPresent(compiled -> steps.add(new Step.InstallFilter(compiled, false)));
        }
        steps.add(new Step.Execute(
                true,
                program.terminal().isPresent(),
                program.searchPath(),
                program.arguments(),
                program.environment()));
        return new ExecPlan(
                container.ids(),
                container.namespaces(),
                groups,
                container.only(Step.SetOomScoreAdjustment.class).value(),
                steps);
    }

    /// Writes it into sealed memory, which is the caller's to close.
    public Fd sealed() {
        return MemoryFile.sealed("caisson-plan", PlanCodec.encode(this));
    }

    /// Plans the file service of a container that runs: as the container's root where that may pass
    /// over permissions, else as its program's user, with the capabilities that files need among those
    /// that the container may have.
    ///
    /// @param groups how many v1 groups it joins
    public static ExecPlan files(LaunchPlan container, int groups) {
        int spaces = container.namespaces().size();
        var steps = new ArrayList<Step>();
        steps.add(new Step.Seal());
        for (int i = 0; i < groups; i++) {
            steps.add(new Step.JoinCgroup(new Slot(FIRST_FREE + i)));
        }
        steps.add(new Step.EnterNamespaces(container.namespaces(), new Slot(FIRST_FREE + groups)));
        steps.add(new Step.Mapped());
        steps.add(new Step.NoNewPrivileges());
        container.all(Step.SetResourceLimit.class).stream()
                .filter(set -> set.limit().resource() == Rlimit.Resource.FSIZE)
                .forEach(steps::add);
        steps.add(FilesPlan.privileges(container));
        steps.add(new Step.ServeFiles(Optional.of(new Slot(FIRST_FREE + groups + spaces)), InRootPath.of("")));
        return new ExecPlan(
                container.ids(),
                container.namespaces(),
                groups,
                container.only(Step.SetOomScoreAdjustment.class).value(),
                steps);
    }

    /// Plans a change of the network of a container that runs: settings, requests of netlink(7) and questions for
    /// gateways within its network namespace, by a process that does nothing else.
    ///
    /// @param groups how many v1 groups it joins
    /// @param sysctls by their paths below /proc/sys, each below `net/`
    public static ExecPlan network(
            LaunchPlan container, int groups, Map<String, String> sysctls, List<? extends Step> requests) {
        var steps = new ArrayList<Step>();
        steps.add(new Step.Seal());
        for (int i = 0; i < groups; i++) {
            steps.add(new Step.JoinCgroup(new Slot(FIRST_FREE + i)));
        }
        steps.add(new Step.EnterNamespaces(container.namespaces(), new Slot(FIRST_FREE + groups)));
        steps.add(new Step.Mapped());
        steps.add(new Step.NoNewPrivileges());
        sysctls.forEach((name, value) -> steps.add(new Step.SetSysctl(InRootPath.of(name), value)));
        steps.addAll(requests);
        steps.add(new Step.SetPrivileges(CapabilitySet.NONE, CapabilitySet.NONE, 0, 0, List.of()));
        steps.add(new Step.Done());
        return new ExecPlan(
                container.ids(),
                container.namespaces(),
                groups,
                container.only(Step.SetOomScoreAdjustment.class).value(),
                steps);
    }

    /// Plans a look at the network of a container that runs: a process enters its namespaces, opens there what the
    /// engine reads, and does nothing else.
    ///
    /// @param sysctls their paths below /proc/sys, each below `net/`
    static ExecPlan look(LaunchPlan container, Collection<InRootPath> sysctls) {
        var steps = new ArrayList<Step>();
        steps.add(new Step.Seal());
        steps.add(new Step.EnterNamespaces(container.namespaces(), new Slot(FIRST_FREE)));
        steps.add(new Step.Mapped());
        steps.add(new Step.NoNewPrivileges());
        for (NetlinkProtocol protocol : NetlinkProtocol.values()) {
            steps.add(new Step.LendNetlink(protocol));
        }
        sysctls.forEach(name -> steps.add(new Step.LendSysctl(name)));
        steps.add(new Step.SetPrivileges(CapabilitySet.NONE, CapabilitySet.NONE, 0, 0, List.of()));
        steps.add(new Step.Done());
        return new ExecPlan(
                container.ids(),
                container.namespaces(),
                0,
                container.only(Step.SetOomScoreAdjustment.class).value(),
                steps);
    }

    /// The descriptors that it takes.
    public List<SlotSource> slots() {
        var slots = new ArrayList<SlotSource>(List.of(
                new SlotSource.Plan(),
                new SlotSource.Control(),
                new SlotSource.Stream(0),
                new SlotSource.Stream(1),
                new SlotSource.Stream(2)));
        for (int i = 0; i < groups; i++) {
            slots.add(new SlotSource.CgroupTasks(i));
        }
        Namespace.inOrderOfEntry(namespaces).forEach(namespace -> slots.add(new SlotSource.NamespaceOf(namespace)));
        if (steps.getLast() instanceof Step.ServeFiles) {
            slots.add(new SlotSource.Lifetime());
        }
        return List.copyOf(slots);
    }
}
