package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Devices of the host, from the wish to the plan.
class HostDeviceTest {
    private static final Set<Access> ALL = EnumSet.allOf(Access.class);

    private static HostDevice device(String source, String target, Set<Access> access) {
        return new HostDevice(Path.of(source), InRootPath.parse(target), access);
    }

    private static ContainerSpec allowed(HostDevice... devices) {
        ContainerSpec spec = Samples.spec().allow(Allowance.HOST_DEVICES);
        for (HostDevice device : devices) {
            spec = spec.device(device);
        }
        return spec;
    }

    private static void assertFinding(String code, ContainerSpec wish) {
        assertThat(Samples.check(wish, Samples.host()))
                .extracting(Finding::code)
                .containsExactly(code);
    }

    private static void assertRefused(String code, ContainerSpec wish) {
        assertThatThrownBy(() -> Samples.approve(wish, Samples.host()))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void a_device_needs_its_allowance_whatever_else_is_allowed() {
        ContainerSpec wish = Samples.spec().device(device("/dev/fuse", "/dev/fuse", ALL));
        ContainerSpec others = wish.privileged(true);
        for (Allowance allowance : EnumSet.complementOf(EnumSet.of(Allowance.HOST_DEVICES))) {
            others = others.allow(allowance);
        }

        assertFinding("ALLOWANCE_NEEDED", wish);
        assertFinding("ALLOWANCE_NEEDED", others);
        assertThat(Samples.check(wish.allow(Allowance.HOST_DEVICES), Samples.host()))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/dev",
                "/etc/fuse",
                "/device",
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/random",
                "/dev/urandom",
                "/dev/tty",
                "/dev/console",
                "/dev/ptmx",
                "/dev/pts",
                "/dev/pts/0",
                "/dev/shm/x",
                "/dev/mqueue/x",
                "/dev/fd/3",
                "/dev/stdin",
                "/dev/stdout",
                "/dev/stderr",
                "/dev/null/x"
            })
    void a_device_stands_below_dev_and_over_nothing_of_the_engine(String target) {
        assertFinding("DEVICE_TARGET", allowed(device("/dev/fuse", target, ALL)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/fuse", "/dev/nullish", "/dev/net/tun", "/dev/ttyUSB0", "/dev/shmem"})
    void other_names_below_dev_are_free(String target) {
        assertThat(Samples.check(allowed(device("/dev/fuse", target, ALL)), Samples.host()))
                .isEmpty();
    }

    @Test
    void wishes_that_contradict_themselves_are_refused() {
        HostDevice fuse = device("/dev/fuse", "/dev/a", ALL);

        assertFinding("OPTIONS_CONTRADICT", allowed(fuse, device("/dev/sda", "/dev/a", ALL)));
        assertFinding("OPTIONS_CONTRADICT", allowed(fuse, device("/dev/sda", "/dev/a/b", ALL)));
        assertFinding("OPTIONS_CONTRADICT", allowed(device("/dev/sda", "/dev/a/b", ALL), fuse));
        assertFinding(
                "OPTIONS_CONTRADICT", allowed(fuse).limits(Limits.defaults().bestEffort(true)));
        assertFinding("DEVICE_ACCESS", allowed(device("/dev/fuse", "/dev/a", Set.of())));
        assertFinding("DEVICE_SOURCE", allowed(device("dev/fuse", "/dev/a", ALL)));
        assertFinding("DEVICE_SOURCE", allowed(device("/dev/../dev/fuse", "/dev/a", ALL)));
        ContainerSpec many = allowed();
        for (int i = 0; i < 16; i++) {
            many = many.device(device("/dev/fuse", "/dev/f" + i, ALL));
        }
        assertThat(Samples.check(many, Samples.host())).isEmpty();
        many = many.device(device("/dev/fuse", "/dev/f16", ALL));
        assertFinding("DEVICES_TOO_MANY", many);
        assertThat(Samples.check(Samples.spec().limits(Limits.defaults().bestEffort(true)), Samples.host()))
                .isEmpty();
    }

    @Test
    void what_is_no_device_of_this_host_is_refused(@TempDir Path directory) throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);

        for (Path path : List.of(file, link, directory, directory.resolve("absent"))) {
            assertRefused("DEVICE_SOURCE", allowed(device(path.toString(), "/dev/x", ALL)));
        }
    }

    @Test
    void devices_that_every_container_has_are_not_given(@TempDir Path directory) throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("innocent"), Path.of("/dev/zero"));

