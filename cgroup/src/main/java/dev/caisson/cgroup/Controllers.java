package dev.caisson.cgroup;

import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The controllers of a machine, wherever each of them is mounted.
final class Controllers {
    private static final String CPUSET = "cpuset";
    private static final String HUGETLB = "hugetlb";
    private static final String CPUACCT = "cpuacct";

    private final Map<String, Tree> byName = new LinkedHashMap<>();
    private final @Nullable Tree unified;
    private final @Nullable MemoryController memory;
    private final @Nullable CpuController cpu;
    private final @Nullable PidsController pids;
    private final @Nullable IoController io;
    private final @Nullable CpusetController cpuset;
    private final @Nullable HugePageController hugePages;
    private final @Nullable DeviceController devices;

    Controllers(List<Tree> trees) {
        Tree two = null;
        for (Tree tree : trees) {
            tree.controllers().forEach(name -> byName.putIfAbsent(name, tree));
            two = tree.isUnified() ? tree : two;
        }
        unified = two;
        memory = memory(byName.get("memory"));
        cpu = cpu(byName.get("cpu"));
        io = io(byName.get("blkio"), byName.get("io"));
        Tree tree = byName.get("pids");
        pids = tree == null ? null : new PidsController(tree);
        tree = byName.get(CPUSET);
        cpuset = tree == null ? null : new CpusetController(tree);
        tree = byName.get(HUGETLB);
        hugePages = tree == null ? null : HugePageController.of(tree);
        devices = devices(byName.get(DeviceController.NAME), unified);
    }

    private static @Nullable MemoryController memory(@Nullable Tree tree) {
        if (tree == null) {
            return null;
        }
        return tree.isUnified()
                ? new MemoryController.V2(tree)
                : new MemoryController.V1(
                        tree, tree.find("", MemoryController.V1.SOCKETS_LIMIT).isPresent());
    }

    private static @Nullable CpuController cpu(@Nullable Tree tree) {
        if (tree == null) {
            return null;
        }
        return tree.isUnified() ? new CpuController.V2(tree) : new CpuController.V1(tree);
    }

    private static @Nullable IoController io(@Nullable Tree one, @Nullable Tree two) {
        if (one != null) {
            return new IoController.V1(one);
        }
        return two == null ? null : new IoController.V2(two);
    }

    private static @Nullable DeviceController devices(@Nullable Tree one, @Nullable Tree two) {
        if (one != null) {
            return new DeviceController.V1(one);
        }
        return two == null ? null : new DeviceController.V2(two);
    }

    @Nullable
    MemoryController memory() {
        return memory;
    }

    @Nullable
    CpuController cpu() {
        return cpu;
    }

    @Nullable
    PidsController pids() {
        return pids;
    }

    @Nullable
    IoController io() {
        return io;
    }

    @Nullable
    DeviceController devices() {
        return devices;
    }

    /// The unified tree, which can kill, freeze and measure without any controller.
    @Nullable
    Tree unified() {
        return unified;
    }

    /// The tree that has the controller of this name.
    @Nullable
    Tree tree(String name) {
        return byName.get(name);
    }

    Set<String> names() {
        return new TreeSet<>(byName.keySet());
    }

    private Stream<Controller> present() {
        return Stream.of(memory, cpu, pids, io, cpuset, hugePages)
                .filter(controller -> controller != null)
                .map(Controller.class::cast);
    }

    /// The writes that put `limits` in force in a group of `parent`, also those of values that a new group has already.
    List<Setting> settings(Limits limits, String parent) {
        return present()
                .flatMap(controller -> controller.settings(limits, parent).stream())
                .toList();
    }

    /// Returns what of `limits` cannot be enforced in a group of `parent`.
    List<Lack> lacks(Limits limits, String parent) {
        var lacks = new ArrayList<Lack>();
        require(lacks, memory, MemoryController.NAME, "memory", MemoryController.isNeeded(limits));
        require(lacks, cpu, CpuController.NAME, "cpu", CpuController.isNeeded(limits));
        require(lacks, pids, PidsController.NAME, "pids", PidsController.isNeeded(limits));
        require(lacks, io, IoController.NAME, "io", IoController.isNeeded(limits));
        require(lacks, cpuset, CpusetController.CPUS, CPUSET, CpusetController.isNeeded(limits));
        require(lacks, hugePages, HugePageController.NAME, HUGETLB, HugePageController.isNeeded(limits));
        if (devices == null && limits.devices().isPresent()) {
            lacks.add(new Lack(DeviceController.NAME, "the kernel has no tree of control groups that knows devices"));
        }
        present()
                .flatMap(controller -> controller.lacks(limits, parent).stream())
                .forEach(lacks::add);
        return lacks;
    }

    private static void require(
            List<Lack> lacks, @Nullable Controller controller, String limit, String name, boolean isNeeded) {
        if (isNeeded && controller == null) {
            lacks.add(new Lack(limit, "the kernel has no " + name + " controller or it is switched off"));
        }
    }

    /// Returns the controllers that a group with `limits` uses. A tree of version 1 that would limit nothing is left
    /// out, because each costs a launch its share; in the unified tree, `io` measures at no cost.
    ///
    /// On version 1, `cpuset` and `cpuacct` are always used: a JVM reads its memory and CPU limits only if it
    /// finds both mounted beside `memory` and `cpu` (HotSpot, cgroupSubsystem_linux.cpp).
    Set<String> used(Limits limits) {
        var used = new LinkedHashSet<>(List.of("memory", "cpu", "pids", "io"));
        if (IoController.isNeeded(limits)) {
            used.add("blkio");
        }
        if (CpusetController.isNeeded(limits)) {
            used.add(CPUSET);
        }
        if (hugePages != null && hugePages.isUsed(limits)) {
            used.add(HUGETLB);
        }
        if (limits.devices().isPresent()) {
            used.add(DeviceController.NAME);
        }
        if (unified == null) { // which needs no controller to count CPU time or to freeze
            used.addAll(List.of(CPUACCT, "freezer"));
        }
        if (isVersionOne("memory") || isVersionOne("cpu")) {
            used.addAll(List.of(CPUSET, CPUACCT));
        }
        used.retainAll(byName.keySet());
        return used;
    }

    private boolean isVersionOne(String controller) {
        Tree tree = byName.get(controller);
        return tree != null && !tree.isUnified();
    }

    /// The trees that have those controllers, and the unified one.
    List<Tree> trees(Set<String> controllers) {
        var trees = new LinkedHashSet<Tree>();
        controllers.forEach(name -> {
            Tree tree = byName.get(name);
            if (tree != null) {
                trees.add(tree);
            }
        });
        if (unified != null) {
            trees.add(unified);
        }
        return List.copyOf(trees);
    }

    /// Refuses limits that contradict each other or that nothing here enforces, unless they ask for best effort.
    /// @return what cannot be enforced
    List<Lack> check(Limits limits, String parent) {
        limits.check();
        List<Lack> lacks = lacks(limits, parent);
        if (!lacks.isEmpty() && !limits.bestEffort()) {
            throw CgroupException.unenforceable(lacks.getFirst());
        }
        return lacks;
    }
}
