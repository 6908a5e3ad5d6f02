package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The trees of control groups that this machine has, and what each of them can enforce. Holds one open directory for
/// each tree; every group is reached from there, so that a path of the host is resolved once.
public final class Hierarchy implements AutoCloseable {

    /// How a machine has its controllers.
    public enum World {
        /// Each controller in a tree of its own.
        V1,
        /// Controllers in trees of their own, with the unified tree beside them for kill, freeze and pressure.
        HYBRID,
        /// Every controller in the unified tree.
        V2
    }

    private static final Pattern GROUP_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");

    private final List<Tree> trees;
    private final Map<String, Tree> byController;
    private final @Nullable Tree unified;
    private final @Nullable MemoryController memory;
    private final @Nullable CpuController cpu;
    private final @Nullable PidsController pids;
    private final Set<String> preparedParents = ConcurrentHashMap.newKeySet();

    Hierarchy(List<Tree> trees) {
        this.trees = List.copyOf(trees);
        this.byController = new LinkedHashMap<>();
        Tree two = null;
        for (Tree tree : trees) {
            tree.controllers().forEach(controller -> byController.putIfAbsent(controller, tree));
            if (tree.isUnified()) {
                two = tree;
            }
        }
        this.unified = two;
        Tree tree = byController.get("memory");
        this.memory =
                tree == null ? null : tree.isUnified() ? new MemoryController.V2(tree) : new MemoryController.V1(tree);
        tree = byController.get("cpu");
        this.cpu = tree == null ? null : tree.isUnified() ? new CpuController.V2(tree) : new CpuController.V1(tree);
        tree = byController.get("pids");
        this.pids = tree == null ? null : new PidsController(tree);
    }

