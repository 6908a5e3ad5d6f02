package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.WorkspaceName;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What stands of a container while its files are served: its root, mounts, ids and groups, and nothing that runs.
class FilesPlanTest {
    private static final Rlimit FILE_SIZE = new Rlimit(Rlimit.Resource.FSIZE, 1 << 20, 1 << 20);
    private static final ContainerSpec SPEC =
            Samples.spec().rlimit(FILE_SIZE).rlimit(new Rlimit(Rlimit.Resource.NOFILE, 64, 64));
    private static final Set<String> KEPT = Set.of(
            "Seal",
            "JoinCgroup",
            "Mapped",
            "AttachRoot",
            "MountSlot",
            "CgroupNamespace",
            "MakePrivate",
            "Pivot",
            "MakeRootReadOnly",
            "VerifyMounts",
            "SetOomScoreAdjustment");
    private static final List<MountFlag> INERT =
            List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);

    private static LaunchPlan plan(ContainerSpec spec) {
        return Samples.plan(spec, Samples.hybridHost());
    }

    private static List<Step> kept(LaunchPlan plan) {
        return plan.steps().stream()
                .filter(step -> KEPT.contains(step.getClass().getSimpleName()))
                .toList();
    }

    @Test
    void of_the_steps_those_of_root_mounts_and_ids_stay_as_they_are() {
        LaunchPlan container = plan(SPEC.readOnlyRoot(true));
        LaunchPlan files = FilesPlan.of(container);

        assertThat(kept(files)).isEqualTo(kept(container));
        assertThat(kept(files))
                .extracting(step -> step.getClass().getSimpleName())
                .contains(KEPT.toArray(String[]::new));
        assertThat(files.ids()).isEqualTo(container.ids());
        assertThat(files.root()).isEqualTo(container.root());
        assertThat(files.slots()).isEqualTo(container.slots());
        assertThat(files.links()).isEmpty();
        assertThat(files.all(Step.SetResourceLimit.class)).containsExactly(new Step.SetResourceLimit(FILE_SIZE));
    }

    @Test
    void nothing_of_the_program_is_left() {
        LaunchPlan files = FilesPlan.of(plan(SPEC));

        assertThat(files.steps())
                .noneMatch(step -> step instanceof Step.Execute
                        || step instanceof Step.Ready
                        || step instanceof Step.InstallFilter
                        || step instanceof Step.WriteFile
                        || step instanceof Step.BindDevice
                        || step instanceof Step.Mask
                        || step instanceof Step.SetSysctl
                        || step instanceof Step.SetHostName
                        || step instanceof Step.RaiseLoopback);
        List<Step> steps = files.steps();
        assertThat(steps.getLast()).isEqualTo(new Step.ServeFiles(Optional.empty(), InRootPath.of("")));
        assertThat(steps.get(steps.size() - 2)).isInstanceOf(Step.SetPrivileges.class);
        int own = steps.indexOf(new Step.CgroupNamespace());
        assertThat(steps.get(own + 1)).isEqualTo(new Step.NoNewPrivileges());
    }

    /// Of the places where a start mounts something else, what lies in another is not made.
    @Test
    void places_of_other_file_systems_are_empty_and_read_only() {
        LaunchPlan container =
                plan(SPEC.mount(new Mount.Tmpfs(InRootPath.of("srv/own"), new Bytes(1 << 20), 01770, false, false)));
        LaunchPlan files = FilesPlan.of(container);

        var outermost = new ArrayList<Step.MountFileSystem>();
        for (Step.MountFileSystem mount : container.all(Step.MountFileSystem.class)) {
            if (mount.fileSystem() != KernelFileSystem.PROC
                    && outermost.stream().noneMatch(other -> mount.target().isWithin(other.target()))) {
                outermost.add(mount);
            }
        }
        assertThat(outermost)
                .hasSizeLessThan(container.all(Step.MountFileSystem.class).size() - 1);
        assertThat(files.all(Step.MountFileSystem.class))
                .filteredOn(mount -> mount.fileSystem() != KernelFileSystem.PROC)
                .containsExactlyElementsOf(outermost.stream()
                        .map(mount -> new Step.MountFileSystem(
                                KernelFileSystem.TMPFS,
                                INERT,
                                mount.mode() == 0 ? 0555 : mount.mode(),
                                4096,
                                64,
                                mount.target()))
                        .toList());
        assertThat(outermost).extracting(Step.MountFileSystem::mode).contains(0, 01770);
        assertThat(files.all(Step.MountFileSystem.class))
                .filteredOn(mount -> mount.fileSystem() == KernelFileSystem.PROC)
                .containsExactlyElementsOf(container.all(Step.MountFileSystem.class).stream()
                        .filter(mount -> mount.fileSystem() == KernelFileSystem.PROC)
                        .toList());
        List<Step> steps = files.steps();
        int verified = steps.indexOf(new Step.VerifyMounts());
        assertThat(steps.subList(verified - outermost.size(), verified))
                .containsExactlyElementsOf(outermost.stream()
                        .map(mount -> new Step.MakeReadOnly(mount.target()))
                        .toList());
        assertThat(files.all(Step.MakeReadOnly.class)).hasSameSizeAs(outermost);
    }

    @Test
    void the_service_has_a_network_namespace_of_its_own_in_any_case() {
        LaunchPlan container = plan(SPEC);
        Set<Namespace> without = EnumSet.copyOf(container.namespaces());
        without.remove(Namespace.NETWORK);
        var ofHost = new LaunchPlan(
                container.ids(), without, container.root(), container.slots(), container.links(), container.steps());

        assertThat(FilesPlan.of(ofHost).namespaces())
                .isEqualTo(container.namespaces())
                .contains(Namespace.NETWORK);
    }

    // ---- a workspace alone

    @Test
    void of_a_workspace_there_are_the_root_and_the_shared_mounts() {
        LaunchPlan holder =
                plan(SPEC.mount(new Mount.Workspace(new WorkspaceName("work"), InRootPath.of("work"), false)));
        LaunchPlan files = FilesPlan.of(holder, InRootPath.of("work"));

        assertThat(files.all(Step.MountSlot.class))
                .singleElement()
                .satisfies(mount -> assertThat(mount.target()).isEqualTo(InRootPath.of("work")));
        assertThat(holder.all(Step.MountSlot.class)).hasSizeGreaterThan(1);
        assertThat(files.all(Step.MountFileSystem.class))
                .singleElement()
                .satisfies(mount -> assertThat(mount.fileSystem()).isEqualTo(KernelFileSystem.PROC));
        assertThat(files.all(Step.MakeReadOnly.class)).isEmpty();
        assertThat(files.all(Step.SetPrivileges.class)).hasSize(1);
        assertThat(files.only(Step.ServeFiles.class))
                .isEqualTo(new Step.ServeFiles(Optional.empty(), InRootPath.of("work")));
        assertThat(files.steps().getLast()).isInstanceOf(Step.ServeFiles.class);
        assertThat(files.all(Step.AttachRoot.class)).isEqualTo(holder.all(Step.AttachRoot.class));
        assertThat(files.all(Step.SetResourceLimit.class)).hasSize(1);
        assertThat(files.all(Step.VerifyMounts.class)).hasSize(1);
    }

    // ---- whom it runs as

    private static Step.SetPrivileges privileges(int uid, Capability... bounding) {
        CapabilitySet set = CapabilitySet.NONE;
        for (Capability capability : bounding) {
            set = set.with(capability);
        }
        LaunchPlan container = plan(SPEC);
        List<Step> steps = new ArrayList<>();
        CapabilitySet all = set;
        container
                .steps()
                .forEach(step -> steps.add(
                        step instanceof Step.SetPrivileges
                                ? new Step.SetPrivileges(all, CapabilitySet.NONE, uid, 1001, List.of(5, 44))
                                : step));
        return FilesPlan.privileges(container.with(steps));
    }

    private static CapabilitySet set(Capability... capabilities) {
        CapabilitySet set = CapabilitySet.NONE;
        for (Capability capability : capabilities) {
            set = set.with(capability);
        }
        return set;
    }

    @Test
    void it_is_root_where_that_may_pass_over_permissions() {
        assertThat(privileges(1000, Capability.DAC_OVERRIDE, Capability.CHOWN, Capability.NET_RAW, Capability.KILL))
                .isEqualTo(new Step.SetPrivileges(
                        set(Capability.DAC_OVERRIDE, Capability.CHOWN),
                        set(Capability.DAC_OVERRIDE, Capability.CHOWN),
                        0,
                        0,
                        List.of()));
    }

    @Test
    void else_it_is_the_programs_user_who_has_capabilities_only_as_root() {
        assertThat(privileges(1000, Capability.CHOWN, Capability.SETUID))
                .isEqualTo(
                        new Step.SetPrivileges(set(Capability.CHOWN), CapabilitySet.NONE, 1000, 1001, List.of(5, 44)));
        assertThat(privileges(0, Capability.FOWNER))
                .isEqualTo(new Step.SetPrivileges(
                        set(Capability.FOWNER), set(Capability.FOWNER), 0, 1001, List.of(5, 44)));
    }
}
