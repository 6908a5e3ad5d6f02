package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.WritableLayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Options for limits: the part of [RunOptions] that becomes [Limits], with Docker's names.
final class LimitOptions {
    private final GroupLimitOptions group = new GroupLimitOptions(true);
    private @Nullable Integer memorySwappiness;
    private boolean oomKillDisable;
    private List<String> ioWeights = List.of();
    private List<String> deviceRules = List.of();
    private List<String> readBytes = List.of();
    private List<String> writeBytes = List.of();
    private List<String> readOperations = List.of();
    private List<String> writeOperations = List.of();
    private List<String> hugePages = List.of();
    private boolean bestEffort;
    private List<String> ulimits = List.of();
    private @Nullable String sharedMemory;
    private List<String> storage = List.of();
    private @Nullable Integer oomScoreAdjustment;
    private @Nullable String outputLimit;
    private @Nullable String cgroupParent;
    private @Nullable String tenant;

    LimitOptions(OptionList options) {
        group.add(options);
        options.value(
                        "--memory-swappiness",
                        "0-100",
                        "Readiness to swap; control groups v1 only.",
                        Integer.class,
                        value -> memorySwappiness = value)
                .flag(
                        "--oom-kill-disable",
                        "Stop processes at the memory limit instead of killing one; control groups v1 only.",
                        value -> oomKillDisable = value)
                .texts(
                        "--blkio-weight-device",
                        "DISK:10-1000",
                        "Share of one busy disk, as /dev/sda:300.",
                        value -> ioWeights = value)
                .texts("--device-read-bps", "DISK:BYTES", "Most bytes read a second.", value -> readBytes = value)
                .texts("--device-write-bps", "DISK:BYTES", "Most bytes written a second.", value -> writeBytes = value)
                .texts("--device-read-iops", "DISK:NUMBER", "Most reads a second.", value -> readOperations = value)
                .texts("--device-write-iops", "DISK:NUMBER", "Most writes a second.", value -> writeOperations = value)
                .texts("--hugetlb", "SIZE=BYTES", "Most huge pages of a size, as 2MB=64m.", value -> hugePages = value)
                .texts(
                        "--device-cgroup-rule",
                        "RULE",
                        "Use no devices but its own and those of the rules, as 'c 10:229 rw'; gives it no node.",
                        value -> deviceRules = value)
                .flag(
                        "--best-effort",
                        "Run without the limits that this host cannot enforce; verify tells which.",
                        value -> bestEffort = value)
                .texts("--ulimit", "NAME=SOFT[:HARD]", "Limit a resource of the process.", value -> ulimits = value)
                .text("--shm-size", "BYTES", "Size of /dev/shm (default: 64m).", value -> sharedMemory = value)
                .words(
                        "--storage-opt",
                        "size=BYTES|inodes=NUMBER|medium=disk|memory",
                        "Most that it may write into its root: on disk where the host can bound that, else in"
                                + " memory (default: half of the memory limit, in memory).",
                        value -> storage = value)
                .value(
                        "--oom-score-adj",
                        "NUMBER",
                        "How early the kernel picks it when memory is short (default: 500).",
                        Integer.class,
                        value -> oomScoreAdjustment = value)
                .text(
                        "--output-limit",
                        "BYTES",
                        "End it when it has written more than this to its output.",
                        value -> outputLimit = value)
                .text(
                        "--cgroup-parent",
                        "PATH",
                        "Make its control group in this one, which exists.",
                        value -> cgroupParent = value)
                .text(
                        "--tenant",
                        "NAME[,memory=BYTES][,cpus=NUMBER][,pids=NUMBER]",
                        "Count it to a tenant, whose containers together use no more than its ceiling.",
                        value -> tenant = value);
    }

    /// Without end unless it was said.
    private Bytes outputLimit() {
        return outputLimit == null ? Bytes.UNLIMITED : Bytes.parse(outputLimit);
    }

    ContainerSpec apply(ContainerSpec start) {
        ContainerSpec spec = start.limits(limits()).outputLimit(outputLimit());
        spec = sharedMemory == null ? spec : spec.sharedMemory(Bytes.parse(sharedMemory));
        spec = oomScoreAdjustment == null ? spec : spec.oomScoreAdjustment(oomScoreAdjustment);
        for (String ulimit : ulimits) {
            spec = spec.rlimit(rlimit(ulimit));
        }
        return placement(spec.writableLayer(writableLayer()));
    }

    private Limits limits() {
        Limits limits = group.given()
                .over(Limits.defaults().oomKillDisable(oomKillDisable).bestEffort(bestEffort));
        // Docker's default of -1 means: the host's
        limits =
                memorySwappiness == null || memorySwappiness == -1 ? limits : limits.memorySwappiness(memorySwappiness);
        limits = deviceRules.isEmpty() ? limits : limits.devices(devices());
        return limits.ioWeights(ioWeights()).io(io()).hugePages(hugePages());
    }

