package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.linux.KernelText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// All processes of the machine, read once: names, parents, and which container each belongs to.
public final class ProcessTable {
    private static final Pattern CONTAINER_ID = Pattern.compile("[0-9a-f]{64}");

    private static final int FLAGS = 6;
    /// PF_KTHREAD, linux/sched.h: a thread of the kernel is in no container.
    private static final long KERNEL_THREAD = 0x200000;

    private final List<Long> pids;
    private final Map<String, List<Long>> byName = new HashMap<>();
    /// Parents are read one after another: a number that was given anew could close a circle.
    private static final int MOST_ANCESTORS = 64;

    private final Map<Long, Long> parents = new HashMap<>();
    private final Map<Long, String> cgroups = new HashMap<>();
    private final Map<Long, String> groups = new HashMap<>();
    private final Map<String, List<Long>> byContainer = new HashMap<>();
    private final Map<Long, List<Long>> strayByPidNamespace = new HashMap<>();

    private ProcessTable(List<Long> pids) {
        this.pids = pids;
    }

    public static ProcessTable read() {
        ProcessTable table = new ProcessTable(Proc.pids());
        table.pids.forEach(table::add);
        return table;
    }

    private void add(long pid) {
        String stat = Proc.text(pid, "stat").orElse("");
        int open = stat.indexOf('(');
        int close = stat.lastIndexOf(')');
        if (open < 0 || close < open) {
            return;
        }
        byName.computeIfAbsent(stat.substring(open + 1, close), name -> new ArrayList<>())
                .add(pid);
        String[] rest = stat.substring(close + 2).split(" ", FLAGS + 2);
        parents.put(pid, Long.valueOf(rest[1]));
        if (rest.length > FLAGS && (Long.parseLong(rest[FLAGS]) & KERNEL_THREAD) != 0) {
            return;
        }
        String cgroup = Proc.text(pid, "cgroup").orElse("");
        cgroups.put(pid, cgroup);
        groups.put(pid, group(cgroup));
        Matcher ids = CONTAINER_ID.matcher(cgroup);
        if (ids.find()) {
            byContainer.computeIfAbsent(ids.group(), id -> new ArrayList<>()).add(pid);
        } else {
            Proc.namespace(pid, "pid")
                    .ifPresent(inode -> strayByPidNamespace
                            .computeIfAbsent(inode, key -> new ArrayList<>())
                            .add(pid));
        }
    }

    public List<Long> all() {
        return pids;
    }

    public List<Long> named(String name) {
        return byName.getOrDefault(name, List.of());
    }

    public long parent(long pid) {
        return parents.getOrDefault(pid, 0L);
    }

    /// The text of `/proc/PID/cgroup`.
    String cgroup(long pid) {
        return cgroups.getOrDefault(pid, "");
    }

    /// The control group that a process is in: the longest path of its trees, as version 1 may leave it at the root of
    /// some.
    String groupOf(long pid) {
        return groups.getOrDefault(pid, "/");
    }

    private static String group(String cgroup) {
        return KernelText.lines(cgroup)
                .map(line -> line.split(":", 3))
                .filter(cells -> cells.length == 3)
                .map(cells -> cells[2])
                .max(java.util.Comparator.comparingInt(String::length))
                .orElse("/");
    }

    /// Process 1 of a container, all in its control groups, and those in its own pid namespace that somebody moved to
    /// groups of no container. An engine without root may have no group to give: what it came from, and others with
    /// it, is in the same one.
    List<Long> ofContainer(String id, long init, boolean ownPidNamespace) {
        var members = new ArrayList<Long>();
        members.add(init);
        byContainer.getOrDefault(id, List.of()).stream()
                .filter(pid -> pid != init)
                .forEach(members::add);
        String group = groups.getOrDefault(init, "/");
        if (!group.contains(id)) {
            pids.stream()
                    .filter(pid -> !members.contains(pid) && isBelow(pid, init))
                    .forEach(members::add);
        } else {
            pids.stream()
                    .filter(pid -> pid != init
                            && HostPaths.isBelow(groups.getOrDefault(pid, "/"), group)
                            && !members.contains(pid))
                    .forEach(members::add);
        }
        if (ownPidNamespace) {
            Proc.namespace(init, "pid")
                    .map(inode -> strayByPidNamespace.getOrDefault(inode, List.of()))
                    .orElse(List.of())
                    .stream()
                    .filter(pid -> !members.contains(pid))
                    .forEach(members::add);
        }
        return members;
    }

    private boolean isBelow(long pid, long ancestor) {
        long above = parent(pid);
        for (int depth = 0; depth < MOST_ANCESTORS && above > 0; depth++) {
            if (above == ancestor) {
                return true;
            }
            above = parent(above);
        }
        return false;
    }
}
