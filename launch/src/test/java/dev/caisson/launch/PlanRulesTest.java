package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

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
        assertRefused(new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), many, plan.steps()));
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