    private List<IoLimit> io() {
        Map<BlockDevice, IoLimit> byDisk = new LinkedHashMap<>();
        add(byDisk, readBytes, "--device-read-bps", (limit, most) -> limit.readBytes(bytesASecond(most)));
        add(byDisk, writeBytes, "--device-write-bps", (limit, most) -> limit.writeBytes(bytesASecond(most)));
        add(byDisk, readOperations, "--device-read-iops", (limit, most) -> limit.readOperations(Long.parseLong(most)));
        add(
                byDisk,
                writeOperations,
                "--device-write-iops",
                (limit, most) -> limit.writeOperations(Long.parseLong(most)));
        return List.copyOf(byDisk.values());
    }

    private static long bytesASecond(String text) {
        return Bytes.parse(text).count();
    }

    private static void add(
            Map<BlockDevice, IoLimit> byDisk,
            List<String> texts,
            String option,
            BiFunction<IoLimit, String, IoLimit> with) {
        for (String text : texts) {
            DiskFigure figure = DiskFigure.parse(option, text);
            IoLimit before = byDisk.getOrDefault(figure.disk(), IoLimit.on(figure.disk()));
            byDisk.put(figure.disk(), figure.as(value -> with.apply(before, value)));
        }
    }

    private List<IoWeight> ioWeights() {
        Map<BlockDevice, IoWeight> byDisk = new LinkedHashMap<>();
        for (String text : ioWeights) {
            DiskFigure figure = DiskFigure.parse("--blkio-weight-device", text);
            byDisk.put(figure.disk(), figure.as(value -> new IoWeight(figure.disk(), Integer.parseInt(value))));
        }
        return List.copyOf(byDisk.values());
    }

    private List<DeviceRule> devices() {
        return deviceRules.stream()
                .flatMap(rule -> DeviceRule.parse(rule).stream())
                .toList();
    }

    private Map<String, Bytes> hugePages() {
        Map<String, Bytes> pages = new LinkedHashMap<>();
        for (String text : hugePages) {
            String[] pair = OptionText.pair("--hugetlb", text);
            pages.put(pair[0], Bytes.parse(pair[1]));
        }
        return pages;
    }

    private WritableLayer writableLayer() {
        WritableLayer layer = WritableLayer.STANDARD;
        for (String text : storage) {
            String[] pair = OptionText.pair("--storage-opt", text);
            layer = switch (pair[0]) {
                case "size" -> layer.size(Bytes.parse(pair[1]));
                case "inodes" -> layer.inodes(number("--storage-opt inodes", pair[1]));
                case "medium" -> layer.place(place(pair[1]));
                default ->
                    throw CommandException.refused(
                            "--storage-opt " + pair[0], "give size=BYTES, inodes=NUMBER or medium=disk|memory");
            };
        }
        return layer;
    }

    private static WritableLayer.Place place(String medium) {
        return switch (medium) {
            case "disk" -> WritableLayer.Place.DISK;
            case "memory" -> WritableLayer.Place.MEMORY;
            default -> throw CommandException.usage("--storage-opt medium is disk or memory, not '" + medium + "'");
        };
    }

    private ContainerSpec placement(ContainerSpec spec) {
        if (cgroupParent != null && tenant != null) {
            throw CommandException.refused("--tenant", "a tenant has a group of its own: leave --cgroup-parent out");
        }
        if (cgroupParent != null) {
            return spec.placement(
                    new Placement.Parent(cgroupParent.startsWith("/") ? cgroupParent.substring(1) : cgroupParent));
        }
        return tenant == null ? spec : spec.placement(tenant(tenant));
    }

    private static Placement tenant(String text) {
        String[] parts = text.split(",", -1);
        Limits ceiling = Limits.unlimited();
        for (String part : List.of(parts).subList(1, parts.length)) {
            String[] pair = OptionText.pair("--tenant " + parts[0], part);
            ceiling = switch (pair[0]) {
                case "memory" -> ceiling.memory(Bytes.parse(pair[1])).memorySwap(Bytes.parse(pair[1]));
                case "cpus" -> ceiling.cpus(pair[1]);
                case "pids" -> ceiling.pids(number("--tenant pids", pair[1]));
                default ->
                    throw CommandException.refused(
                            "--tenant " + parts[0] + "," + part, "a ceiling has memory, cpus and pids");
            };
        }
        return new Placement.Tenant(parts[0], parts.length == 1 ? Optional.empty() : Optional.of(ceiling));
    }

    private static long number(String option, String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw CommandException.usage(option + " takes a whole number, not '" + text + "'");
        }
    }

    private static Rlimit rlimit(String text) {
        String[] pair = OptionText.pair("--ulimit", text);
        String[] values = pair[1].split(":", 2);
        try {
            Rlimit.Resource resource = Rlimit.Resource.parse(pair[0])
                    .orElseThrow(() -> new IllegalArgumentException("no resource is called " + pair[0]));
            return new Rlimit(resource, limit(values[0]), limit(values[values.length - 1]));
        } catch (IllegalArgumentException | ArgumentException e) {
            throw CommandException.usage(
                    "--ulimit " + text + ": " + e.getMessage() + "; give NAME=SOFT[:HARD], as nofile=1024:4096");
        }
    }

    private static long limit(String text) {
        return text.equals("unlimited") || text.equals("-1") ? Rlimit.UNLIMITED : Long.parseLong(text);
    }
}