        for (String path : List.of("/dev/zero", "/dev/tty", link.toString())) {
            assertRefused("DEVICE_STANDARD", allowed(device(path, "/dev/x", Set.of(Access.READ))));
        }
        Files.delete(link);
    }

    @Test
    void a_link_is_followed_for_good(@TempDir Path directory) throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("/dev/zero"));

        ContainerSpec wish = allowed(device(link.toString(), "/dev/x", ALL));
        HostObjects objects = HostObjects.of(wish);
        Files.delete(link);

        assertThat(objects.devices())
                .containsExactly(entry(
                        link,
                        new HostObjects.Device.Node(
                                Path.of("/dev/zero"), new DeviceNode(DeviceRule.Kind.CHARACTER, 1, 5))));
    }

    @Test
    void two_places_of_one_device_have_the_same_access() {
        ContainerSpec same = allowed(device("/dev/fuse", "/dev/a", ALL), device("/dev/fuse", "/dev/b", ALL));
        ContainerSpec other =
                allowed(device("/dev/fuse", "/dev/a", ALL), device("/dev/fuse", "/dev/b", Set.of(Access.READ)));

        assertThat(Samples.approve(same, Samples.host()).nodes()).hasSize(2);
        assertRefused("OPTIONS_CONTRADICT", other);
    }

    @Test
    void exactly_the_access_that_was_given_becomes_a_rule_beside_those_that_were_asked_for() {
        ContainerSpec wish = allowed(
                        device("/dev/fuse", "/dev/fuse", Set.of(Access.READ, Access.WRITE)),
                        device("/dev/sda", "/dev/sda", Set.of(Access.READ)))
                .limits(Limits.defaults().devices(DeviceRule.parse("c 1:11 w")));

        List<DeviceRule> rules =
                Samples.approve(wish, Samples.host()).spec().limits().devices().orElseThrow();

        assertThat(rules)
                .filteredOn(rule -> !rule.isStandard())
                .map(DeviceRule::toString)
                .containsExactlyInAnyOrder("c 10:229 rw", "b 8:0 r", "c 1:11 w");
        assertThat(Samples.approve(Samples.spec(), Samples.host())
                        .spec()
                        .limits()
                        .devices())
                .isEmpty();
    }

    @Test
    void the_plan_says_which_device_stands_where_and_by_which_rule() {
        LaunchPlan plan = Samples.plan(allowed(device("/dev/sda", "/dev/disk/a", Set.of(Access.READ))), Samples.host());

        assertThat(PlanText.lines(plan))
                .extracting(PlanText.Line::text)
                .contains("null zero full random urandom tty; host /dev/sda at /dev/disk/a, by the rule b 8:0 r");
        assertThat(plan.only(Step.PlaceDevice.class).node()).hasToString("b 8:0");
    }

    @Test
    void a_plan_places_a_device_only_below_dev_and_only_the_one_of_its_slot() {
        LaunchPlan plan = Samples.plan(allowed(device("/dev/sda", "/dev/sda", ALL)), Samples.host());
        Step.PlaceDevice good = plan.only(Step.PlaceDevice.class);
        var other = new DeviceNode(DeviceRule.Kind.BLOCK, 8, 1);
        Slot bind = plan.slot(SlotSource.Cover.class, 0);

        for (Step bad : List.of(
                new Step.PlaceDevice(good.slot(), good.node(), InRootPath.of("dev")),
                new Step.PlaceDevice(good.slot(), good.node(), InRootPath.of("etc/sda")),
                new Step.PlaceDevice(good.slot(), good.node(), InRootPath.of("device/sda")),
                new Step.PlaceDevice(good.slot(), other, good.target()),
                new Step.PlaceDevice(bind, good.node(), good.target()))) {
            var steps = new ArrayList<>(plan.steps());
            steps.set(steps.indexOf(good), bad);
            var broken = new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);

            assertThatIllegalStateException().isThrownBy(() -> PlanRules.verify(broken));
        }
    }
}
