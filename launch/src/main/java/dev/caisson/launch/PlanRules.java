package dev.caisson.launch;

import java.util.List;
import java.util.Set;

/// What is true of every plan, whatever was wished for. The same rules stand in `native/plan.c`, which trusts nobody.
public final class PlanRules {
    private static final int MAX_STEPS = 1024;
    private static final List<Class<? extends Step>> ONCE = List.of(
            Step.Seal.class,
            Step.Mapped.class,
            Step.CgroupNamespace.class,
            Step.MakePrivate.class,
            Step.AttachRoot.class,
            Step.Pivot.class,
            Step.VerifyMounts.class,
            Step.SetPrivileges.class,
            Step.Ready.class,
            Step.Execute.class);
    private static final Set<Namespace> OBLIGATORY =
            Set.of(Namespace.USER, Namespace.MOUNT, Namespace.PID, Namespace.NETWORK, Namespace.CGROUP);

    private PlanRules() {}

    /// Checks all rules.
    /// @throws IllegalStateException with the rule that is broken: a plan that breaks one is a bug, never an input
    /// error
    public static void verify(LaunchPlan plan) {
        List<Step> steps = plan.steps();
        require(steps.size() <= MAX_STEPS, "a plan has at most " + MAX_STEPS + " steps");
        for (int i = 1; i < steps.size(); i++) {
            require(
                    steps.get(i - 1).phase().compareTo(steps.get(i).phase()) <= 0,
                    "phases ascend: " + steps.get(i - 1) + " before " + steps.get(i));
        }
        ONCE.forEach(plan::only);
        require(steps.getFirst() instanceof Step.Seal, "the first step seals");
        require(steps.getLast() instanceof Step.Execute, "the last step executes");
        require(plan.namespaces().containsAll(OBLIGATORY), "obligatory namespaces are its own");
        verifyFilter(plan);
        verifySlots(plan);
    }

    private static void verifyFilter(LaunchPlan plan) {
        List<Step.InstallFilter> filters = plan.all(Step.InstallFilter.class);
        require(filters.size() <= 1, "one filter");
        boolean noNewPrivileges = plan.has(Step.NoNewPrivileges.class);
        for (Step.InstallFilter filter : filters) {
            int index = plan.steps().indexOf(filter);
            Step next = plan.steps().get(index + 1);
            require(filter.early() != noNewPrivileges, "the filter is early exactly where no_new_privs is not set");
            require(
                    filter.early() ? next instanceof Step.SetPrivileges : next instanceof Step.Execute,
                    "nothing comes between the filter and what it is placed before");
        }
    }

    private static void verifySlots(LaunchPlan plan) {
        require(plan.slots().size() <= Slot.LIMIT, "at most " + Slot.LIMIT + " slots");
        require(plan.slots().getLast() instanceof SlotSource.Root, "the root is the last slot");
        require(
                plan.only(Step.AttachRoot.class).slot().index() == plan.slots().size() - 1,
                "the root's slot is attached");
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            require(
                    mount.slot().index() < plan.slots().size()
                            && plan.slots().get(mount.slot().index()) instanceof SlotSource.Bind,
                    "only bind slots are mounted");
        }
        for (Step.JoinCgroup join : plan.all(Step.JoinCgroup.class)) {
            require(
                    join.slot().index() < plan.slots().size()
                            && plan.slots().get(join.slot().index()) instanceof SlotSource.CgroupTasks,
                    "only tasks slots are joined");
        }
    }

    private static void require(boolean condition, String rule) {
        if (!condition) {
            throw new IllegalStateException("a launch plan breaks a rule: " + rule);
        }
    }
}
