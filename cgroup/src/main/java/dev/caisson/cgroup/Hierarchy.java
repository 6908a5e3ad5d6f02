package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/// The trees of control groups that this machine has, and what each of them can enforce. Holds one open directory for
/// each tree; every group is reached from there, so that a path of the host is resolved once.
public final class Hierarchy implements AutoCloseable {

    /// How a machine has its controllers.
    public enum World {
        /// Each controller in a tree of its own.
        V1,
        /// Controllers in trees of their own, with the unified tree beside them for kill, freeze and
        /// pressure.
        HYBRID,
        /// Every controller in the unified tree.
        V2
    }

    private static final int LONGEST_TABLE = 64 << 20;

    private final List<Tree> trees;
    private final Controllers controllers;
    private final Set<String> prepared = ConcurrentHashMap.newKeySet();

    Hierarchy(List<Tree> trees) {
        this.trees = List.copyOf(trees);
        this.controllers = new Controllers(trees);
    }

    /// Looks at what is mounted in this mount namespace. Each mount point is opened and asked for its type, because the
    /// table also lists mounts that later ones hide.
    /// @throws CgroupException NOT_MOUNTED
    public static Hierarchy detect() {
        try (Fd table = FileSystem.open("/proc/self/mountinfo", FileSystem.O_RDONLY)) {
            return of(Mounts.parse(ByteText.of(FileSystem.read(table, LONGEST_TABLE))));
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
                        "no control groups are mounted; mount them with: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
            }
            return new Hierarchy(trees);
        } catch (RuntimeException e) {
            trees.forEach(Tree::close);
            throw e;
        }
    }

    public World world() {
        if (controllers.unified() == null) {
            return World.V1;
        }
        return trees.size() == 1 ? World.V2 : World.HYBRID;
    }

    /// The controllers that are there, by the kernel's names.
    public Set<String> controllerNames() {
        return controllers.names();
    }

    /// The controllers of each v1 tree that [Cgroup#joinFds] gives a descriptor of, in that order, for a
    /// group with limits that use what the defaults use.
    public List<Set<String>> joins() {
        return joins(Limits.defaults());
    }

    /// The controllers of each v1 tree that [Cgroup#joinFds] gives a descriptor of, in that order.
    public List<Set<String>> joins(Limits limits) {
        return controllers.trees(controllers.used(limits)).stream()
                .filter(tree -> !tree.isUnified())
                .map(Tree::controllers)
                .map(Set::copyOf)
                .toList();
    }

    /// True where [Cgroup#cloneInto] gives a directory.
    public boolean hasUnified() {
        return controllers.unified() != null;
    }

    /// Opens the root of the unified tree, which is the caller's to close. A process that is to outlive whoever
    /// started it moves there, because what ends a service or a session ends its group. Empty where there is no
    /// such tree, and where its root is somebody's group, as in a container: that may take none.
    public Optional<Fd> root() {
        Tree unified = controllers.unified();
        return unified == null || unified.find("", "cgroup.type").isPresent()
                ? Optional.empty()
                : Optional.of(unified.openDirectory("."));
    }

    /// Like [#check(Limits, String)], for a group whose parent has no limits of its own.
    public List<Lack> check(Limits limits) {
        return check(limits, "");
    }

    /// Refuses limits that contradict each other or that this machine has nothing to enforce with, by name.
    /// @param parent path of the group that a group with these limits would be made in
    /// @return what cannot be enforced, if the limits ask for best effort; else nothing
    public List<Lack> check(Limits limits, String parent) {
        return controllers.check(limits, parent);
    }

    /// Makes a group with all limits in force, or leaves nothing.
    ///
    /// @param parent path of the group that holds it, such as `caisson`; made without limits where it is missing
    /// @param name of the group, unique in its parent
    /// @throws CgroupException ALREADY_EXISTS, UNENFORCEABLE, KERNEL_REFUSED, or what [Limits#check] refuses
    public Cgroup create(String parent, String name, Limits limits) {
        GroupName.checkPath(parent);
        GroupName.check(name);
        return complete(new Cgroup(controllers, parent + "/" + name, List.of(), List.of()), limits);
    }

    /// Makes what a process can be born into of a group that [#complete] makes whole: its part in the unified tree,
    /// without limits. Where there is no such tree, nothing.
    public Cgroup begin(String parent, String name) {
        GroupName.checkPath(parent);
        GroupName.check(name);
        List<Tree> trees = controllers.trees(Set.of());
        make(parent, parent + "/" + name, Set.of(), trees, trees);
        return new Cgroup(controllers, parent + "/" + name, trees, List.of());
    }

    /// Makes a group that has begun whole, with all limits in force; on an error it is as it was.
    public Cgroup complete(Cgroup begun, Limits limits) {
        String group = begun.path();
        String parent = GroupName.parent(group);
        List<Lack> lacks = check(limits, parent);
        Set<String> used = controllers.used(limits);
        List<Tree> joined = controllers.trees(used);
        List<Tree> missing =
                joined.stream().filter(tree -> !begun.trees().contains(tree)).toList();
        make(parent, group, used, joined, missing);
        try {
            lacks = Enforcement.begin(controllers, group, parent, limits, lacks);
        } catch (RuntimeException e) {
            Group.undo(group, missing, e);
            throw e;
        }
        return new Cgroup(controllers, group, joined, lacks);
    }

    /// @param missing those of `joined` in which there is no `group` yet
    private void make(String parent, String group, Set<String> used, List<Tree> joined, List<Tree> missing) {
        prepare(parent, used, joined);
        try {
            Group.make(group, missing);
        } catch (CgroupException e) {
            if (e.reason() != Code.NO_SUCH_GROUP) {
                throw e;
            }
            prepared.clear(); // somebody removed the parent since
            prepare(parent, used, joined);
            Group.make(group, missing);
        }
    }

    /// Makes a group that holds others and bounds what they use together, or changes the limits of the one that
    /// is there: a tenant's share of the machine.
    ///
    /// @param path such as `caisson/tenant-a`, to be given as the parent of [#create]
    public Cgroup createParent(String path, Limits limits) {
        GroupName.checkPath(path);
        int slash = path.lastIndexOf('/');
        String above = path.substring(0, Math.max(0, slash));
        check(limits, above);
        Set<String> used = controllers.used(limits);
        List<Tree> joined = controllers.trees(used);
        if (!joined.stream().allMatch(tree -> tree.exists(path))) {
            prepared.clear(); // it may have been removed since it was made
        }
        prepare(path, used, joined);
        var cgroup = new Cgroup(controllers, path, joined, List.of());
        cgroup.update(limits, List.of());
        return cgroup;
    }

    /// Refuses a parent group that is missing in a tree which a container with `limits` joins. It is the
    /// user's, so it is neither made nor removed here.
    public void requireParent(String path, Limits limits) {
        GroupName.checkPath(path);
        List<String> missing = controllers.trees(controllers.used(limits)).stream()
                .filter(tree -> !tree.exists(path))
                .map(tree -> tree.path().resolve(path).toString())
                .toList();
        if (!missing.isEmpty()) {
            throw new CgroupException(
                    Code.NO_SUCH_GROUP,
                    "the parent group " + path + " does not exist; make it with: mkdir -p "
                            + String.join(" ", missing));
        }
    }

    private void prepare(String parent, Set<String> used, List<Tree> joined) {
        String key = parent + used;
        if (prepared.contains(key)) {
            return;
        }
        for (Tree tree : joined) {
            try {
                tree.prepare(parent, used);
            } catch (ErrnoException e) {
                throw CgroupException.refused(
                        "to make " + parent + " in " + tree.path() + " a group that holds others", e);
            }
        }
        prepared.add(key);
    }

    /// A group that exists, made by this process or another.
    public Optional<Cgroup> find(String parent, String name) {
        GroupName.checkPath(parent);
        GroupName.check(name);
        return find(parent + "/" + name);
    }

    /// A meter of a group that is not looked for first: reading it tells when there is none.
    public Meter meter(String parent, String name) {
        GroupName.checkPath(parent);
        GroupName.check(name);
        return new Meter(controllers, parent + "/" + name);
    }

    private Optional<Cgroup> find(String group) {
        List<Tree> holding = trees.stream().filter(tree -> tree.exists(group)).toList();
        return holding.isEmpty() ? Optional.empty() : Optional.of(new Cgroup(controllers, group, holding, List.of()));
    }

    /// A group that holds others, such as a tenant's.
    public Optional<Cgroup> findParent(String path) {
        GroupName.checkPath(path);
        return find(path);
    }

    /// Moves a process of this machine into a new group of `parent`, which exists in the unified tree.
    public void adopt(String parent, String name, int pid) {
        GroupName.checkPath(parent);
        GroupName.check(name);
        Tree unified = controllers.unified();
        if (unified == null) {
            throw new CgroupException(Code.NOT_MOUNTED, "there is no unified tree of control groups to move into");
        }
        String group = parent + "/" + name;
        Group.make(group, List.of(unified));
        try {
            unified.write(group, "cgroup.procs", Integer.toString(pid));
        } catch (ErrnoException e) {
            Group.undo(group, List.of(unified), e);
            throw CgroupException.refused("to move process " + pid + " into " + group, e);
        }
    }

    /// Names of the groups that `parent` holds in any tree.
    public Set<String> leftovers(String parent) {
        GroupName.checkPath(parent);
        var names = new TreeSet<String>();
        trees.forEach(tree -> names.addAll(tree.children(parent)));
        return names;
    }

    /// Kills what runs in the groups of `parent` that `isStale` picks, and removes them.
    /// @return the names that were removed
    public Set<String> removeStale(String parent, Predicate<String> isStale) {
        var removed = new TreeSet<String>();
        CgroupException failure = null;
        for (String name : leftovers(parent).stream().filter(isStale).toList()) {
            try {
                find(parent, name).ifPresent(cgroup -> {
                    cgroup.kill();
                    cgroup.remove();
                    removed.add(name);
                });
            } catch (CgroupException e) { // one that will not go must not keep the others
                if (e.reason() == Code.NO_SUCH_GROUP) {
                    removed.add(name); // by somebody else, as systemd
                } else if (failure == null) {
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
        GroupName.checkPath(parent);
        new Cgroup(controllers, parent, trees, List.of()).remove();
        prepared.clear();
    }

    List<Tree> trees() {
        return trees;
    }

    Controllers controllers() {
        return controllers;
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
