package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.PlanRecord;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where containers' groups stand, and which of them go.
@Tag("root")
class GroupsTest {
    private static final String FIRST = "a".repeat(64);
    private static final String SECOND = "b".repeat(64);
    private static final String THIRD = "c".repeat(64);
    private static final String USERS =
            "caisson-groups-test-" + ProcessHandle.current().pid();
    private static final Placement PARENT = new Placement.Parent(USERS);
    private static final Placement TENANT = new Placement.Tenant("one", Optional.empty());
    private static final Placement BOUNDED = new Placement.Tenant("one", Optional.of(Limits.defaults()));

    @TempDir
    private Path directory;

    private final Hierarchy hierarchy = Hierarchy.detect();
    private State state;
    private Groups groups;
    private String own;
    private String tenant;

    @BeforeEach
    void open() {
        state = new State(directory.resolve("state"));
        groups = new Groups(hierarchy, state);
        own = state.cgroupParent();
        tenant = own + "/tenant-one";
    }

    @AfterEach
    void removeAll() {
        for (String parent : List.of(tenant, own, USERS)) {
            hierarchy.removeStale(parent, _ -> true);
            hierarchy.removeParent(parent);
        }
        state.close();
        hierarchy.close();
    }

    private static ContainerSpec spec(Placement where) {
        return ContainerSpec.onHost("true").placement(where);
    }

    private boolean stands(String parent, String id) {
        return hierarchy.find(parent, id).isPresent();
    }

    @Test
    void a_container_stands_beside_all_others_or_where_its_spec_says() {
        assertThat(groups.parent(new Placement.Standard())).isEqualTo(own);
        assertThat(groups.parent(PARENT)).isEqualTo(USERS);
        assertThat(groups.parent(TENANT)).isEqualTo(tenant);
    }

    @Test
    void whose_a_group_is_can_be_read_from_where_it_stands() {
        assertThat(Groups.tenant(tenant)).contains("one");
        assertThat(Groups.tenant("caisson/tenant-a-b")).contains("a-b");
        assertThat(Groups.tenant("box/caisson-1-2/tenant-a")).contains("a");
        for (String other : List.of(
                own,
                "tenant-a",
                "other/tenant-a",
                "box/other/tenant-a",
                "caisson/other",
                "caisson/my-tenant-a",
                "caisson/tenant-a/b",
                "caisson")) {
            assertThat(Groups.tenant(other)).as(other).isEmpty();
        }
    }

    @Test
    void one_that_was_begun_ahead_is_made_whole_and_removed_with_all_that_runs_in_it() throws Exception {
        Cgroup begun = groups.begin(FIRST);
        Cgroup whole = groups.complete(begun, Limits.defaults());
        assertThat(whole.path()).isEqualTo(own + "/" + FIRST);
        assertThat(whole.effectiveLimits()).isNotNull();
        Process inside = new ProcessBuilder("sleep", "100").start();
        try {
            for (Path procs : places(own + "/" + FIRST)) {
                Files.writeString(procs, Long.toString(inside.pid()));
            }
            assertThat(whole.processes()).containsExactly(inside.pid());
            groups.create(spec(new Placement.Standard()), SECOND);

            groups.remove(FIRST);

            assertThat(inside.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(stands(own, FIRST)).isFalse();
            assertThat(stands(own, SECOND)).isTrue();
            groups.remove(FIRST);
            groups.undo(FIRST);
            assertThat(stands(own, SECOND)).isTrue();
        } finally {
            inside.destroyForcibly().waitFor();
        }
    }

    /// The group in each tree.
    private static List<Path> places(String group) throws IOException {
        try (Stream<Path> trees = Files.walk(Path.of("/sys/fs/cgroup"), 1)) {
            return trees.map(tree -> tree.resolve(group).resolve("cgroup.procs"))
                    .filter(Files::exists)
                    .toList();
        }
    }

    @Test
    void a_parent_that_a_user_names_must_be_there_and_stays() {
        assertThatThrownBy(() -> groups.create(spec(PARENT), FIRST)).isInstanceOf(CgroupException.class);
        hierarchy.createParent(USERS, Limits.defaults());
        Cgroup made = groups.create(spec(PARENT), FIRST);
        assertThat(made.path()).isEqualTo(USERS + "/" + FIRST);

        groups.remove(FIRST);
        groups.undo(FIRST);

        assertThat(stands(USERS, FIRST)).isFalse();
        assertThat(hierarchy.findParent(USERS)).isPresent();
    }

    // ---- tenants

    private static void assertUnknown(org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("TENANT_UNKNOWN"))
                .hasMessageContaining("--tenant one,memory=");
    }

