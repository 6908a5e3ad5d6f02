package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.TerminalSize;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What each part of a wish and each fact of a host changes in a plan, and that it changes nothing else.
class PlannerTest {
    private static final Step HOSTNAME_FILE = new Step.WriteFile(0644, InRootPath.of("etc/hostname"), "0123456789ab\n");
    private static final Step HOSTS_FILE = new Step.WriteFile(
            0644,
            InRootPath.of("etc/hosts"),
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t0123456789ab\n");
    static final long SHM = 64 << 20;

    /// @param gone steps of the plain plan that the changed one lacks
    /// @param come steps that it has more
    record Change(String what, UnaryOperator<ContainerSpec> wish, List<Step> gone, List<Step> come) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Change adds(String what, UnaryOperator<ContainerSpec> wish, Step... come) {
        return new Change(what, wish, List.of(), List.of(come));
    }

    private static Change replaces(String what, UnaryOperator<ContainerSpec> wish, Step gone, Step come) {
        return new Change(what, wish, List.of(gone), List.of(come));
    }

    private static Change removes(String what, UnaryOperator<ContainerSpec> wish, Step... gone) {
        return new Change(what, wish, List.of(gone), List.of());
    }

    private static <S extends Step> S plain(Class<S> kind) {
        return Samples.plan().only(kind);
    }

    static Step tmpfs(List<MountFlag> flags, int mode, long bytes, long inodes, String target) {
        return new Step.MountFileSystem(KernelFileSystem.TMPFS, flags, mode, bytes, inodes, InRootPath.of(target));
    }

    static Mount.Tmpfs tmpfs(boolean readOnly, boolean executable) {
        return new Mount.Tmpfs(InRootPath.of("scratch"), Bytes.mebibytes(2), 0750, readOnly, executable);
    }

    static Stream<Change> changes() {
        return Stream.of(mounts(), files(), privileges(), program()).flatMap(List::stream);
    }

    private static List<Change> mounts() {
        MountFlag suid = MountFlag.NO_SETUID;
        MountFlag dev = MountFlag.NO_DEVICES;
        MountFlag exec = MountFlag.NO_EXECUTION;
        long bytes = 2 << 20;
        return List.of(
                adds(
                        "a tmpfs",
                        spec -> spec.mount(tmpfs(false, false)),
                        tmpfs(List.of(suid, dev, exec), 0750, bytes, 512, "scratch")),
                adds(
                        "a read-only tmpfs",
                        spec -> spec.mount(tmpfs(true, false)),
                        tmpfs(List.of(MountFlag.READ_ONLY, suid, dev, exec), 0750, bytes, 512, "scratch")),
                adds(
                        "a tmpfs with programs",
                        spec -> spec.mount(tmpfs(false, true)),
                        tmpfs(List.of(suid, dev), 0750, bytes, 512, "scratch")),
                adds(
                        "a read-only tmpfs with programs",
                        spec -> spec.mount(tmpfs(true, true)),
                        tmpfs(List.of(MountFlag.READ_ONLY, suid, dev), 0750, bytes, 512, "scratch")),
                adds(
                        "a tiny tmpfs",
                        spec -> spec.mount(new Mount.Tmpfs(InRootPath.of("a"), Bytes.of(4096), 01777, false, true)),
                        tmpfs(List.of(suid, dev), 01777, 4096, 16, "a")),
                adds(
                        "a huge tmpfs",
                        spec -> spec.mount(
                                new Mount.Tmpfs(InRootPath.of("a"), Bytes.gibibytes(64), 01777, false, true)),
                        tmpfs(List.of(suid, dev), 01777, 64L << 30, 1 << 20, "a")),
                replaces(
                        "shared memory",
                        spec -> spec.sharedMemory(Bytes.mebibytes(1)),
                        tmpfs(List.of(suid, dev, exec), 01777, SHM, SHM / 4096, "dev/shm"),
                        tmpfs(List.of(suid, dev, exec), 01777, 1 << 20, 256, "dev/shm")),
                adds("a read-only root", spec -> spec.readOnlyRoot(true), new Step.MakeRootReadOnly()),
                removes(
                        "the host's IPC",
                        spec -> spec.allow(Allowance.HOST_IPC).share(ContainerSpec.SharedNamespace.IPC),
                        new Step.MountFileSystem(
                                KernelFileSystem.MQUEUE,
                                List.of(suid, dev, exec),
                                0,
                                0,
                                0,
                                InRootPath.of("dev/mqueue"))),
                removes(
                        "the host's UTS",
                        spec -> spec.allow(Allowance.HOST_UTS).share(ContainerSpec.SharedNamespace.UTS),
                        new Step.SetHostName("0123456789ab")));
    }

    private static Change volume(String target, Step... gone) {
        var volume = new Mount.Tmpfs(InRootPath.of(target), Bytes.of(4096), 0, false, true);
        Step mount = tmpfs(List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES), 0, 4096, 16, target);
        return new Change("a volume at " + target, spec -> spec.mount(volume), List.of(gone), List.of(mount));
    }

