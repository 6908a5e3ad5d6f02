package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.TerminalSize;
import dev.caisson.spec.WritableLayer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What stands in a plan whatever was wished for, and what follows from the host and the image.
class PlannedStepsTest {
    private static Mount.Bind bind(String target, boolean readOnly, boolean file) {
        return new Mount.Bind(Path.of(file ? "/etc/passwd" : "/tmp"), InRootPath.of(target), readOnly, file);
    }

    @Test
    void the_kernel_s_file_systems_stand_with_these_flags() {
        List<MountFlag> inert = List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);
        List<MountFlag> readOnly =
                List.of(MountFlag.READ_ONLY, MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);
        List<MountFlag> devices = List.of(MountFlag.NO_SETUID, MountFlag.NO_EXECUTION);

        assertThat(Samples.plan().all(Step.MountFileSystem.class))
                .containsExactly(
                        kernel(KernelFileSystem.PROC, inert, "proc"),
                        kernel(KernelFileSystem.SYSFS, readOnly, "sys"),
                        kernel(KernelFileSystem.CGROUP2, readOnly, "sys/fs/cgroup"),
                        (Step.MountFileSystem) PlannerTest.tmpfs(devices, 0755, 1 << 20, 512, "dev"),
                        kernel(KernelFileSystem.DEVPTS, devices, "dev/pts"),
                        (Step.MountFileSystem)
                                PlannerTest.tmpfs(inert, 01777, PlannerTest.SHM, PlannerTest.SHM / 4096, "dev/shm"),
                        kernel(KernelFileSystem.MQUEUE, inert, "dev/mqueue"));
        assertThat(Samples.plan(Samples.spec(), Samples.hybridHost()).all(Step.MountFileSystem.class))
                .contains(
                        (Step.MountFileSystem) PlannerTest.tmpfs(inert, 0755, 4096, 64, "sys/fs/cgroup"),
                        kernel(KernelFileSystem.CGROUP1_MEMORY, readOnly, "sys/fs/cgroup/memory"),
                        kernel(KernelFileSystem.CGROUP1_PIDS, readOnly, "sys/fs/cgroup/pids"))
                .doesNotContain(kernel(KernelFileSystem.CGROUP2, readOnly, "sys/fs/cgroup"));
        assertThat(Samples.plan(Samples.spec(), Samples.hybridHost()).all(Step.MakeReadOnly.class))
                .contains(new Step.MakeReadOnly(InRootPath.of("sys/fs/cgroup")));
        assertThat(Samples.plan().all(Step.MakeReadOnly.class))
                .doesNotContain(new Step.MakeReadOnly(InRootPath.of("sys/fs/cgroup")));
    }

    private static Step.MountFileSystem kernel(KernelFileSystem kind, List<MountFlag> flags, String target) {
        return new Step.MountFileSystem(kind, flags, 0, 0, 0, InRootPath.of(target));
    }

    @Test
    void what_tells_about_the_host_is_masked_and_what_steers_it_is_read_only() {
        LaunchPlan plan = Samples.plan();

        assertThat(plan.all(Step.Mask.class).stream().map(mask -> mask.path().absolute()))
                .containsExactly(
                        "/proc/acpi",
                        "/proc/asound",
                        "/proc/interrupts",
                        "/proc/kcore",
                        "/proc/keys",
                        "/proc/latency_stats",
                        "/proc/locks",
                        "/proc/sched_debug",
                        "/proc/scsi",
                        "/proc/timer_list",
                        "/proc/timer_stats",
                        "/sys/devices/virtual/powercap",
                        "/sys/firmware");
        assertThat(plan.all(Step.MakeReadOnly.class).stream()
                        .map(make -> make.path().absolute()))
                .containsExactly(
                        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/pressure", "/proc/sys", "/proc/sysrq-trigger");
        assertThat(plan.all(Step.SetSysctl.class))
                .containsExactly(
                        new Step.SetSysctl(InRootPath.of("net/ipv4/ping_group_range"), "0 65535"),
                        new Step.SetSysctl(InRootPath.of("net/ipv4/ip_unprivileged_port_start"), "0"),
                        new Step.SetSysctl(InRootPath.of("user/max_user_namespaces"), "0"));
    }

    @Test
    void the_links_of_dev_lead_to_the_standard_streams_and_the_terminal() {
        assertThat(Samples.plan().all(Step.MakeSymbolicLink.class))
                .containsExactly(
                        link("pts/ptmx", "ptmx"),
                        link("/proc/self/fd", "fd"),
                        link("/proc/self/fd/0", "stdin"),
                        link("/proc/self/fd/1", "stdout"),
                        link("/proc/self/fd/2", "stderr"));
        assertThat(Samples.plan().all(Step.BindDevice.class))
                .extracting(Step.BindDevice::device)
                .containsExactly(Device.values());
    }

    private static Step.MakeSymbolicLink link(String target, String name) {
        return new Step.MakeSymbolicLink(target, InRootPath.of("dev/" + name));
    }

    @Test
    void every_kind_of_protection_is_in_a_plain_plan() {
        for (Class<? extends Step> kind : List.of(
                Step.NoNewPrivileges.class,
                Step.MakePrivate.class,
                Step.CgroupNamespace.class,
                Step.VerifyMounts.class,
                Step.RaiseLoopback.class,
                Step.SetHostName.class,
                Step.JoinKeyring.class,
                Step.RestrictScope.class,
                Step.InstallFilter.class)) {
            assertThat(Samples.plan().has(kind)).as(kind.getSimpleName()).isTrue();
        }
        assertThat(Samples.plan().namespaces()).containsExactlyInAnyOrder(Namespace.values());
        assertThat(Samples.plan().only(Step.RestrictScope.class).scopes()).isEqualTo(3);
    }

    @Test
    void privileges_that_are_given_up_are_those_that_were_asked_for() {
        LaunchPlan privileged = Samples.plan(
                Samples.spec().allow(Allowance.PRIVILEGED).privileged(true).seccomp(new SeccompChoice.Unconfined()),
                Samples.host());
        LaunchPlan open =
                Samples.plan(Samples.spec().allow(Allowance.NEW_PRIVILEGES).newPrivileges(true), Samples.host());

        assertThat(privileged.only(Step.SetPrivileges.class).bounding()).isEqualTo(CapabilitySet.ALL);
        assertThat(privileged.has(Step.Mask.class)).isFalse();
        assertThat(privileged.has(Step.MakeReadOnly.class)).isFalse();
        assertThat(privileged.has(Step.InstallFilter.class)).isFalse();
        assertThat(privileged.has(Step.NoNewPrivileges.class)).isTrue();
        assertThat(privileged.all(Step.SetSysctl.class))
                .noneMatch(set -> set.name().relative().startsWith("user/"));
        assertThat(privileged.namespaces()).containsExactlyInAnyOrder(Namespace.values());
        assertThat(open.has(Step.NoNewPrivileges.class)).isFalse();
        assertThat(open.has(Step.RestrictScope.class)).isFalse();
        assertThat(open.only(Step.InstallFilter.class).early()).isTrue();
        assertThat(open.has(Step.Mask.class)).isTrue();
        assertThat(Samples.plan().only(Step.InstallFilter.class).early()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(ContainerSpec.SharedNamespace.class)
    void a_shared_namespace_is_the_only_one_that_is_not_its_own(ContainerSpec.SharedNamespace shared) {
        var expected = EnumSet.allOf(Namespace.class);
        expected.remove(Namespace.valueOf(shared.name()));

        ContainerSpec spec = Samples.spec()
                .allow(Allowance.HOST_IPC)
                .allow(Allowance.HOST_UTS)
                .share(shared);

        assertThat(Samples.plan(spec, Samples.host()).namespaces()).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(Planner.namespaces(Samples.approve(spec, Samples.host()), Samples.host()))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static HostFacts host(int landlock, boolean time, Map<Rlimit.Resource, Long> hard, boolean cloneInto) {
        HostFacts host = Samples.host();
        return new HostFacts(
                host.kernel(),
                host.architecture(),
                host.effectiveUid(),
                host.capabilities(),
                hard,
                host.oomScoreAdjustment(),
                landlock,
                time,
                host.cgroupMounts(),
                host.cgroupJoins(),
                cloneInto,
                host.layerMedia());
    }

    @Test
    void what_the_kernel_lacks_is_not_planned() {
        Map<Rlimit.Resource, Long> hard = Samples.host().hardLimits();

        assertThat(Samples.plan(Samples.spec(), host(5, true, hard, true)).has(Step.RestrictScope.class))
                .isFalse();
        assertThat(Samples.plan(Samples.spec(), host(6, true, hard, true)).has(Step.RestrictScope.class))
                .isTrue();
        assertThat(Samples.plan(Samples.spec(), host(6, false, hard, true)).namespaces())
                .doesNotContain(Namespace.TIME)
                .hasSize(7);
        assertThat(Samples.plan(Samples.spec(), host(6, true, hard, false)).slots())
                .doesNotContain(new SlotSource.CgroupDirectory());
        assertThat(Samples.plan().slots()).contains(new SlotSource.CgroupDirectory());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100, 1024, 4000, Rlimit.UNLIMITED})
    void limits_of_a_program_are_never_above_the_engine_s_own(long most) {
        var hard = new EnumMap<Rlimit.Resource, Long>(Samples.host().hardLimits());
        hard.put(Rlimit.Resource.NOFILE, most);
        hard.put(Rlimit.Resource.SIGPENDING, most);
        hard.put(Rlimit.Resource.CORE, most);
        for (Step.SetResourceLimit set :
                Samples.plan(Samples.spec(), host(6, true, hard, true)).all(Step.SetResourceLimit.class)) {
            Rlimit planned = set.limit();
            Rlimit free =
                    Samples.plan(Samples.spec(), host(6, true, Map.of(), true))
                            .all(Step.SetResourceLimit.class)
                            .stream()
                            .map(Step.SetResourceLimit::limit)
                            .filter(limit -> limit.resource() == planned.resource())
                            .findFirst()
                            .orElseThrow();
            boolean bounded = most != Rlimit.UNLIMITED;

            assertThat(planned.hard()).isEqualTo(bounded ? Math.min(free.hard(), most) : free.hard());
            assertThat(planned.soft()).isEqualTo(bounded ? Math.min(free.soft(), most) : free.soft());
        }
    }

    @Test
    void a_program_gets_these_limits_unless_others_are_asked_for() {
        assertThat(Samples.plan().all(Step.SetResourceLimit.class))
                .extracting(Step.SetResourceLimit::limit)
                .containsExactly(
                        new Rlimit(Rlimit.Resource.NOFILE, 1024, 65_536),
                        new Rlimit(Rlimit.Resource.CORE, 1, 1),
                        new Rlimit(Rlimit.Resource.SIGPENDING, 4096, 4096));
    }

    @Test
    void each_directory_of_the_image_is_mounted_from_its_own_slot() {
        RootImage image = Samples.image();
        var two = new RootImage(
                image.layers(),
                List.of(bind("usr", true, false), bind("opt", true, false), bind("lib", true, false)),
                image.entrypoint(),
                image.command(),
                image.environment(),
                image.workingDirectory(),
                image.user());
        LaunchPlan plan = plan(two, Samples.host());

        assertThat(plan.all(Step.MountSlot.class))
                .containsExactly(
                        new Step.MountSlot(plan.slot(SlotSource.Cover.class, 0), false, InRootPath.of("usr")),
                        new Step.MountSlot(plan.slot(SlotSource.Cover.class, 1), false, InRootPath.of("opt")),
                        new Step.MountSlot(plan.slot(SlotSource.Cover.class, 2), false, InRootPath.of("lib")));
    }

    @Test
    void a_plan_that_breaks_a_rule_is_not_returned() {
        HostFacts host =
                Samples.hybridHost().withCgroups(Collections.nCopies(1024, KernelFileSystem.CGROUP1_MEMORY), List.of());

        assertThatIllegalStateException()
                .isThrownBy(() -> plan(Samples.image(), host))
                .withMessageContaining("at most 1024 steps");
    }

    private static LaunchPlan plan(RootImage image, HostFacts host) {
        return Planner.plan(
                Samples.approve(Samples.spec(), host),
                image,
                host,
                Optional.of(Samples.filter()),
                new IdRange(IdRange.FIRST, IdRange.WIDTH),
                Samples.ID);
    }

    @Test
    void slots_stand_in_this_order() {
        ContainerSpec spec = Samples.spec()
                .mount(bind("data", false, false))
                .mount(PlannerTest.tmpfs(false, false))
                .mount(bind("file", true, true))
                .allow(Allowance.HOST_PATHS)
                .allow(Allowance.HOST_DEVICES)
                .device(new HostDevice(Path.of("/dev/fuse"), InRootPath.of("dev/fuse"), Set.of(Access.READ)));
        LaunchPlan plan = Samples.plan(spec, Samples.hybridHost());

        assertThat(plan.slots())
                .containsExactly(
                        new SlotSource.Plan(),
                        new SlotSource.Control(),
                        new SlotSource.Stream(0),
                        new SlotSource.Stream(1),
                        new SlotSource.Stream(2),
                        new SlotSource.CgroupTasks(0),
                        new SlotSource.CgroupTasks(1),
                        new SlotSource.Layer(0),
                        new SlotSource.Layer(1),
                        new SlotSource.Cover(0, Path.of("/usr")),
                        new SlotSource.Bind(0, Path.of("/tmp"), false),
                        new SlotSource.Bind(1, Path.of("/etc/passwd"), true),
                        new SlotSource.Device(
                                0,
                                Path.of("/dev/fuse"),
                                plan.only(Step.PlaceDevice.class).node(),
                                Set.of(Access.READ)),
                        new SlotSource.Root());
        assertThat(plan.all(Step.JoinCgroup.class))
                .containsExactly(new Step.JoinCgroup(new Slot(5)), new Step.JoinCgroup(new Slot(6)));
        assertThat(plan.all(Step.MountSlot.class))
                .containsExactly(
                        new Step.MountSlot(new Slot(9), false, InRootPath.of("usr")),
                        new Step.MountSlot(new Slot(10), false, InRootPath.of("data")),
                        new Step.MountSlot(new Slot(11), true, InRootPath.of("file")));
        assertThat(plan.only(Step.AttachRoot.class).slot()).isEqualTo(new Slot(13));
    }

    @Test
    void a_layer_on_disk_has_a_slot_and_its_sizes_are_those_asked_for() {
        HostFacts host = Samples.host().withLayerMedia(Set.of(LayerMedium.MEMORY, LayerMedium.PROJECT));
        WritableLayer asked = WritableLayer.STANDARD.size(Bytes.mebibytes(8)).inodes(77);
        LaunchPlan plan = Samples.plan(Samples.spec().writableLayer(asked), host);

        assertThat(plan.root()).isEqualTo(new LaunchPlan.RootAssembly(2, 8 << 20, 77));
        assertThat(plan.slots()).contains(new SlotSource.Upper(LayerMedium.PROJECT));
        assertThat(Samples.plan().slots()).noneMatch(SlotSource.Upper.class::isInstance);
    }

    @Test
    void the_program_is_what_wish_and_image_say() {
        ContainerSpec spec = Samples.spec()
                .terminal(new TerminalSize(1, 2))
                .init(false)
                .hostName("box")
                .workingDirectory("/work")
                .environment("LANG", "de")
                .environment("A", "b");
        LaunchPlan plan = Samples.plan(spec, Samples.host());
        String path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

        assertThat(plan.only(Step.Execute.class))
                .isEqualTo(new Step.Execute(
                        false,
                        true,
                        path,
                        List.of("true", "--flag"),
                        List.of("PATH=" + path, "HOSTNAME=box", "TERM=xterm", "HOME=/home/user", "LANG=de", "A=b")));
        assertThat(plan.only(Step.Ready.class)).isEqualTo(new Step.Ready("/work"));
        assertThat(plan.only(Step.SetHostName.class)).isEqualTo(new Step.SetHostName("box"));
        assertThat(plan.all(Step.WriteFile.class))
                .containsExactly(
                        new Step.WriteFile(0644, InRootPath.of("etc/hostname"), "box\n"),
                        new Step.WriteFile(
                                0644,
                                InRootPath.of("etc/hosts"),
                                "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\tbox\n"));
        assertThat(Samples.plan().only(Step.Execute.class).initStays()).isTrue();
        assertThat(Samples.plan().only(Step.Execute.class).controllingTerminal())
                .isFalse();
        assertThat(Samples.plan().only(Step.Ready.class)).isEqualTo(new Step.Ready("/srv"));
    }

    @Test
    void a_program_of_root_keeps_what_it_is_given() {
        RootImage image = Samples.image();
        var root = new RootImage(
                image.layers(),
                image.binds(),
                image.entrypoint(),
                image.command(),
                image.environment(),
                image.workingDirectory(),
                new RootImage.ProgramUser(0, 0, List.of(), "/root"));
        LaunchPlan plan = plan(root, Samples.host());

        assertThat(plan.only(Step.SetPrivileges.class))
                .isEqualTo(new Step.SetPrivileges(CapabilitySet.STANDARD, CapabilitySet.STANDARD, 0, 0, List.of()));
        assertThat(Samples.plan().only(Step.SetPrivileges.class))
                .isEqualTo(PlannerTest.privileges(CapabilitySet.STANDARD));
    }

    @Test
    void no_program_and_a_directory_below_proc_are_refused() {
        RootImage image = Samples.image();
        var user = image.user();
        var nothing = new RootImage(1, List.of(), List.of(), List.of(), List.of(), "", user);
        var inProc = new RootImage(1, List.of(), List.of(), List.of("sh"), List.of(), "/proc/self/fd/7", user);

        assertRefused("PROGRAM_MISSING", ContainerSpec.of(dev.caisson.image.Image.host()), nothing);
        assertRefused("PROGRAM_MISSING", ContainerSpec.of(dev.caisson.image.Image.host(), ""), image);
        assertRefused("WORKING_DIRECTORY", Samples.spec(), inProc);
    }

    private static void assertRefused(String code, ContainerSpec spec, RootImage image) {
        assertThatThrownBy(() -> Planner.plan(
                        Samples.approve(spec, Samples.host()),
                        image,
                        Samples.host(),
                        Optional.of(Samples.filter()),
                        new IdRange(IdRange.FIRST, IdRange.WIDTH),
                        Samples.ID))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
