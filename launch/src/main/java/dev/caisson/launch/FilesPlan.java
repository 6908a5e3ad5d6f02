package dev.caisson.launch;

import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Plans the file service of a container that does not run: a launch with the container's root, volumes,
/// ids and groups, and no program.
///
/// A place where a start mounts a file system of its own holds nothing yet, and what is written there would
/// not be there after the start: it is an empty directory that is read-only. `/proc` is mounted, because
/// init reads there what it has.
public final class FilesPlan {
    private static final List<Capability> CAPABILITIES = List.of(
            Capability.CHOWN,
            Capability.DAC_OVERRIDE,
            Capability.DAC_READ_SEARCH,
            Capability.FOWNER,
            Capability.FSETID);
    private static final List<MountFlag> INERT =
            List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);
    private static final int PAGE = 4096;
    private static final int FILES = 64;

    private FilesPlan() {}

    /// Makes the plan. Its slots are the container's, of which it uses those for groups and mounts.
    public static LaunchPlan of(LaunchPlan container) {
        var steps = new ArrayList<Step>();
        var empty = new ArrayList<InRootPath>();
        for (Step step : container.steps()) {
            switch (step) {
                case Step.Seal _, Step.JoinCgroup _, Step.Mapped _, Step.AttachRoot _, Step.MountSlot _ ->
                    steps.add(step);
                case Step.CgroupNamespace _ -> {
                    steps.add(step);
                    steps.add(new Step.NoNewPrivileges());
                }
                case Step.MountFileSystem mount -> mount(mount, steps, empty);
                case Step.MakePrivate _, Step.Pivot _, Step.MakeRootReadOnly _ -> steps.add(step);
                case Step.VerifyMounts _ -> {
                    empty.forEach(path -> steps.add(new Step.MakeReadOnly(path)));
                    steps.add(step);
                }
                case Step.SetResourceLimit limit
                when limit.limit().resource() == Rlimit.Resource.FSIZE -> steps.add(limit);
                case Step.SetOomScoreAdjustment _ -> steps.add(step);
                default -> {}
            }
        }
        return served(container, steps, InRootPath.of(""));
    }

    private static LaunchPlan served(LaunchPlan container, List<Step> steps, InRootPath root) {
        steps.add(privileges(container));
        steps.add(new Step.ServeFiles(Optional.empty(), root));
        Set<Namespace> own = EnumSet.copyOf(container.namespaces());
        own.add(Namespace.NETWORK); // also if the container has that of the host: the service needs none
        return new LaunchPlan(container.ids(), own, container.root(), container.slots(), steps);
    }

    /// Plans the service of a workspace alone, for which no container was planned but `holder`: of its mounts there are
    /// the root and the workspaces, and only what is below `target` is served.
    public static LaunchPlan of(LaunchPlan holder, InRootPath target) {
        var steps = new ArrayList<Step>();
        for (Step step : of(holder).steps()) {
            boolean left = switch (step) {
                case Step.MakeReadOnly _, Step.ServeFiles _, Step.SetPrivileges _ -> true;
                case Step.MountFileSystem mount -> mount.fileSystem() != KernelFileSystem.PROC;
                case Step.MountSlot mount -> !(holder.slots().get(mount.slot().index()) instanceof SlotSource.Shared);
                default -> false;
            };
            if (!left) {
                steps.add(step);
            }
        }
        return served(holder, steps, target);
    }

    private static void mount(Step.MountFileSystem mount, List<Step> steps, List<InRootPath> empty) {
        if (mount.fileSystem() == KernelFileSystem.PROC) {
            steps.add(mount);
        } else if (empty.stream().noneMatch(mount.target()::isWithin)) {
            int mode = mount.mode() == 0 ? 0555 : mount.mode();
            steps.add(new Step.MountFileSystem(KernelFileSystem.TMPFS, INERT, mode, PAGE, FILES, mount.target()));
            empty.add(mount.target());
        }
    }

    /// Returns whom a file service runs as: the container's root if that may pass over permissions, else its program's
    /// user, with the capabilities that files need among those that the container may have.
    static Step.SetPrivileges privileges(LaunchPlan container) {
        Step.SetPrivileges own = container.only(Step.SetPrivileges.class);
        CapabilitySet bounding = CapabilitySet.NONE;
        for (Capability capability : CAPABILITIES) {
            bounding = own.bounding().contains(capability) ? bounding.with(capability) : bounding;
        }
        boolean root = bounding.contains(Capability.DAC_OVERRIDE);
        return new Step.SetPrivileges(
                bounding,
                root || own.uid() == 0 ? bounding : CapabilitySet.NONE,
                root ? 0 : own.uid(),
                root ? 0 : own.gid(),
                root ? List.of() : own.supplementaryGroups());
    }
}
