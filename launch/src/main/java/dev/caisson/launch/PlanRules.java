package dev.caisson.launch;

import dev.caisson.spec.InRootPath;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/// Rules that hold for every plan, whatever the spec. The same rules stand in `native/plan.c`, which trusts nobody.
public final class PlanRules {
    private static final int MAX_STEPS = 1024;
    private static final List<SlotSource> FIRST_SLOTS = List.of(
            new SlotSource.Plan(),
            new SlotSource.Control(),
            new SlotSource.Stream(0),
            new SlotSource.Stream(1),
            new SlotSource.Stream(2));

    private static final InRootPath DEV = InRootPath.of("dev");
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
    private static final List<Class<? extends Step>> AT_MOST_ONCE = List.of(
            Step.NoNewPrivileges.class,
            Step.OpenConsole.class,
            Step.MakeRootReadOnly.class,
            Step.RaiseLoopback.class,
            Step.SetHostName.class,
            Step.SetDomainName.class,
            Step.SetOomScoreAdjustment.class,
            Step.JoinKeyring.class,
            Step.Resolver.class,
            Step.RestrictScope.class,
            Step.InstallFilter.class);
    private static final Set<Namespace> OBLIGATORY =
            Set.of(Namespace.USER, Namespace.MOUNT, Namespace.PID, Namespace.CGROUP);

    private PlanRules() {}

    /// Checks all rules.
    /// @throws IllegalStateException with the rule that is broken: a plan that breaks one is a bug, never an input
    /// error
    public static void verify(LaunchPlan plan) {
        List<Step> steps = plan.steps();
        require(steps.size() <= MAX_STEPS, "a plan has at most " + MAX_STEPS + " steps");
        for (int i = 1; i < steps.size(); i++) {
            if (steps.get(i - 1).phase().compareTo(steps.get(i).phase()) > 0) {
                throw broken("phases ascend: " + steps.get(i - 1) + " before " + steps.get(i));
            }
        }
        verifyCounts(steps);
        require(steps.getLast() instanceof Step.Execute, "the last step executes");
        require(plan.namespaces().containsAll(OBLIGATORY), "obligatory namespaces are its own");
        require(
                !plan.usesHostNetwork() || (plan.links().isEmpty() && !plan.has(Step.RaiseLoopback.class)),
                "the host's network is not set up");
        require(
                !plan.usesHostNetwork()
                        || plan.all(Step.RestrictScope.class).stream()
                                .anyMatch(Step.RestrictScope::coversAbstractSockets),
                "who is in the host's network is kept from its abstract sockets");
        require(!plan.sharesNetwork() || plan.links().isEmpty(), "the network of another container gets no links");
        verifyOrder(plan);
        verifyFilter(plan);
        verifySlots(plan);
        verifyDevices(plan);
    }

    private static void verifyCounts(List<Step> steps) {
        Map<Class<?>, Integer> counts = new HashMap<>();
        steps.forEach(step -> counts.merge(step.getClass(), 1, Integer::sum));
        for (Class<? extends Step> kind : ONCE) {
            if (counts.getOrDefault(kind, 0) != 1) {
                throw broken("one step is a " + kind.getSimpleName());
            }
        }
        for (Class<? extends Step> kind : AT_MOST_ONCE) {
            if (counts.getOrDefault(kind, 0) > 1) {
                throw broken("at most one step is a " + kind.getSimpleName());
            }
        }
    }

