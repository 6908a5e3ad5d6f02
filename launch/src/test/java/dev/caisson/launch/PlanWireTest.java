package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import dev.caisson.text.AddressText;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Every field of every step reaches init, and both sides of the wire mean the same numbers.
class PlanWireTest {
    private static final Pattern CONSTANT = Pattern.compile("\\b([A-Z][A-Z0-9_]+) = (\\d+)");

    private static Object other(Object value) {
        return switch (value) {
            case Integer number -> number + 1;
            case Long number -> number + 1;
            case Boolean flag -> !flag;
            case String text -> text + "x";
            case Slot slot -> new Slot(slot.index() + 1);
            case InRootPath path -> InRootPath.of(path.relative() + "x");
            case CapabilitySet set -> new CapabilitySet(set.mask() ^ 1);
            case Rlimit limit ->
                new Rlimit(
                        limit.resource(), limit.soft(), limit.hard() == Rlimit.UNLIMITED ? 1L << 40 : Rlimit.UNLIMITED);
            case DeviceNode node -> new DeviceNode(node.kind(), node.major(), node.minor() + 1);
            case FilterProgram program ->
                new FilterProgram(Arrays.copyOf(program.bytes(), program.bytes().length - 8), program.summary());
            case InetAddress address ->
                AddressText.parse(AddressText.of(address) + "7").orElseThrow();
            case NetlinkRequests _ -> Samples.requests(5);
            case Enum<?> constant ->
                Arrays.stream(constant.getDeclaringClass().getEnumConstants())
                        .filter(each -> each != constant)
                        .findFirst()
                        .orElseThrow();
            case List<?> list -> list.isEmpty() ? List.of() : list.subList(1, list.size());
            default -> throw new IllegalArgumentException(value.getClass() + " has no other value here");
        };
    }