    @Test
    void a_tenant_has_a_ceiling_from_its_first_container_to_its_last() {
        assertUnknown(() -> groups.create(spec(TENANT), FIRST));
        groups.create(spec(BOUNDED), FIRST);
        assertThat(groups.create(spec(TENANT), SECOND).path()).isEqualTo(tenant + "/" + SECOND);
        assertThat(stands(tenant, FIRST)).isTrue();

        groups.remove(FIRST);
        groups.undo(FIRST);
        assertThat(hierarchy.findParent(tenant)).as("while one is left").isPresent();
        groups.remove(SECOND);
        assertThat(hierarchy.findParent(tenant)).isPresent();
        groups.undo(SECOND);
        assertThat(hierarchy.findParent(tenant)).isEmpty();
        assertUnknown(() -> groups.create(spec(TENANT), THIRD));
    }

    /// It may be what a killed engine left before its ceiling.
    @Test
    void a_tenant_without_a_container_has_no_ceiling() {
        groups.create(spec(BOUNDED), FIRST);
        groups.remove(FIRST);

        assertUnknown(() -> groups.create(spec(TENANT), SECOND));
    }

    @Test
    void launches_and_ends_of_tenants_wait_for_each_other() throws Exception {
        Thread launching;
        try (Fd lock = FileSystem.openAt(state.root(), "tenants", FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, 0)) {
            FileLocks.lock(lock);
            launching = Thread.ofPlatform().start(() -> groups.create(spec(BOUNDED), FIRST));
            assertThat(launching.join(java.time.Duration.ofMillis(50))).isFalse();
            assertThat(hierarchy.findParent(tenant)).isEmpty();
        }
        launching.join();
        groups.remove(FIRST);
        Thread ending;
        try (Fd lock = FileSystem.openAt(state.root(), "tenants", FileSystem.O_RDWR, 0, 0)) {
            FileLocks.lock(lock);
            ending = Thread.ofPlatform().start(() -> groups.undo(FIRST));
            assertThat(ending.join(java.time.Duration.ofMillis(50))).isFalse();
            assertThat(hierarchy.findParent(tenant)).isPresent();
        }
        ending.join();
        assertThat(hierarchy.findParent(tenant)).isEmpty();
    }

