package dev.caisson.launch;

import dev.caisson.spec.InRootPath;
import java.util.ArrayList;
import java.util.List;

/// The control groups that a container sees below /sys/fs/cgroup: its own, read-only. Runtimes such as
/// HotSpot, .NET, Go and Node read their memory and CPU limits there.
///
/// On version 1, each tree is mounted under its own name; a tree with several controllers also has a link for each of
/// them, as on the host.
record CgroupView(List<KernelFileSystem> trees) {
    private static final String DIRECTORY = "sys/fs/cgroup";
    private static final int PAGE = 4096;
    private static final int FILES = 64;
    private static final List<MountFlag> INERT =
            List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);
    private static final List<MountFlag> READ_ONLY =
            List.of(MountFlag.READ_ONLY, MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);

    CgroupView {
        trees = List.copyOf(trees);
    }

    private boolean isUnified() {
        return trees.equals(List.of(KernelFileSystem.CGROUP2));
    }

    /// Returns the mounts, with the directory that holds those of version 1.
    List<Step> mounts() {
        if (isUnified()) {
            return List.of(mount(KernelFileSystem.CGROUP2, DIRECTORY));
        }
        var steps = new ArrayList<Step>();
        if (!trees.isEmpty()) {
            steps.add(new Step.MountFileSystem(
                    KernelFileSystem.TMPFS, INERT, 0755, PAGE, FILES, InRootPath.of(DIRECTORY)));
        }
        trees.forEach(tree -> steps.add(mount(tree, DIRECTORY + "/" + tree.kernelName())));
        return steps;
    }

    private static Step mount(KernelFileSystem tree, String target) {
        return new Step.MountFileSystem(tree, READ_ONLY, 0, 0, 0, InRootPath.of(target));
    }

    /// Returns the links to trees that have several controllers.
    List<Step> links() {
        var steps = new ArrayList<Step>();
        for (KernelFileSystem tree : trees) {
            String[] controllers = tree.kernelName().split(",", -1);
            for (int i = 0; controllers.length > 1 && i < controllers.length; i++) {
                steps.add(
                        new Step.MakeSymbolicLink(tree.kernelName(), InRootPath.of(DIRECTORY + "/" + controllers[i])));
            }
        }
        return steps;
    }

    /// Returns what takes away writing to the directory of version 1, once everything is in it.
    List<Step> protections() {
        return isUnified() || trees.isEmpty() ? List.of() : List.of(new Step.MakeReadOnly(InRootPath.of(DIRECTORY)));
    }
}