    private static List<Change> files() {
        return List.of(
                volume("etc/hostname", HOSTNAME_FILE),
                volume("etc/hosts", HOSTS_FILE),
                volume("etc", HOSTNAME_FILE, HOSTS_FILE),
                volume("etc2"),
                volume("etc/x"),
                volume("etc/hostname/x"),
                replaces(
                        "a working directory",
                        spec -> spec.workingDirectory("/work/x"),
                        new Step.MakeDirectory(0755, InRootPath.of("srv")),
                        new Step.MakeDirectory(0755, InRootPath.of("work/x"))),
                removes(
                        "the root as working directory",
                        spec -> spec.workingDirectory("/"),
                        new Step.MakeDirectory(0755, InRootPath.of("srv"))));
    }

    private static List<Change> privileges() {
        return List.of(
                adds(
                        "a sysctl",
                        spec -> spec.sysctl("net.ipv4.ip_forward", "1"),
                        new Step.SetSysctl(InRootPath.of("net/ipv4/ip_forward"), "1")),
                replaces(
                        "a sysctl that is set anyway",
                        spec -> spec.sysctl("net.ipv4.ip_unprivileged_port_start", "80"),
                        new Step.SetSysctl(InRootPath.of("net/ipv4/ip_unprivileged_port_start"), "0"),
                        new Step.SetSysctl(InRootPath.of("net/ipv4/ip_unprivileged_port_start"), "80")),
                replaces(
                        "an OOM score",
                        spec -> spec.oomScoreAdjustment(700),
                        new Step.SetOomScoreAdjustment(500),
                        new Step.SetOomScoreAdjustment(700)),
                adds(
                        "a process limit",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.STACK, 1, 2)),
                        new Step.SetResourceLimit(new Rlimit(Rlimit.Resource.STACK, 1, 2))),
                replaces(
                        "a process limit that is set anyway",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.CORE, 1, 2)),
                        new Step.SetResourceLimit(new Rlimit(Rlimit.Resource.CORE, 1, 1)),
                        new Step.SetResourceLimit(new Rlimit(Rlimit.Resource.CORE, 1, 2))),
                replaces(
                        "a capability less",
                        spec -> spec.dropCapabilities(Set.of(Capability.KILL)),
                        plain(Step.SetPrivileges.class),
                        privileges(CapabilitySet.STANDARD.without(Capability.KILL))),
                replaces(
                        "a capability more",
                        spec -> spec.addCapabilities(Set.of(Capability.IPC_LOCK)),
                        plain(Step.SetPrivileges.class),
                        privileges(CapabilitySet.STANDARD.with(Capability.IPC_LOCK))),
                adds(
                        "a terminal",
                        spec -> spec.terminal(new TerminalSize(24, 80)),
                        new Step.OpenConsole(24, 80, 1000, 1001)),
                adds(
                        "a device",
                        spec -> spec.allow(Allowance.HOST_DEVICES)
                                .device(new HostDevice(
                                        Path.of("/dev/fuse"), InRootPath.of("dev/x"), Set.of(Access.READ))),
                        new Step.PlaceDevice(
                                new Slot(9),
                                new DeviceNode(DeviceRule.Kind.CHARACTER, 10, 229),
                                InRootPath.of("dev/x"))));
    }

    static Step privileges(CapabilitySet bounding) {
        return new Step.SetPrivileges(bounding, CapabilitySet.NONE, 1000, 1001, List.of(5, 44));
    }

    private static List<Change> program() {
        return List.of(
                adds("an interactive run", spec -> spec.interactive(true)),
                adds("a name", spec -> spec.name("box")),
                adds("a label", spec -> spec.label("a", "b")));
    }

    /// The root's slot moves when there are more slots before it; the program's own line is looked at by itself.
    private static List<Step> compared(LaunchPlan plan) {
        return plan.steps().stream()
                .filter(step -> !(step instanceof Step.AttachRoot
                        || step instanceof Step.Execute
                        || step instanceof Step.Ready))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("changes")
    void each_part_of_a_wish_changes_these_steps_and_no_others(Change change) {
        List<Step> plain = compared(Samples.plan());
        List<Step> changed = compared(Samples.plan(change.wish().apply(Samples.spec()), Samples.host()));
        var gone = new ArrayList<>(plain);
        var come = new ArrayList<>(changed);
        gone.removeAll(changed);
        come.removeAll(plain);

        assertThat(gone).containsExactlyInAnyOrderElementsOf(change.gone());
        assertThat(come).containsExactlyInAnyOrderElementsOf(change.come());
        assertThat(changed).hasSize(plain.size() - gone.size() + come.size());
    }
}