    @Test
    void the_lock_of_tenants_is_closed_to_others_and_no_link() throws IOException {
        Path lock = directory.resolve("state/tenants");
        groups.create(spec(BOUNDED), FIRST);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(lock)))
                .isEqualTo("rw-------");

        Files.delete(lock);
        Files.createSymbolicLink(
                lock, Files.createFile(directory.resolve("state/other")).getFileName());
        assertThatThrownBy(() -> groups.create(spec(BOUNDED), SECOND)).hasMessageContaining("ELOOP");
        Files.delete(lock);
        groups.remove(FIRST);
        groups.undo(FIRST);
    }

    // ---- of engines that were killed

    private static ContainerRecord record(String id, String parent) {
        return new ContainerRecord(
                id,
                "web",
                "host",
                parent,
                1,
                1,
                0,
                0,
                1,
                1,
                List.of(),
                List.of(),
                List.of("true"),
                Map.of(),
                15,
                10_000,
                new PlanRecord(0x7000_0000, List.of(), 1, 1, 1, List.of(), List.of(), ""));
    }

    @Test
    void what_a_container_left_goes_wherever_it_stands_and_nothing_else() {
        hierarchy.createParent(USERS, Limits.defaults());
        for (String each : List.of(FIRST, SECOND)) {
            hierarchy.create(own, each, Limits.defaults());
            hierarchy.create(USERS, each, Limits.defaults());
            hierarchy.create(tenant, each, Limits.defaults());
        }
        state.save(record(FIRST, USERS), () -> {});

        groups.clear(FIRST);

        for (String parent : List.of(own, USERS, tenant)) {
            assertThat(stands(parent, FIRST)).as(parent).isFalse();
            assertThat(stands(parent, SECOND)).as(parent).isTrue();
        }
        groups.clear(SECOND);
        assertThat(stands(own, SECOND)).isFalse();
        assertThat(stands(USERS, SECOND))
                .as("no record says that it stands there")
                .isTrue();
        assertThat(hierarchy.findParent(tenant)).as("the last of it has gone").isEmpty();
        assertThat(hierarchy.findParent(USERS)).isPresent();
    }

    @Test
    void the_groups_of_gates_go_with_those_of_their_containers() {
        var gates = new GateGroups(hierarchy, directory.resolve("state"), own);
        state.announce(FIRST);
        for (String each : List.of(FIRST, SECOND)) {
            hierarchy.create(own, each, Limits.defaults());
            gates.make(new Placement.Standard(), new ContainerId(each), Limits.defaults());
            assertThat(stands(own, each + ".gate")).isTrue();
        }
        gates.make(new Placement.Standard(), new ContainerId(FIRST), Limits.defaults()); // as after a kill
        hierarchy.create(own, "no-container.gate", Limits.defaults());

        groups.clearUnrecorded();

        assertThat(stands(own, FIRST + ".gate")).isTrue();
        assertThat(stands(own, SECOND + ".gate")).isFalse();
        assertThat(stands(own, "no-container.gate")).isTrue();
        groups.clear(FIRST);
        assertThat(stands(own, FIRST + ".gate")).isFalse();
    }

    @Test
    void the_last_gates_take_their_tenant_s_group_along_and_make_none() {
        var payer = new Placement.Tenant("payer", Optional.of(Limits.unlimited()));
        var gates = new GateGroups(hierarchy, directory.resolve("state"), own);
        String parent = groups.parent(payer);
        var id = new ContainerId(FIRST);

        assertThatThrownBy(() -> gates.make(payer, id, Limits.defaults()))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("has no control group");
        assertThat(hierarchy.findParent(parent)).isEmpty();
        hierarchy.create(parent, FIRST, Limits.defaults());
        gates.make(payer, id, Limits.defaults());
        groups.clear(FIRST);
        assertThat(hierarchy.findParent(parent)).isEmpty();

        hierarchy.create(parent, FIRST, Limits.defaults());
        gates.make(payer, id, Limits.defaults());
        hierarchy.find(parent, FIRST).orElseThrow().remove();
        assertThat(hierarchy.findParent(parent)).isPresent();
        gates.remove(payer, id);
        assertThat(hierarchy.findParent(parent)).isEmpty();
    }

    @Test
    void a_group_that_is_no_tenants_is_not_looked_into() {
        String other = own + "/other";
        hierarchy.create(other, FIRST, Limits.defaults());
        try {
            groups.clear(FIRST);
            groups.clearUnrecorded();

            assertThat(stands(other, FIRST)).isTrue();
        } finally {
            hierarchy.removeStale(other, _ -> true);
            hierarchy.removeParent(other);
        }
    }

    @Test
    void a_group_that_no_record_tells_of_goes_and_a_tenant_without_one() {
        state.announce(FIRST);
        hierarchy.create(own, FIRST, Limits.defaults());
        hierarchy.create(own, SECOND, Limits.defaults());
        hierarchy.create(tenant, THIRD, Limits.defaults());
        hierarchy.create(own, "no-container", Limits.defaults());

        groups.clearUnrecorded();

        assertThat(stands(own, FIRST)).isTrue();
        assertThat(stands(own, SECOND)).isFalse();
        assertThat(stands(own, "no-container")).isTrue();
        assertThat(hierarchy.findParent(tenant)).isEmpty();
    }

    @Test
    void a_tenant_with_a_container_on_record_stays() {
        state.announce(THIRD);
        hierarchy.create(tenant, SECOND, Limits.defaults());
        hierarchy.create(tenant, THIRD, Limits.defaults());

        groups.clearUnrecorded();

        assertThat(stands(tenant, THIRD)).isTrue();
        assertThat(stands(tenant, SECOND)).isFalse();
    }
}