    /// The same step with one component changed.
    private static Step changed(Step step, RecordComponent component) throws ReflectiveOperationException {
        RecordComponent[] all = step.getClass().getRecordComponents();
        Object[] values = new Object[all.length];
        for (int i = 0; i < all.length; i++) {
            Object value = all[i].getAccessor().invoke(step);
            values[i] = all[i].getName().equals(component.getName()) ? other(value) : value;
        }
        var types = Arrays.stream(all).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return (Step) step.getClass().getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            throw new AssertionError(component + " of " + step, e.getCause());
        }
    }

    @Test
    void every_component_of_every_step_is_carried() throws ReflectiveOperationException {
        Set<String> seen = new HashSet<>();
        for (LaunchPlan plan : PlanCodecTest.plans().toList()) {
            for (int i = 0; i < plan.steps().size(); i++) {
                Step step = plan.steps().get(i);
                for (RecordComponent component : step.getClass().getRecordComponents()) {
                    Step different = changed(step, component);
                    if (different.equals(step)
                            || different.phase() != step.phase() // a phase is where the step stands
                            || (different instanceof Step.Execute run && run.idle() && !run.initStays())) {
                        continue; // the one that is idle is a child of an init
                    }
                    var steps = new ArrayList<>(plan.steps());
                    steps.set(i, different);
                    var other = new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);

                    assertThat(PlanDecoder.steps(PlanCodec.encode(other)).get(i))
                            .as("%s of %s", component, step)
                            .isEqualTo(different);
                    seen.add(step.getClass().getSimpleName() + "." + component.getName());
                }
            }
        }
        for (Class<?> kind : Step.class.getPermittedSubclasses()) {
            for (RecordComponent component : kind.getRecordComponents()) {
                // no launch sets a domain name; for what enters a container see ExecPlanTest
                if (kind != Step.SetDomainName.class
                        && kind != Step.EnterNamespaces.class
                        && kind != Step.ServeFiles.class
                        && kind != Step.Done.class
                        && kind != Step.LendNetlink.class
                        && kind != Step.LendSysctl.class
                        && !component.getName().equals("early")) {
                    assertThat(seen).contains(kind.getSimpleName() + "." + component.getName());
                }
            }
        }
    }

    @Test
    void each_half_of_a_limit_and_of_a_device_is_carried() {
        LaunchPlan plan = Samples.plan();
        int at = plan.steps().indexOf(plan.all(Step.SetResourceLimit.class).getFirst());
        for (Rlimit.Resource resource : Rlimit.Resource.values()) {
            for (Rlimit limit : List.of(
                    new Rlimit(resource, 1, 2),
                    new Rlimit(resource, 0, Rlimit.UNLIMITED),
                    new Rlimit(resource, Rlimit.UNLIMITED, Rlimit.UNLIMITED))) {
                assertThat(carried(plan, at, new Step.SetResourceLimit(limit)))
                        .isEqualTo(new Step.SetResourceLimit(limit));
            }
        }
        for (var kind : dev.caisson.spec.DeviceRule.Kind.values()) {
            var place = new Step.PlaceDevice(new Slot(7), new DeviceNode(kind, 258, 70000), InRootPath.of("dev/x"));
            assertThat(carried(plan, at, place)).isEqualTo(place);
        }
        for (int bits = 0; bits < 16; bits++) {
            for (KernelFileSystem kind : KernelFileSystem.values()) {
                var mount = new Step.MountFileSystem(
                        kind, MountFlag.of(bits), 0700 + bits, 1L << 33, 5, InRootPath.of("x"));
                assertThat(carried(plan, at, mount)).isEqualTo(mount);
            }
        }
    }

    private static Step carried(LaunchPlan plan, int at, Step step) {
        var steps = new ArrayList<>(plan.steps());
        steps.set(at, step);
        var other = new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);
        return PlanDecoder.steps(PlanCodec.encode(other)).get(at);
    }

    private static Map<String, Integer> header() throws IOException {
        String text = Files.readString(
                Path.of(System.getProperty("caisson.root", ".."), "native", "plan.h"), StandardCharsets.UTF_8);
        var constants = new HashMap<String, Integer>();
        CONSTANT.matcher(text)
                .results()
                .forEach(found -> constants.put(found.group(1), Integer.parseInt(found.group(2))));
        return constants;
    }

    @Test
    void the_numbers_are_those_of_the_native_header() throws IOException {
        Map<String, Integer> header = header();
        Map<MountFlag, String> flags = Map.of(
                MountFlag.READ_ONLY,
                "MOUNT_RDONLY",
                MountFlag.NO_SETUID,
                "MOUNT_NOSUID",
                MountFlag.NO_DEVICES,
                "MOUNT_NODEV",
                MountFlag.NO_EXECUTION,
                "MOUNT_NOEXEC");

        for (MountFlag flag : MountFlag.values()) {
            assertThat(header.get(flags.get(flag))).as(flag.name()).isEqualTo(flag.bit());
        }
        for (KernelFileSystem kind : KernelFileSystem.values()) {
            assertThat(header.get("FS_" + kind.name())).as(kind.name()).isEqualTo(kind.number());
        }
        for (Device device : Device.values()) {
            assertThat(header.get("DEVICE_" + device.name())).as(device.name()).isEqualTo(device.number());
        }
        for (var kind : dev.caisson.spec.DeviceRule.Kind.values()) {
            assertThat(header.get("DEVICE_" + kind.name())).isEqualTo(new DeviceNode(kind, 1, 1).wireKind());
        }
        for (Opcode opcode : Opcode.values()) {
            assertThat(header.get("OP_" + opcode.name())).as(opcode.name()).isEqualTo(opcode.number());
        }
    }

    @Test
    void flags_are_spelled_as_mountinfo_spells_them() {
        assertThat(Arrays.stream(MountFlag.values()).map(MountFlag::option))
                .containsExactly("ro", "nosuid", "nodev", "noexec");
    }

    @Test
    void namespaces_are_the_kernel_s() {
        Map<Namespace, Long> flags = Map.of(
                Namespace.USER,
                0x10000000L,
                Namespace.MOUNT,
                0x20000L,
                Namespace.PID,
                0x20000000L,
                Namespace.NETWORK,
                0x40000000L,
                Namespace.IPC,
                0x08000000L,
                Namespace.UTS,
                0x04000000L,
                Namespace.CGROUP,
                0x02000000L,
                Namespace.TIME,
                0x80L);
        flags.forEach((namespace, flag) ->
                assertThat(namespace.cloneFlag()).as(namespace.name()).isEqualTo(flag));
        assertThat(Arrays.stream(Namespace.values()).map(Namespace::link))
                .containsExactly("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time");
    }
}