    /// Looks at what is mounted in this mount namespace. Each mount point is opened and asked for its type, because
    /// the table also lists mounts that later ones hide.
    /// @throws CgroupException NOT_MOUNTED
    public static Hierarchy detect() {
        try {
            return of(Mounts.parse(Files.readString(Path.of("/proc/self/mountinfo"))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Hierarchy of(List<Mounts.Mount> mounts) {
        var trees = new ArrayList<Tree>();
        var taken = new LinkedHashSet<String>();
        try {
            for (Mounts.Mount mount : mounts) {
                Optional<Tree> tree = Tree.open(mount, taken);
                tree.ifPresent(trees::add);
                tree.ifPresent(found -> taken.addAll(found.isUnified() ? Set.of(Tree.UNIFIED) : found.controllers()));
            }
            if (trees.isEmpty()) {
                throw new CgroupException(
                        Code.NOT_MOUNTED,
                        "No control groups are mounted; mount them with: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
            }
            return new Hierarchy(trees);
        } catch (RuntimeException e) {
            trees.forEach(Tree::close);
            throw e;
        }
    }

    public World world() {
        if (unified == null) {
            return World.V1;
        }
        return trees.size() == 1 ? World.V2 : World.HYBRID;
    }

    /// The controllers that are there, by the kernel's names.
    public Set<String> controllers() {
        return new TreeSet<>(byController.keySet());
    }

    /// The controllers of each v1 tree that [Cgroup#joinFds] gives a descriptor of, in that order.
    public List<Set<String>> joins() {
        return joined().stream()
                .filter(tree -> !tree.isUnified())
                .map(Tree::controllers)
                .map(Set::copyOf)
                .toList();
    }

    /// True where [Cgroup#cloneInto] gives a directory.
    public boolean hasUnified() {
        return unified != null;
    }

    /// Refuses limits that contradict each other or that this machine has nothing to enforce with, by name.
    public void check(Limits limits) {
        limits.check();
        if (memory == null && MemoryController.isNeeded(limits)) {
            throw unenforceable(MemoryController.NAME, "the kernel has no memory controller or it is switched off");
        }
        if (cpu == null && CpuController.isNeeded(limits)) {
            throw unenforceable(CpuController.NAME, "the kernel has no cpu controller or it is switched off");
        }
        if (pids == null && PidsController.isNeeded(limits)) {
            throw unenforceable(PidsController.NAME, "the kernel has no pids controller or it is switched off");
        }
        if (memory instanceof MemoryController.V1
                && limits.memory().isUnlimited()
                && !limits.swap().isUnlimited()
                && Kernel.HAS_SWAP) {
            throw unenforceable(
                    MemoryController.SWAP, "control groups v1 cannot forbid swap where memory has no limit");
        }
    }

    private static CgroupException unenforceable(String limit, String reason) {
        return new CgroupException(
                Code.UNENFORCEABLE, "The limit " + limit + " cannot be enforced here: " + reason + ".");
    }

    /// Makes a group with all limits in force, or leaves nothing.
    ///
    /// @param parent path of the group that holds it, such as `caisson`; made where it is missing
    /// @param name of the group, unique in its parent
    /// @throws CgroupException ALREADY_EXISTS, UNENFORCEABLE, KERNEL_REFUSED, or what [Limits#check] refuses
    public Cgroup create(String parent, String name, Limits limits) {
        checkPath(parent);
        checkName(name);
        check(limits);
        List<Setting> settings = settings(limits);
        List<Tree> joined = joined();
        String group = parent + "/" + name;
        prepare(parent, joined);
        try {
            make(group, joined);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw refused("making the group " + group, e);
            }
            preparedParents.remove(parent); // somebody removed it since
            prepare(parent, joined);
            make(group, joined);
        }
        try {
            settings.forEach(setting -> apply(setting, group));
        } catch (CgroupException e) {
            undo(group, joined, e);
            throw e;
        }
        return new Cgroup(this, group, joined);
    }

    private static void apply(Setting setting, String group) {
        try {
            setting.tree().write(group, setting.file(), setting.value());
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                throw unenforceable(
                        setting.limit(),
                        "this kernel has no " + setting.file()
                                + (setting.limit().equals(MemoryController.SWAP)
                                        ? "; boot it with swapaccount=1, or allow swap without end"
                                        : ""));
            }
            throw refused(
                    setting.value() + " for " + setting.file() + " of " + group + ", which sets the limit "
                            + setting.limit() + "; a group above may allow less",
                    e);
        }
    }

    private static CgroupException refused(String what, ErrnoException cause) {
        return new CgroupException(
                Code.KERNEL_REFUSED, "The kernel refused " + what + " (" + Errno.name(cause.errno()) + ").", cause);
    }

    private void make(String group, List<Tree> joined) {
        var made = new ArrayList<Tree>();
        try {
            for (Tree tree : joined) {
                tree.make(group);
                made.add(tree);
            }
        } catch (ErrnoException e) {
            undo(group, made, e);
            if (e.is(Errno.EEXIST)) {
                throw new CgroupException(
                        Code.ALREADY_EXISTS,
                        "The group " + group + " exists already; give another name or remove it first.",
                        e);
            }
            throw e;
        }
    }

    private static void undo(String group, List<Tree> made, RuntimeException failure) {
        for (Tree tree : made.reversed()) {
            try {
                tree.remove(group);
            } catch (ErrnoException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /// The writes that put `limits` in force in a new group.
    List<Setting> settings(Limits limits) {
        var settings = new ArrayList<Setting>();
        if (memory != null) {
            settings.addAll(memory.settings(limits));
        }
        if (cpu != null) {
            settings.addAll(cpu.settings(limits));
        }
        if (pids != null) {
            settings.addAll(pids.settings(limits));
        }
        return settings;
    }

    /// The trees that a container's group is made in. A controller that would neither limit nor measure it is left
    /// out, because each tree costs a launch its share.
    private List<Tree> joined() {
        var joined = new LinkedHashSet<Tree>();
        for (String controller : List.of("memory", "cpu", "pids")) {
            Tree tree = byController.get(controller);
            if (tree != null) {
                joined.add(tree);
            }
        }
        if (unified != null) {
            joined.add(unified);
        } else {
            for (String controller : List.of("cpuacct", "freezer")) {
                Tree tree = byController.get(controller);
                if (tree != null) {
                    joined.add(tree);
                }
            }
        }
        return List.copyOf(joined);
    }

    private void prepare(String parent, List<Tree> joined) {
        if (preparedParents.contains(parent)) {
            return;
        }
        for (Tree tree : joined) {
            try {
                tree.prepare(parent);
            } catch (ErrnoException e) {
                throw refused("to make " + parent + " in " + tree.path() + " a group that holds others", e);
            }
        }
        preparedParents.add(parent);
    }

    /// A group that exists, made by this process or another.
    public Optional<Cgroup> find(String parent, String name) {
        checkPath(parent);
        checkName(name);
        String group = parent + "/" + name;
        List<Tree> holding = trees.stream().filter(tree -> tree.exists(group)).toList();
        return holding.isEmpty() ? Optional.empty() : Optional.of(new Cgroup(this, group, holding));
    }

    /// Names of the groups that `parent` holds in any tree.
    public Set<String> leftovers(String parent) {
        checkPath(parent);
        var names = new TreeSet<String>();
        trees.forEach(tree -> names.addAll(tree.children(parent)));
        return names;
    }

    /// Kills what runs in the groups of `parent` that `isStale` picks, and removes them.
    /// @return the names that were removed
    public Set<String> removeStale(String parent, Predicate<String> isStale) {
        var removed = new TreeSet<String>();
        CgroupException failure = null;
        for (String name : leftovers(parent)) {
            if (!isStale.test(name)) {
                continue;
            }
            try {
                find(parent, name).ifPresent(cgroup -> {
                    cgroup.kill();
                    cgroup.remove();
                    removed.add(name);
                });
            } catch (CgroupException e) { // one that will not go must not keep the others
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
        return removed;
    }

    /// Removes a parent group that holds no group any more.
    public void removeParent(String parent) {
        checkPath(parent);
        new Cgroup(this, parent, trees).remove();
        preparedParents.remove(parent);
    }

    List<Tree> trees() {
        return trees;
    }

    @Nullable
    Tree unified() {
        return unified;
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
    Tree tree(String controller) {
        return byController.get(controller);
    }

    private static void checkName(String name) {
        if (!GROUP_NAME.matcher(name).matches()) {
            throw new CgroupException(
                    Code.BAD_NAME,
                    "\"" + name + "\" cannot be the name of a group; use letters, digits, _, - and . and at most 128.");
        }
    }

    private static void checkPath(String parent) {
        for (String name : parent.split("/", -1)) {
            checkName(name);
        }
    }

    @Override
    public void close() {
        trees.forEach(Tree::close);
    }

    @Override
    public String toString() {
        return world() + " " + trees;
    }
}
