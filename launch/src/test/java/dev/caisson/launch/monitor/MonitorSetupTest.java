package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Link;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.Parts;
import dev.caisson.launch.ResolverFile;
import dev.caisson.launch.Samples;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What a monitor is given, byte by byte as native/monitor.h has it.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is one of Wire's
class MonitorSetupTest {
    /// The flag of every container with no_new_privs.
    private static final int WATCH_SET_ID = 128;

    private static final LaunchPlan PLAN = Samples.plan();
    private static final MonitorPolicy POLICY = new MonitorPolicy(
            MonitorPolicy.Restart.UNLESS_STOPPED,
            5,
            15,
            Duration.ofSeconds(10),
            Optional.of(Duration.ofSeconds(7)),
            Optional.of(Duration.ofSeconds(8)));
    private static final int ROLES_AT = 40 + 32 + 96;
    private static final int HEALTH_AT = ROLES_AT + 4 * 200;
    private static final int LINKS_AT = HEALTH_AT + 36;

    private final Sockets.Pair pair = Sockets.pair();
    private final Fd one = pair.ours();
    private final Fd other = pair.theirs();

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    private static MonitorSetup setup(LaunchPlan plan, MonitorSetup.Streams streams, Parts.Part... parts) {
        return new MonitorSetup(plan, List.of(parts), streams, new MonitorSetup.Log("box.log", 5, 1 << 20), POLICY);
    }

    private static MonitorSetup setup(Parts.Part... parts) {
        return setup(PLAN, new MonitorSetup.Streams(false, false, false, 700), parts);
    }

