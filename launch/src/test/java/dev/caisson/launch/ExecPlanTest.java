package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.TerminalSize;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What is planned for one more program of a container.
class ExecPlanTest {
    private static final int KIND = 14;
    private static final int FIRST_STEP = 16;
    private static final int STEP_HEADER = 8;

    private static ExecPlan.Program program(int uid, Optional<TerminalSize> terminal) {
        return new ExecPlan.Program(
                List.of("id", "-u"), "/bin:/sbin", List.of("A=b"), "/srv", terminal, uid, 7, List.of(8, 9));
    }

    private static ExecPlan plan(int uid) {
        return ExecPlan.of(Samples.plan(), program(uid, Optional.empty()), Optional.of(Samples.filter()));
    }

    private static <S extends Step> S only(ExecPlan plan, Class<S> kind) {
        List<S> found =
                plan.steps().stream().filter(kind::isInstance).map(kind::cast).toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    @Test
    void it_enters_the_containers_namespaces_before_it_does_anything_else_and_executes_last() {
        ExecPlan plan = plan(0);

        assertThat(plan.steps().get(0)).isEqualTo(new Step.Seal());
        assertThat(only(plan, Step.EnterNamespaces.class).namespaces())
                .isEqualTo(Samples.plan().namespaces());
        assertThat(plan.steps().indexOf(only(plan, Step.EnterNamespaces.class)))
                .isEqualTo(1 + Samples.plan().all(Step.JoinCgroup.class).size());
        assertThat(plan.steps().getLast()).isInstanceOf(Step.Execute.class);
        for (int i = 1; i < plan.steps().size(); i++) {
            assertThat(plan.steps().get(i).phase())
                    .isGreaterThanOrEqualTo(plan.steps().get(i - 1).phase());
        }
    }

    @Test
    void it_has_the_limits_the_bounding_set_and_the_filter_of_the_container() {
        ExecPlan plan = plan(0);
        CapabilitySet bounding = Samples.plan().only(Step.SetPrivileges.class).bounding();

        assertThat(plan.steps()).contains(new Step.NoNewPrivileges(), new Step.JoinKeyring());
        assertThat(plan.steps().stream()
                        .filter(Step.SetResourceLimit.class::isInstance)
                        .toList())
                .isNotEmpty()
                .isEqualTo(List.copyOf(Samples.plan().all(Step.SetResourceLimit.class)));
        assertThat(only(plan, Step.SetPrivileges.class))
                .isEqualTo(new Step.SetPrivileges(bounding, bounding, 0, 7, List.of(8, 9)));
        assertThat(only(plan, Step.InstallFilter.class)).isEqualTo(new Step.InstallFilter(Samples.filter(), false));
    }

    @Test
    void who_is_not_root_has_no_capability_but_the_same_bounding_set() {
        Step.SetPrivileges privileges = only(plan(1000), Step.SetPrivileges.class);

        assertThat(privileges.permitted()).isEqualTo(CapabilitySet.NONE);
        assertThat(privileges.bounding())
                .isEqualTo(Samples.plan().only(Step.SetPrivileges.class).bounding());
        assertThat(privileges.uid()).isEqualTo(1000);
        assertThat(privileges.gid()).isEqualTo(7);
    }

    @Test
    void the_program_is_given_as_it_was_asked_for() {
        ExecPlan plan = ExecPlan.of(
                Samples.plan(), program(5, Optional.of(new TerminalSize(24, 80))), Optional.of(Samples.filter()));

        assertThat(only(plan, Step.Ready.class).workingDirectory()).isEqualTo("/srv");
        assertThat(only(plan, Step.OpenConsole.class)).isEqualTo(new Step.OpenConsole(24, 80, 5, 7));
        assertThat(only(plan, Step.Execute.class))
                .isEqualTo(new Step.Execute(true, true, "/bin:/sbin", List.of("id", "-u"), List.of("A=b")));
    }

    @Test
    void where_new_privileges_are_allowed_the_filter_comes_before_the_capabilities_go() {
        LaunchPlan container = Samples.plan(
                ContainerSpec.of(Image.host(), "true").newPrivileges(true).allow(Allowance.NEW_PRIVILEGES),
                Samples.host());
        ExecPlan plan = ExecPlan.of(container, program(0, Optional.empty()), Optional.of(Samples.filter()));

        assertThat(plan.steps()).doesNotContain(new Step.NoNewPrivileges());
        assertThat(only(plan, Step.InstallFilter.class).early()).isTrue();
        assertThat(plan.steps().indexOf(only(plan, Step.InstallFilter.class)) + 1)
                .isEqualTo(plan.steps().indexOf(only(plan, Step.SetPrivileges.class)));
    }

    @Test
    void the_slots_are_in_the_order_of_the_wire_form() {
        ExecPlan plan = plan(0);
        Set<Namespace> own = Samples.plan().namespaces();

        assertThat(plan.slots().subList(0, 5))
                .containsExactly(
                        new SlotSource.Plan(),
                        new SlotSource.Control(),
                        new SlotSource.Stream(0),
                        new SlotSource.Stream(1),
                        new SlotSource.Stream(2));
        List<SlotSource> namespaces =
                plan.slots().subList(5 + plan.groups(), plan.slots().size());
        assertThat(namespaces).hasSameSizeAs(own);
        assertThat(namespaces.subList(0, 2))
                .containsExactly(
                        new SlotSource.NamespaceOf(Namespace.NETWORK), // may belong to the host's user namespace
                        new SlotSource.NamespaceOf(Namespace.USER));
        assertThat(namespaces.getLast()).isEqualTo(new SlotSource.NamespaceOf(Namespace.MOUNT));
        assertThat(only(plan, Step.EnterNamespaces.class).first().index()).isEqualTo(5 + plan.groups());
    }

    @Test
    void the_header_tells_that_it_makes_no_container() {
        ByteBuffer launch = ByteBuffer.wrap(PlanCodec.encode(Samples.plan())).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer exec = ByteBuffer.wrap(PlanCodec.encode(plan(0))).order(ByteOrder.LITTLE_ENDIAN);

        assertThat(launch.getShort(KIND)).isEqualTo((short) 0);
        assertThat(exec.getShort(KIND)).isEqualTo((short) 1);
        assertThat(exec.getInt(4)).isEqualTo(exec.capacity());
    }

    @Test
    void what_it_enters_is_carried_in_the_order_of_entry() {
        ExecPlan plan = plan(0);
        ByteBuffer wire = ByteBuffer.wrap(PlanCodec.encode(plan)).order(ByteOrder.LITTLE_ENDIAN);
        List<Namespace> ordered = Namespace.inOrderOfEntry(plan.namespaces());
        int at = FIRST_STEP
                + STEP_HEADER
                + plan.groups() * (STEP_HEADER + Short.BYTES); // behind the seal and the groups

        assertThat(wire.get(at + 1)).isEqualTo((byte) Opcode.ENTER.number());
        assertThat(wire.getInt(at + 4)).isEqualTo(Integer.BYTES + ordered.size() * Short.BYTES);
        assertThat(Integer.toUnsignedLong(wire.getInt(at + STEP_HEADER)))
                .isEqualTo(ordered.stream().mapToLong(Namespace::cloneFlag).sum());
        for (int i = 0; i < ordered.size(); i++) {
            int slot = wire.getShort(at + STEP_HEADER + Integer.BYTES + i * Short.BYTES);
            assertThat(plan.slots().get(slot)).isEqualTo(new SlotSource.NamespaceOf(ordered.get(i)));
        }
    }

    @Test
    void a_file_service_has_the_capabilities_for_files_that_the_container_has_and_no_program() {
        ExecPlan plan = ExecPlan.files(Samples.plan(), 2);
        Step.SetPrivileges privileges = only(plan, Step.SetPrivileges.class);
        CapabilitySet container = Samples.plan().only(Step.SetPrivileges.class).bounding();

        assertThat(plan.steps()).contains(new Step.NoNewPrivileges()).noneMatch(Step.Execute.class::isInstance);
        assertThat(plan.steps().getLast()).isInstanceOf(Step.ServeFiles.class);
        assertThat(plan.slots().getLast()).isEqualTo(new SlotSource.Lifetime());
        assertThat(privileges.bounding().mask() & ~container.mask()).isZero();
        assertThat(privileges.bounding().mask() & ~0x1fL).isZero();
        assertThat(privileges.permitted()).isEqualTo(privileges.bounding());
    }
}
