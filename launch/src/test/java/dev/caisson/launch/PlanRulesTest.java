package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.TerminalSize;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PlanRulesTest {
    @Test
    void the_error_names_both_steps_that_stand_in_the_wrong_order() {
        LaunchPlan plan = Samples.plan();

        assertThatIllegalStateException()
                .isThrownBy(() -> PlanRules.verify(changed(plan, steps -> steps.addFirst(new Step.Pivot()))))
                .withMessageContaining("phases ascend: Pivot[] before Seal[]");
    }

    private static LaunchPlan changed(LaunchPlan plan, Consumer<List<Step>> change) {
        var steps = new ArrayList<>(plan.steps());
        change.accept(steps);
        return new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);
    }

    private static void assertRefused(LaunchPlan plan) {
        assertThatIllegalStateException().isThrownBy(() -> PlanRules.verify(plan));
    }

    @Test
    void two_neighbours_of_different_phases_cannot_change_places() {
        LaunchPlan plan = Samples.plan(Samples.spec(), Samples.hybridHost());
        int borders = 0;
        for (int i = 1; i < plan.steps().size(); i++) {
            Step before = plan.steps().get(i - 1);
            Step after = plan.steps().get(i);
            if (before.phase() != after.phase()) {
                int at = i;
                assertRefused(changed(plan, steps -> {
                    steps.set(at - 1, after);
                    steps.set(at, before);
                }));
                borders++;
            }
        }
        assertThat(borders).isEqualTo(Phase.values().length - 1);
    }

    @Test
    void what_must_happen_cannot_be_left_out_and_not_happen_twice() {
        LaunchPlan plan = Samples.plan();
        for (Class<? extends Step> kind : List.of(
                Step.Seal.class,
                Step.Mapped.class,
                Step.CgroupNamespace.class,
                Step.MakePrivate.class,
                Step.AttachRoot.class,
                Step.Pivot.class,
                Step.VerifyMounts.class,
                Step.SetPrivileges.class,
                Step.Ready.class,
                Step.Execute.class)) {
            int index = plan.steps().indexOf(plan.only(kind));

            assertRefused(changed(plan, steps -> steps.remove(index)));
            assertRefused(changed(plan, steps -> steps.add(index, steps.get(index))));
        }
    }

    @Test
    void nothing_comes_between_the_filter_and_the_program() {
        LaunchPlan plan = Samples.plan();
        Step filter = plan.only(Step.InstallFilter.class);

        assertRefused(changed(plan, steps -> steps.add(steps.size() - 1, filter)));
        assertRefused(changed(plan, steps -> {
            steps.remove(filter);
            steps.add(filter);
        }));
    }

    @Test
    void the_filter_is_early_exactly_where_no_new_privs_is_not_set() {
        LaunchPlan plan = Samples.plan();
        LaunchPlan early =
                Samples.plan(Samples.spec().allow(Allowance.NEW_PRIVILEGES).newPrivileges(true), Samples.host());

        assertThat(early.only(Step.InstallFilter.class).early()).isTrue();
        assertRefused(changed(plan, steps -> steps.removeIf(Step.NoNewPrivileges.class::isInstance)));
        assertRefused(changed(
                early, steps -> steps.add(steps.indexOf(new Step.Mapped()) + 1, new Step.NoNewPrivileges())));
        assertRefused(changed(early, steps -> {
            int at = steps.indexOf(early.only(Step.InstallFilter.class));
            steps.add(at + 1, steps.remove(at));
        }));
    }

    @ParameterizedTest
    @EnumSource(
            value = Namespace.class,
            names = {"USER", "MOUNT", "PID", "NETWORK", "CGROUP"})
    void no_container_is_without_its_own(Namespace namespace) {
        LaunchPlan plan = Samples.plan();
        Set<Namespace> fewer = EnumSet.copyOf(plan.namespaces());
        fewer.remove(namespace);

        assertRefused(new LaunchPlan(plan.ids(), fewer, plan.root(), plan.slots(), plan.steps()));
    }

    @Test
    void a_slot_is_used_for_nothing_but_what_it_holds() {
        LaunchPlan plan = Samples.plan(Samples.spec(), Samples.hybridHost());
        Step.MountSlot mount = plan.only(Step.MountSlot.class);
        Step.JoinCgroup join = plan.all(Step.JoinCgroup.class).getFirst();
        Step.AttachRoot root = plan.only(Step.AttachRoot.class);

        for (int slot = 0; slot < Slot.LIMIT; slot++) {
            Slot wrong = new Slot(slot);
            SlotSource source = slot < plan.slots().size() ? plan.slots().get(slot) : new SlotSource.Plan();
            if (!(source instanceof SlotSource.Bind || source instanceof SlotSource.Cover)) {
                assertRefused(replaced(plan, mount, new Step.MountSlot(wrong, false, mount.target())));
            }
            if (!(source instanceof SlotSource.CgroupTasks)) {
                assertRefused(replaced(plan, join, new Step.JoinCgroup(wrong)));
            }
            if (!(source instanceof SlotSource.Root)) {
                assertRefused(replaced(plan, root, new Step.AttachRoot(wrong)));
            }
        }
    }

    private static LaunchPlan replaced(LaunchPlan plan, Step old, Step other) {
        return changed(plan, steps -> steps.set(steps.indexOf(old), other));
    }

    @Test
    void the_root_is_the_last_slot_and_there_are_not_too_many() {
        LaunchPlan plan = Samples.plan();
        var behind = new ArrayList<>(plan.slots());
        behind.add(new SlotSource.Layer(7));
        var many = new ArrayList<SlotSource>();
        for (int i = 0; i <= Slot.LIMIT; i++) {
            many.add(new SlotSource.Bind(i, Path.of("/tmp"), true));
        }

        assertRefused(new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), behind, plan.steps()));
        Step.AttachRoot root = plan.only(Step.AttachRoot.class);
        Slot last = new Slot(plan.slots().size());
        assertRefused(replaced(withSlots(plan, behind), root, new Step.AttachRoot(last)));
        assertRefused(new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), many, plan.steps()));
    }

    private static LaunchPlan withSlots(LaunchPlan plan, List<SlotSource> slots) {
        return new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), slots, plan.steps());
    }

    @Test
    void each_of_the_first_slots_holds_what_init_expects_there() {
        LaunchPlan plan = Samples.plan();
        for (int i = 0; i < 5; i++) {
            for (SlotSource other : List.of(
                    new SlotSource.Layer(9), new SlotSource.Stream(3), new SlotSource.Bind(9, Path.of("/"), false))) {
                var slots = new ArrayList<>(plan.slots());
                slots.set(i, other);
                assertRefused(withSlots(plan, slots));
            }
        }
        assertRefused(withSlots(plan, List.of(new SlotSource.Root())));
        assertRefused(withSlots(plan, List.of()));
        assertRefused(withSlots(plan, plan.slots().subList(0, 5)));
    }

    /// As many as there may be, and one more.
    @Test
    void the_bounds_are_the_last_that_fit() {
        LaunchPlan plan = Samples.plan();
        int layers = 128 - plan.slots().size();
        var slots = new ArrayList<>(plan.slots());
        for (int i = 0; i < layers; i++) {
            slots.add(slots.size() - 1, new SlotSource.Layer(9 + i));
        }
        var most =
                replaced(withSlots(plan, slots), plan.only(Step.AttachRoot.class), new Step.AttachRoot(new Slot(127)));

        PlanRules.verify(most);
        PlanRules.verify(withSteps(plan, 1024));
        assertRefused(withSteps(plan, 1025));
    }

    private static LaunchPlan withSteps(LaunchPlan plan, int count) {
        int missing = count - plan.steps().size();
        return changed(plan, steps -> {
            int at = steps.indexOf(plan.only(Step.VerifyMounts.class));
            for (int i = 0; i < missing; i++) {
                steps.add(at, new Step.Mask(InRootPath.of("proc/keys")));
            }
        });
    }

    @Test
    void no_slot_is_used_twice() {
        LaunchPlan plan = Samples.plan(Samples.spec(), Samples.hybridHost());
        Step.JoinCgroup join = plan.all(Step.JoinCgroup.class).getFirst();
        Step.MountSlot mount = plan.only(Step.MountSlot.class);

        assertRefused(changed(plan, steps -> steps.add(steps.indexOf(join), join)));
        assertRefused(changed(plan, steps -> steps.add(steps.indexOf(mount), mount)));
    }

    @Test
    void what_may_happen_once_cannot_happen_twice() {
        LaunchPlan plan =
                Samples.plan(Samples.spec().readOnlyRoot(true).terminal(new TerminalSize(1, 1)), Samples.host());
        for (Class<? extends Step> kind : List.of(
                Step.NoNewPrivileges.class,
                Step.OpenConsole.class,
                Step.MakeRootReadOnly.class,
                Step.RaiseLoopback.class,
                Step.SetHostName.class,
                Step.SetOomScoreAdjustment.class,
                Step.JoinKeyring.class,
                Step.RestrictScope.class,
                Step.InstallFilter.class)) {
            int index = plan.steps().indexOf(plan.only(kind));

            assertRefused(changed(plan, steps -> steps.add(index, steps.get(index))));
            if (kind != Step.NoNewPrivileges.class) { // without it the filter would have to be early
                PlanRules.verify(changed(plan, steps -> steps.remove(index)));
            }
        }
        int host = plan.steps().indexOf(plan.only(Step.SetHostName.class));
        PlanRules.verify(changed(plan, steps -> steps.add(host, new Step.SetDomainName("a"))));
        assertRefused(changed(plan, steps -> {
            steps.add(host, new Step.SetDomainName("a"));
            steps.add(host, new Step.SetDomainName("b"));
        }));
    }

    @Test
    void who_is_in_the_network_of_the_host_sets_nothing_up_and_is_kept_from_abstract_sockets() {
        LaunchPlan plan = Samples.plan(
                Samples.spec().network(Network.ofHost()).allow(Allowance.HOST_NETWORK),
                GuestNetwork.ofHost(ResolverFile.EMPTY));
        int scope = plan.steps().indexOf(plan.only(Step.RestrictScope.class));
        int limits = plan.steps().indexOf(plan.only(Step.SetHostName.class));

        PlanRules.verify(plan);
        assertRefused(changed(plan, steps -> steps.remove(scope)));
        assertRefused(changed(plan, steps -> steps.set(scope, new Step.RestrictScope(Step.RestrictScope.SIGNALS))));
        assertRefused(changed(plan, steps -> steps.add(limits, new Step.RaiseLoopback())));
    }

    @Test
    void the_network_of_another_container_gets_no_links() {
        LaunchPlan plan = Samples.plan(
                Samples.spec().network(Network.on("web").and(NetworkEndpoint.on("back"))), Samples.networks());
        PlanRules.verify(plan);
        var others = new ArrayList<>(plan.steps());
        others.removeIf(Step.RaiseLoopback.class::isInstance);

        assertThatIllegalStateException()
                .isThrownBy(() -> PlanRules.verify(plan.with(others)))
                .withMessageContaining("the network of another container gets no links");
        others.removeIf(step -> step instanceof Step.Netlink || step instanceof Step.Resolver);
        others.removeIf(step -> step instanceof Step.AwaitLink || step instanceof Step.AskGateway);
        PlanRules.verify(new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), others));
    }

    @Test
    void groups_are_joined_before_they_become_roots_and_nothing_is_changed_behind_the_check() {
        LaunchPlan plan = Samples.plan(Samples.spec().readOnlyRoot(true), Samples.hybridHost());
        List<Step> late = List.of(
                plan.all(Step.SetSysctl.class).getFirst(),
                plan.all(Step.Mask.class).getFirst(),
                plan.all(Step.MakeReadOnly.class).getFirst(),
                plan.only(Step.MakeRootReadOnly.class));
        int verify = plan.steps().indexOf(plan.only(Step.VerifyMounts.class));
        Step join = plan.all(Step.JoinCgroup.class).getLast();

        for (Step step : late) {
            assertRefused(changed(plan, steps -> {
                steps.add(verify + 1, step);
                steps.remove(step);
            }));
        }
        assertRefused(changed(plan, steps -> {
            steps.remove(join);
            steps.add(steps.indexOf(new Step.CgroupNamespace()) + 1, join);
        }));
    }

    @Test
    void a_device_stands_below_dev_and_is_the_one_that_its_slot_holds() {
        LaunchPlan plan = Samples.plan(
                Samples.spec()
                        .allow(Allowance.HOST_DEVICES)
                        .device(new HostDevice(
                                Path.of("/dev/fuse"),
                                InRootPath.of("dev/fuse"),
                                Set.of(dev.caisson.spec.DeviceRule.Access.READ))),
                Samples.host());
        Step.PlaceDevice place = plan.only(Step.PlaceDevice.class);
        Slot root = plan.only(Step.AttachRoot.class).slot();
        Slot bind = plan.only(Step.MountSlot.class).slot();
        var node = place.node();

        for (String target : List.of("dev", "device", "etc/fuse", "dev2/fuse")) {
            assertRefused(replaced(plan, place, new Step.PlaceDevice(place.slot(), node, InRootPath.of(target))));
        }
        for (Slot slot :
                List.of(root, new Slot(127), new Slot(0), new Slot(plan.slots().size()))) {
            assertRefused(replaced(plan, place, new Step.PlaceDevice(slot, node, place.target())));
        }
        assertRefused(changed(plan, steps -> {
            steps.removeIf(Step.MountSlot.class::isInstance);
            steps.set(steps.indexOf(place), new Step.PlaceDevice(bind, node, place.target()));
        }));
        assertRefused(replaced(
                plan,
                place,
                new Step.PlaceDevice(
                        place.slot(), new DeviceNode(node.kind(), node.major(), node.minor() + 1), place.target())));
    }

    @Test
    void the_first_step_seals_and_the_last_executes() {
        LaunchPlan plan = Samples.plan();
        Step execute = plan.steps().getLast();

        assertRefused(changed(plan, steps -> {
            steps.remove(execute);
            steps.add(steps.size() - 1, execute);
        }));
        assertRefused(changed(plan, List::clear));
    }

    @Test
    void there_are_not_too_many_steps() {
        LaunchPlan plan = Samples.plan();

        assertRefused(changed(plan, steps -> {
            int at = steps.indexOf(plan.only(Step.VerifyMounts.class));
            for (int i = 0; i < 1024; i++) {
                steps.add(at, new Step.Mask(InRootPath.of("proc/keys")));
            }
        }));
    }
}
