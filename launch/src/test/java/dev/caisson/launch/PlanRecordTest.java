package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.secret.SecretName;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// A plan that was written down is read back as it was, but for the words of its program.
class PlanRecordTest {
    private static final List<SlotSource> SLOTS = List.of(
            new SlotSource.Plan(),
            new SlotSource.Control(),
            new SlotSource.Stream(2),
            new SlotSource.CgroupTasks(3),
            new SlotSource.CgroupDirectory(),
            new SlotSource.Layer(4),
            new SlotSource.Upper(LayerMedium.MEMORY),
            new SlotSource.Upper(LayerMedium.IMAGE),
            new SlotSource.Upper(LayerMedium.PROJECT),
            new SlotSource.Bind(5, Path.of("/srv/with a space"), true),
            new SlotSource.Bind(6, Path.of("/srv/other"), false),
            new SlotSource.Shared(7, new WorkspaceName("work"), true, InRootPath.of("")),
            new SlotSource.Shared(8, new VolumeName("data"), false, InRootPath.of("a b/c")),
            new SlotSource.ImageFiles(9, "registry.example/tools:1", InRootPath.of("")),
            new SlotSource.ImageFiles(10, "tools:2", InRootPath.of("usr/local with a space")),
            new SlotSource.Secrets(
                    11,
                    List.of(
                            new SlotSource.Secrets.Placed(new SecretName("db"), new SecretName("pass"), 1, 2, 0440),
                            new SlotSource.Secrets.Placed(new SecretName("key"), new SecretName("key"), 0, 0, 0400))),
            new SlotSource.Cover(12, Path.of("/usr/a file")),
            new SlotSource.Device(
                    13,
                    Path.of("/dev/a disk"),
                    new DeviceNode(DeviceRule.Kind.BLOCK, 8, 17),
                    EnumSet.of(DeviceRule.Access.READ, DeviceRule.Access.WRITE)),
            new SlotSource.Device(
                    14,
                    Path.of("/dev/fuse"),
                    new DeviceNode(DeviceRule.Kind.CHARACTER, 10, 229),
                    EnumSet.of(DeviceRule.Access.READ)),
            new SlotSource.Root());
    private static final List<Link> LINKS = List.of(
            new Link("cv01", "cn02", "eth0", 100, 1500, MacAddress.parse("02:00:00:00:00:01"), false),
            new Link("cv03", "cn04", "eth1", 101, 1400, MacAddress.parse("02:00:00:00:00:02"), true));

    private static LaunchPlan plan(Step... steps) {
        return new LaunchPlan(
                new IdRange(IdRange.FIRST + IdRange.WIDTH, IdRange.WIDTH),
                EnumSet.of(Namespace.UTS, Namespace.USER, Namespace.MOUNT, Namespace.PID),
                new LaunchPlan.RootAssembly(3, 1L << 33, 1234),
                SLOTS,
                LINKS,
                List.of(steps));
    }

    @Test
    void every_source_of_a_slot_and_every_link_is_read_back() {
        LaunchPlan plan = plan(new Step.Seal());
        assertThat(PlanRecord.of(plan).plan()).isEqualTo(plan);
    }

    @Test
    void the_lines_are_the_same_for_the_same_plan() {
        PlanRecord record = PlanRecord.of(plan(new Step.Seal()));
        assertThat(record.namespaces()).containsExactly("MOUNT", "PID", "USER", "UTS");
        assertThat(record.slots())
                .contains(
                        "volume 8 rw data a b/c",
                        "workspace 7 ro work",
                        "image 9 registry.example/tools:1",
                        "image 10 tools:2 usr/local with a space",
                        "secrets 11 db:pass:1:2:440,key:key:0:0:400",
                        "cover 12 /usr/a file");
        assertThat(record.links())
                .containsExactly(
                        "cv01 cn02 eth0 100 1500 02:00:00:00:00:01 open",
                        "cv03 cn04 eth1 101 1400 02:00:00:00:00:02 isolated");
    }

    @Test
    void words_of_the_program_are_not_written_down() {
        LaunchPlan plan =
                plan(new Step.Seal(), new Step.Execute(true, true, "/bin", List.of("sh", "-c"), List.of("A=b")));
        PlanRecord record = PlanRecord.of(plan);

        assertThat(record.plan().only(Step.Execute.class))
                .isEqualTo(new Step.Execute(true, true, "", List.of(""), List.of()));
        assertThat(record.plan(List.of("sh", "-c")).only(Step.Execute.class))
                .isEqualTo(new Step.Execute(true, true, "", List.of("sh", "-c"), List.of()));
        assertThat(record.plan(List.of("sh")).only(Step.Seal.class)).isEqualTo(new Step.Seal());
    }

    @Test
    void what_is_no_slot_is_told() {
        PlanRecord record = PlanRecord.of(plan(new Step.Seal()));
        for (String line : List.of("plans", "", "namespace 3")) {
            var other = new PlanRecord(
                    record.idBase(),
                    record.namespaces(),
                    record.layers(),
                    record.bytes(),
                    record.inodes(),
                    List.of(line),
                    record.links(),
                    record.steps());
            assertThatThrownBy(other::plan)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("slot");
        }
        for (SlotSource source : List.of(new SlotSource.Lifetime(), new SlotSource.NamespaceOf(Namespace.MOUNT))) {
            var odd = new LaunchPlan(
                    record.plan().ids(),
                    Set.of(Namespace.USER),
                    record.plan().root(),
                    List.of(source),
                    List.of(new Step.Seal()));
            assertThatThrownBy(() -> PlanRecord.of(odd)).hasMessage("no slot of a launch");
        }
    }
}