    private static ByteBuffer encoded(MonitorSetup setup) {
        return ByteBuffer.wrap(setup.encode()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static List<List<Integer>> roles(MonitorSetup setup) {
        ByteBuffer in = encoded(setup);
        var roles = new ArrayList<List<Integer>>();
        for (int at = ROLES_AT; in.getShort(at) != 0; at += 4) {
            roles.add(List.of((int) in.getShort(at), (int) in.getShort(at + 2)));
        }
        return roles;
    }

    @Test
    void ids_namespaces_log_and_policy_are_where_the_monitor_reads_them() {
        ByteBuffer in = encoded(setup(new Parts.Part(0, false, one)));

        assertThat(in.capacity()).isEqualTo(1004 + 4 + 64 * 8);
        assertThat(in.getInt(0)).isEqualTo(PLAN.ids().base());
        assertThat(in.getInt(4)).isEqualTo(PLAN.ids().count());
        long flags = 0;
        for (Namespace namespace : PLAN.madeNamespaces()) {
            flags |= namespace == Namespace.CGROUP ? 0 : namespace.cloneFlag();
        }
        assertThat(in.getLong(8)).isEqualTo(flags).isNotZero();
        assertThat(PLAN.madeNamespaces()).contains(Namespace.CGROUP);
        assertThat(in.getShort(16)).isEqualTo((short) PLAN.slots().size());
        assertThat(in.getShort(18)).isEqualTo((short) 1);
        assertThat(in.getInt(20)).isEqualTo(WATCH_SET_ID);
        assertThat(in.getInt(24)).isEqualTo(700);
        assertThat(in.getInt(28)).isEqualTo(5);
        assertThat(in.getLong(32)).isEqualTo(1 << 20);
        byte[] policy = Wire.ints(2, 5, 15, 10_000, 0, 7_000, 8_000, 0);
        assertThat(Arrays.copyOfRange(in.array(), 40, 72)).isEqualTo(policy);
        byte[] name = Arrays.copyOf("box.log".getBytes(StandardCharsets.UTF_8), 96);
        assertThat(Arrays.copyOfRange(in.array(), 72, 168)).isEqualTo(name);
        assertThat(Arrays.copyOfRange(in.array(), HEALTH_AT, in.capacity())).containsOnly(0);
    }

    @Test
    void each_way_of_the_streams_is_a_flag() {
        assertThat(encoded(setup(PLAN, new MonitorSetup.Streams(true, false, false, 0)))
                        .getInt(20))
                .isEqualTo(WATCH_SET_ID | 1);
        assertThat(encoded(setup(PLAN, new MonitorSetup.Streams(false, true, false, 0)))
                        .getInt(20))
                .isEqualTo(WATCH_SET_ID | 2);
        assertThat(encoded(setup(PLAN, new MonitorSetup.Streams(false, false, true, 0)))
                        .getInt(20))
                .isEqualTo(WATCH_SET_ID | 4);
        assertThat(encoded(setup().linkable()).getInt(20)).isEqualTo(WATCH_SET_ID | 16);
        LaunchPlan ofHost = Samples.plan(
                Samples.spec().network(Network.ofHost()).allow(Allowance.HOST_NETWORK),
                GuestNetwork.ofHost(ResolverFile.EMPTY));
        ByteBuffer inTheHosts = encoded(setup(ofHost, new MonitorSetup.Streams(false, false, false, 0)));
        assertThat(inTheHosts.getInt(20)).isEqualTo(WATCH_SET_ID | 32);
        assertThat(inTheHosts.getLong(8) & Namespace.NETWORK.cloneFlag()).isZero();
    }

    @Test
    void set_id_programs_are_watched_where_they_have_no_effect() {
        LaunchPlan withEffect =
                Samples.plan(Samples.spec().newPrivileges(true).allow(Allowance.NEW_PRIVILEGES), GuestNetwork.NONE);
        assertThat(encoded(setup(withEffect, new MonitorSetup.Streams(false, false, false, 0)))
                        .getInt(20))
                .isZero();
    }

    @Test
    void each_descriptor_has_its_role_and_place() {
        MonitorSetup setup = setup(new Parts.Part(6, false, one), new Parts.Part(7, true, other))
                .directories(one, other)
                .layers(one, List.of(other, one))
                .hold(other)
                .redaction(one)
                .answers(other);

        assertThat(roles(setup))
                .containsExactly(
                        List.of(1, 6),
                        List.of(2, 7),
                        List.of(4, 0),
                        List.of(5, 0),
                        List.of(13, 0),
                        List.of(13, 1),
                        List.of(13, 2),
                        List.of(6, 0),
                        List.of(14, 0),
                        List.of(15, 0));
        assertThat(setup.descriptors()).containsExactly(one, other, one, other, one, other, one, other, one, other);
        assertThat(encoded(setup).getShort(18)).isEqualTo((short) 10);
    }

    @Test
    void a_group_is_watched_by_the_files_that_it_has() {
        assertThat(roles(setup().group(
                                new Cgroup.WatchFiles(Optional.empty(), Optional.empty(), true), Optional.empty())))
                .isEmpty();
        assertThat(roles(setup().group(
                                new Cgroup.WatchFiles(Optional.of(one), Optional.of(other), true), Optional.of(one))))
                .containsExactly(List.of(3, 0), List.of(8, 0), List.of(9, 0));
        assertThat(roles(setup().group(
                                new Cgroup.WatchFiles(Optional.empty(), Optional.of(other), false), Optional.empty())))
                .containsExactly(List.of(10, 0));
    }

    @Test
    void a_health_check_has_its_times_its_namespaces_and_its_descriptors() {
        var program = new ExecPlan.Program(List.of("true"), "/bin", List.of(), "/", Optional.empty(), 0, 0, List.of());
        ExecPlan plan = ExecPlan.of(PLAN, program, Optional.empty(), 1);
        var health = new MonitorSetup.Health(
                plan,
                Duration.ofMillis(1),
                Duration.ofMillis(2),
                Duration.ofMillis(3),
                Duration.ofMillis(4),
                5,
                MonitorSetup.Health.OnFailure.STOP,
                false);
        List<Fd> joins = Collections.nCopies(plan.groups(), other);
        MonitorSetup setup = setup().health(health, one, joins, other);

        var expected = new ArrayList<List<Integer>>();
        var descriptors = new ArrayList<Fd>();
        for (int slot = 0; slot < plan.slots().size(); slot++) {
            if (plan.slots().get(slot) instanceof SlotSource.Plan
                    || plan.slots().get(slot) instanceof SlotSource.CgroupTasks) {
                expected.add(List.of(11, slot));
                descriptors.add(plan.slots().get(slot) instanceof SlotSource.Plan ? one : other);
            }
        }
        expected.add(List.of(12, 0));
        descriptors.add(other);
        assertThat(expected).hasSizeGreaterThanOrEqualTo(3);
        assertThat(roles(setup)).isEqualTo(expected);
        assertThat(setup.descriptors()).isEqualTo(descriptors);
        ByteBuffer in = encoded(setup);
        int flags = 0;
        for (Namespace namespace : plan.namespaces()) {
            flags |= (int) namespace.cloneFlag();
        }
        assertThat(Arrays.copyOfRange(in.array(), HEALTH_AT, HEALTH_AT + 28))
                .isEqualTo(Wire.ints(1, 2, 3, 4, 5, 3, flags));
        assertThat(in.getInt(HEALTH_AT + 28)).isEqualTo(plan.slots().size());
        assertThat(in.getInt(HEALTH_AT + 32)).isEqualTo(plan.oomScore()).isNotZero();
        assertThat(Arrays.copyOfRange(in.array(), LINKS_AT, in.capacity())).containsOnly(0);
    }

    @Test
    void links_stand_at_the_end() {
        LaunchPlan linked = Samples.plan(
                Samples.spec().network(Network.on("web").and(NetworkEndpoint.on("back"))), Samples.networks());
        byte[] bytes =
                setup(linked, new MonitorSetup.Streams(false, false, false, 0)).encode();
        assertThat(Arrays.copyOfRange(bytes, LINKS_AT, bytes.length))
                .isEqualTo(Link.encode(linked.links()))
                .startsWith(2, 0, 0, 0);
    }

    @Test
    void names_and_descriptors_have_their_bounds() {
        for (int length : new int[] {95, 96}) {
            var log = new MonitorSetup.Log("n".repeat(length), 1, 1);
            var setup =
                    new MonitorSetup(PLAN, List.of(), new MonitorSetup.Streams(false, false, false, 0), log, POLICY);
            if (length == 95) {
                assertThat(Arrays.copyOfRange(setup.encode(), 72, 168)).endsWith('n', 0);
            } else {
                assertThatThrownBy(setup::encode).isInstanceOf(IllegalArgumentException.class);
            }
        }
        MonitorSetup full = setup();
        for (int i = 0; i < 200; i++) {
            full.hold(one);
        }
        assertThat(full.descriptors()).hasSize(200);
        assertThat(encoded(full).getShort(HEALTH_AT - 4)).isEqualTo((short) 6);
        assertThatThrownBy(() -> full.hold(one)).isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] policy(MonitorPolicy policy) {
        ByteBuffer out = Wire.buffer(MonitorPolicy.BYTES);
        policy.put(out);
        return out.array();
    }

    @Test
    void a_policy_without_deadline_and_lease_has_none_and_a_short_one_is_no_none() {
        assertThat(policy(new MonitorPolicy(
                        MonitorPolicy.Restart.NO, 0, 9, Duration.ofDays(60), Optional.empty(), Optional.empty())))
                .isEqualTo(Wire.ints(0, 0, 9, -1, 0, 0, 0, 0));
        Optional<Duration> nothing = Optional.of(Duration.ZERO);
        Optional<Duration> always = Optional.of(Duration.ofDays(60));
        assertThat(policy(new MonitorPolicy(MonitorPolicy.Restart.ALWAYS, 0, 9, Duration.ZERO, nothing, always)))
                .isEqualTo(Wire.ints(3, 0, 9, 0, 0, 1, -2, 0));
        assertThat(MonitorPolicy.millis(Duration.ofMillis(0xffff_fffeL))).isEqualTo(0xffff_fffeL);
        assertThat(MonitorPolicy.millis(Duration.ofMillis(0xffff_ffffL))).isEqualTo(0xffff_ffffL);
        assertThat(MonitorPolicy.millis(Duration.ofMillis(0x1_0000_0000L))).isEqualTo(0xffff_ffffL);
    }
}
