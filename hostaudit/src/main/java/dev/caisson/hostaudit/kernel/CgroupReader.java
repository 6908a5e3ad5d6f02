package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts.Limits;
import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.hostaudit.facts.Numbers;
import dev.caisson.linux.KernelText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Limits of control groups as the least over a group and all above it, in version 1, version 2 and both together.
public final class CgroupReader {
    private static final long NONE = -1;
    /// Version 1 writes "no limit" as the largest number of whole pages.
    private static final long HUGE = 1L << 60;

    /// A tree: where it is mounted and which group its mount shows as its root.
    private record Hierarchy(Path mount, String root, boolean unified) {}

    private final Map<String, Hierarchy> byController = new HashMap<>();
    private final int processors;
    private final Map<Path, Optional<String>> ancestors = new ConcurrentHashMap<>();

    public CgroupReader(int processors) {
        this.processors = processors;
        for (String line : KernelText.lines(
                        Proc.text(Path.of("/proc/self/mountinfo")).orElse(""))
                .toList()) {
            int dash = line.indexOf(" - ");
            String[] own = line.substring(0, Math.max(0, dash)).split(" ", -1);
            String[] type = line.substring(dash + 3).split(" ", -1);
            if (dash < 0 || own.length < 5 || type.length < 3 || !type[0].startsWith("cgroup")) {
                continue;
            }
            boolean unified = type[0].equals("cgroup2");
            var tree = new Hierarchy(Path.of(own[4]), own[3], unified);
            List<String> controllers = unified
                    ? Proc.text(tree.mount().resolve("cgroup.controllers"))
                            .map(text -> List.of(text.split(" ", -1)))
                            .orElse(List.of())
                    : List.of(type[2].split(",", -1));
            controllers.forEach(controller -> byController.putIfAbsent(controller, tree));
            if (unified) {
                byController.putIfAbsent("", tree);
            }
        }
    }

    /// The group of each controller, from `/proc/PID/cgroup`; key "" is the unified tree.
    static Map<String, String> groups(String text) {
        Map<String, String> groups = new HashMap<>();
        KernelText.lines(text).forEach(line -> {
            String[] cells = line.split(":", 3);
            if (cells.length == 3) {
                for (String controller : cells[1].split(",", -1)) {
                    groups.put(controller, cells[2]);
                }
            }
        });
        return groups;
    }

    Limits limits(String cgroupText) {
        Map<String, String> groups = groups(cgroupText);
        Bound memory = least(
                groups,
                "memory",
                file -> file.unified() ? number(file, "memory.max") : number(file, "memory.limit_in_bytes"));
        Bound pids = least(groups, "pids", file -> number(file, "pids.max"));
        Bound cpu = least(groups, "cpu", CgroupReader.this::quota);
        return new Limits(
                memory.value(),
                memory.holder(),
                pids.value(),
                pids.holder(),
                cpu.value(),
                shares(groups),
                cpuset(groups));
    }

    private record Bound(long value, String holder) {}

    private record Group(Path directory, boolean unified) {}

    private Bound least(Map<String, String> groups, String controller, Function<Group, Long> read) {
        long least = NONE;
        String holder = "";
        for (Group group : upwards(groups, controller)) {
            long value = read.apply(group);
            if (value != NONE && (least == NONE || value < least)) {
                least = value;
                holder = group.directory().toString();
            }
        }
        return new Bound(least, holder);
    }

    /// The group and all above it, as far as the mount shows them.
    private List<Group> upwards(Map<String, String> groups, String controller) {
        Hierarchy tree = byController.get(controller);
        if (tree == null) {
            return List.of();
        }
        String group = groups.getOrDefault(tree.unified() ? "" : controller, "/");
        if (!HostPaths.isBelow(group, tree.root()) || group.contains("/../")) {
            return List.of();
        }
        String below =
                tree.root().equals("/") ? group : group.substring(tree.root().length());
        var all = new ArrayList<Group>();
        for (Path at = tree.mount().resolve(below.substring(Math.min(1, below.length())));
                at != null && at.startsWith(tree.mount());
                at = at.getParent()) {
            all.add(new Group(at, tree.unified()));
        }
        return all;
    }

    private Optional<String> read(Path file) {
        return ancestors.computeIfAbsent(file, Proc::text);
    }

    private long number(Group group, String name) {
        return read(group.directory().resolve(name))
                .filter(text -> !text.equals("max"))
                .map(Long::parseLong)
                .filter(value -> value < HUGE && value >= 0)
                .orElse(NONE);
    }

    /// In thousandths of a processor.
    private long quota(Group group) {
        if (group.unified()) {
            return read(group.directory().resolve("cpu.max"))
                    .map(text -> text.split(" ", 2))
                    .filter(parts -> !parts[0].equals("max"))
                    .map(parts -> Long.parseLong(parts[0]) * 1000 / Long.parseLong(parts[1]))
                    .orElse(NONE);
        }
        long quota = number(group, "cpu.cfs_quota_us");
        long period = number(group, "cpu.cfs_period_us");
        return quota <= 0 || period <= 0 ? NONE : quota * 1000 / period;
    }

    private long shares(Map<String, String> groups) {
        return upwards(groups, "cpu").stream()
                .findFirst()
                .map(group -> group.unified() ? number(group, "cpu.weight") : number(group, "cpu.shares"))
                .orElse(NONE);
    }

    /// How many processors the group may use, all where nothing is said.
    private int cpuset(Map<String, String> groups) {
        return upwards(groups, "cpuset").stream()
                .findFirst()
                .flatMap(group -> read(
                        group.directory().resolve(group.unified() ? "cpuset.cpus.effective" : "cpuset.effective_cpus")))
                .filter(text -> !text.isEmpty())
                .map(Numbers::inRanges)
                .orElse(processors);
    }

    /// Rules of the v1 devices controller; empty in version 2, where a BPF program decides.
    List<String> devices(String cgroupText) {
        return upwards(groups(cgroupText), "devices").stream()
                .findFirst()
                .flatMap(group -> read(group.directory().resolve("devices.list")))
                .map(text -> KernelText.lines(text).toList())
                .orElse(List.of());
    }
}
