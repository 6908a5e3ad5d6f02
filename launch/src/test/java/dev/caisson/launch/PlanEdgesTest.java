package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageReference;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Gate;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What of a plan is seen only where there are several of a kind, or none.
class PlanEdgesTest {
    private static final ContainerSpec NETWORKED =
            Samples.spec().network(Network.on("web").and(NetworkEndpoint.on("back")));

    private static LaunchPlan plan(Step... steps) {
        return Samples.plan().with(List.of(steps));
    }

    // ---- slots

    @Test
    void each_mount_of_a_kind_has_a_slot_of_its_own() {
        ContainerSpec spec = Samples.spec();
        for (int i = 0; i < 2; i++) {
            spec = spec.mount(new Mount.Workspace(new WorkspaceName("w" + i), InRootPath.of("w" + i), i == 0))
                    .mount(new Mount.Volume(Optional.of(new VolumeName("v" + i)), InRootPath.of("v" + i), false, false))
                    .mount(new Mount.ImageFiles(
                            ImageReference.parse("tools:" + i), InRootPath.of("i" + i), Optional.empty()));
        }
        LaunchPlan plan = Samples.plan(spec, Samples.host());

        assertThat(plan.slots().stream().filter(SlotSource.Shared.class::isInstance))
                .extracting(slot -> ((SlotSource.Shared) slot).index())
                .containsExactly(0, 1, 2, 3);
        assertThat(plan.slots().stream().filter(SlotSource.ImageFiles.class::isInstance))
                .extracting(slot -> ((SlotSource.ImageFiles) slot).index())
                .containsExactly(0, 1);
        assertThat(plan.all(Step.MountSlot.class))
                .filteredOn(mount -> mount.target().relative().matches("[wvi][01]"))
                .hasSize(6)
                .allSatisfy(mount -> assertThat(mount.file()).isFalse())
                .extracting(Step.MountSlot::slot)
                .doesNotHaveDuplicates();
        assertThat(plan.slot(SlotSource.Plan.class, 0).index()).isZero();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plan.slot(SlotSource.Shared.class, 4))
                .withMessage("the plan has no slot 4 of Shared");
    }

    @Test
    void who_serves_files_joins_each_group() {
        assertThat(ExecPlan.files(Samples.plan(), 3).steps())
                .filteredOn(Step.JoinCgroup.class::isInstance)
                .extracting(step -> ((Step.JoinCgroup) step).slot().index())
                .containsExactly(5, 6, 7);
    }

    @Test
    void what_a_table_of_mounts_calls_a_file_system() {
        assertThat(KernelFileSystem.CGROUP1_MEMORY.type()).isEqualTo("cgroup");
        assertThat(KernelFileSystem.CGROUP2.type()).isEqualTo("cgroup2");
        assertThat(KernelFileSystem.TMPFS.type()).isEqualTo("tmpfs");
    }

    @Test
    @Tag("root")
    void a_block_device_has_its_numbers(@TempDir Path directory) {
        try (Fd place = FileSystem.open(directory.toString(), FileSystem.O_PATH)) {
            FileSystem.makeNode(place, "disk", 0060600, 0x811);
            try (Fd disk = FileSystem.open(directory.resolve("disk").toString(), FileSystem.O_PATH)) {
                assertThat(DeviceNode.of(FileSystem.status(disk)))
                        .contains(new DeviceNode(DeviceRule.Kind.BLOCK, 8, 17));
            }
        }
    }

    // ---- networks

    @Test
    void only_who_asks_a_resolver_outside_has_its_questions_redirected() {
        GuestNetwork without = Samples.networks();
        var with = new GuestNetwork(without.attachments(), without.host(), without.ipv6(), true);

        assertThat(protocols(without)).containsExactly(NetlinkProtocol.NETFILTER, NetlinkProtocol.ROUTE);
        assertThat(protocols(with))
                .containsExactlyInAnyOrder(NetlinkProtocol.NETFILTER, NetlinkProtocol.ROUTE, NetlinkProtocol.NETFILTER);
    }

    private static List<NetlinkProtocol> protocols(GuestNetwork network) {
        return Samples.plan(NETWORKED, network).all(Step.Netlink.class).stream()
                .map(Step.Netlink::protocol)
                .toList();
    }

    @Test
    void without_a_gate_no_program_is_told_to_trust_its_certificate() {
        assertThat(Samples.plan(NETWORKED, Samples.networks())
                        .only(Step.Execute.class)
                        .environment())
                .noneMatch(variable -> variable.contains(Gate.CERTIFICATES.absolute()));
    }

    // ---- the wire

    @Test
    void secrets_are_the_last_variables() {
        LaunchPlan plan = plan(new Step.Execute(true, false, "", List.of("a"), List.of("B=c")));
        byte[] without = PlanCodec.encode(plan, PlanCodec.NO_PAUSE, List.of());
        byte[] with = PlanCodec.encode(plan, PlanCodec.NO_PAUSE, List.of(bytes("S=one"), bytes("T=2")));

        assertThat(with).hasSize(without.length + 4 + 5 + 4 + 3);
        assertThat(((Step.Execute) PlanDecoder.steps(with).getFirst()).environment())
                .containsExactly("B=c", "S=one", "T=2");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void a_program_has_as_many_words_as_the_kernel_takes() {
        List<String> most = Collections.nCopies(1 << 18, "");
        assertThat(((Step.Execute) PlanDecoder.steps(
                                        PlanCodec.encode(plan(new Step.Execute(true, false, "", most, List.of()))))
                                .getFirst())
                        .arguments())
                .hasSize(1 << 18);
        var more = new ArrayList<>(most);
        more.add("");
        assertThatThrownBy(() -> PlanCodec.encode(plan(new Step.Execute(true, false, "", more, List.of()))))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.code()).isEqualTo("ARGUMENTS_TOO_MANY"));
    }

    /// The end of the last step: a slot or none, and a text behind its length.
    @Test
    void files_are_served_below_a_directory_and_as_long_as_somebody_lives() {
        byte[] none = PlanCodec.encode(plan(new Step.ServeFiles(Optional.empty(), InRootPath.of("work"))));
        byte[] some = PlanCodec.encode(plan(new Step.ServeFiles(Optional.of(new Slot(9)), InRootPath.of(""))));

        assertThat(Arrays.copyOfRange(none, none.length - 10, none.length))
                .isEqualTo(new byte[] {-1, -1, 4, 0, 0, 0, 'w', 'o', 'r', 'k'});
        assertThat(Arrays.copyOfRange(some, some.length - 6, some.length)).isEqualTo(new byte[] {9, 0, 0, 0, 0, 0});
    }

    private static void assertNoPlan(byte[] bytes, String why) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PlanDecoder.steps(bytes))
                .withMessageContaining(why);
    }

    @Test
    void what_is_no_plan_of_a_launch_is_not_decoded() {
        byte[] plan = PlanCodec.encode(plan(new Step.SetHostName("box"), new Step.Pivot()));
        assertThat(PlanDecoder.steps(plan)).containsExactly(new Step.SetHostName("box"), new Step.Pivot());
        for (int at = 0; at < 8; at++) {
            byte[] other = plan.clone();
            other[at] ^= 1;
            assertNoPlan(other, "not a plan");
        }
        ByteBuffer longer = ByteBuffer.allocate(plan.length + 2).order(ByteOrder.LITTLE_ENDIAN);
        int first = 16 + 8 + 4 + 3; // what the plan and the step begin with, and its text
        longer.put(plan, 0, first).putShort((short) 0).put(plan, first, plan.length - first);
        longer.putInt(4, plan.length + 2).putInt(16 + 4, 4 + 3 + 2);
        assertNoPlan(longer.array(), "not a plan: step 0");
        assertNoPlan(PlanCodec.encode(ExecPlan.files(Samples.plan(), 0)), "it enters namespaces");
    }

    @Test
    void steps_are_in_their_phase() {
        byte[] plan = PlanCodec.encode(plan(new Step.Pivot()));
        IntStream.range(0, Phase.values().length)
                .filter(phase -> phase != plan[16])
                .forEach(phase -> {
                    byte[] other = plan.clone();
                    other[16] = (byte) phase;
                    assertNoPlan(other, "not a plan: step 0");
                });
    }
}