    /// Checks what the order of phases alone does not guarantee.
    private static void verifyOrder(LaunchPlan plan) {
        boolean groups = false;
        boolean verified = false;
        boolean loopback = false;
        boolean resolver = false;
        for (Step step : plan.steps()) {
            switch (step) {
                case Step.CgroupNamespace _ -> groups = true;
                case Step.VerifyMounts _ -> verified = true;
                case Step.JoinCgroup _ -> require(!groups, "groups are joined before they become roots");
                case Step.SetSysctl _, Step.AwaitLink _, Step.Mask _, Step.MakeReadOnly _, Step.MakeRootReadOnly _ ->
                    require(!verified, "nothing is changed behind the check");
                case Step.RaiseLoopback _ -> loopback = true;
                case Step.Netlink _ ->
                    require(loopback && !resolver, "the network is set up after the loopback and before the resolver");
                case Step.AskGateway _ -> require(loopback, "a gateway is asked for behind the loopback");
                case Step.Resolver _ -> {
                    require(loopback, "a resolver needs the loopback");
                    resolver = true;
                }
                default -> {}
            }
        }
    }

    private static void verifyFilter(LaunchPlan plan) {
        List<Step.InstallFilter> filters = plan.all(Step.InstallFilter.class);
        boolean noNewPrivileges = plan.has(Step.NoNewPrivileges.class);
        for (Step.InstallFilter filter : filters) {
            int index = plan.steps().indexOf(filter);
            Step next = plan.steps().get(index + 1);
            require(filter.early() != noNewPrivileges, "the filter is early exactly where no_new_privs is not set");
            // a late one is the only step of its phase before the last
            require(
                    !filter.early() || next instanceof Step.SetPrivileges,
                    "nothing comes between an early filter and the end of the privileges");
        }
    }

    private static void verifySlots(LaunchPlan plan) {
        require(
                plan.slots().size() >= FIRST_SLOTS.size()
                        && plan.slots().subList(0, FIRST_SLOTS.size()).equals(FIRST_SLOTS),
                "the first slots are the plan, the control socket and the standard streams");
        require(plan.slots().getLast() instanceof SlotSource.Root, "the root is the last slot");
        List<Integer> used =
                plan.steps().stream().flatMapToInt(PlanRules::slot).boxed().toList();
        require(used.stream().distinct().count() == used.size(), "a slot is used once");
        require(
                plan.only(Step.AttachRoot.class).slot().index() == plan.slots().size() - 1,
                "the root's slot is attached");
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            require(
                    mount.slot().index() < plan.slots().size()
                            && isMounted(plan.slots().get(mount.slot().index())),
                    "only bind, cover, workspace, volume, image and secret slots are mounted");
        }
        for (Step.JoinCgroup join : plan.all(Step.JoinCgroup.class)) {
            require(
                    join.slot().index() < plan.slots().size()
                            && plan.slots().get(join.slot().index()) instanceof SlotSource.CgroupTasks,
                    "only tasks slots are joined");
        }
    }

    private static boolean isMounted(SlotSource source) {
        return source instanceof SlotSource.Bind
                || source instanceof SlotSource.Cover
                || source instanceof SlotSource.Shared
                || source instanceof SlotSource.ImageFiles
                || source instanceof SlotSource.Secrets;
    }

    private static void verifyDevices(LaunchPlan plan) {
        for (Step.PlaceDevice place : plan.all(Step.PlaceDevice.class)) {
            require(
                    place.target().isWithin(DEV) && !place.target().equals(DEV),
                    "devices of the host stand below /dev");
            require(
                    place.slot().index() < plan.slots().size()
                            && plan.slots().get(place.slot().index()) instanceof SlotSource.Device device
                            && device.node().equals(place.node()),
                    "only device slots are placed");
        }
    }

    private static IntStream slot(Step step) {
        return switch (step) {
            case Step.AttachRoot root -> IntStream.of(root.slot().index());
            case Step.MountSlot mount -> IntStream.of(mount.slot().index());
            case Step.PlaceDevice place -> IntStream.of(place.slot().index());
            case Step.JoinCgroup join -> IntStream.of(join.slot().index());
            default -> IntStream.empty();
        };
    }

    private static void require(boolean condition, String rule) {
        if (!condition) {
            throw broken(rule);
        }
    }

    private static IllegalStateException broken(String rule) {
        return new IllegalStateException("a launch plan breaks a rule: " + rule);
    }
}
