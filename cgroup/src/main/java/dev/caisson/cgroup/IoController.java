package dev.caisson.cgroup;

import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The I/O controller: `blkio` in version 1, `io` in version 2.
sealed interface IoController extends Controller {
    String NAME = "device-io";
    String WEIGHT = "blkio-weight";

    /// Reading and writing so far, by disk; empty where the controller does not have the group.
    Optional<List<Usage.Io>> usage(GroupFiles files);

    static boolean isNeeded(Limits limits) {
        return limits.ioWeight().isPresent()
                || !limits.ioWeights().isEmpty()
                || !limits.io().isEmpty();
    }

    @Override
    default List<Lack> lacks(Limits limits, String parent) {
        var sharing = new WeightSharing(tree());
        var lacks = new ArrayList<Lack>();
        if (limits.ioWeight().isPresent() && !sharing.isAnyBfq() && !sharing.isAnyCost()) {
            lacks.add(new Lack(
                    WEIGHT,
                    "no disk shares by weight; give one the scheduler that does:"
                            + " echo bfq > /sys/block/DISK/queue/scheduler"));
        }
        for (IoWeight weight : limits.ioWeights()) {
            BlockDevice disk = weight.device();
            if (!WeightSharing.isBfq(disk) && !sharing.isCost(disk)) {
                lacks.add(new Lack(
                        name(weight),
                        "that disk does not share by weight; give it the scheduler that does: echo bfq > /sys/dev/block/"
                                + disk + "/queue/scheduler"));
            }
        }
        return lacks;
    }

    /// A name for each disk, so that one whose weight nothing looks at is told apart from the others.
    private static String name(IoWeight weight) {
        return WEIGHT + "-device-" + weight.device();
    }

    /// Documentation/admin-guide/cgroup-v1/blkio-controller.rst
    record V1(Tree tree) implements IoController {
        @Override
        public List<Setting> settings(Limits limits, String parent) {
            var settings = new ArrayList<Setting>();
            if (limits.ioWeight().isPresent() || !limits.ioWeights().isEmpty()) {
                addWeights(
                        settings, limits, tree.find(parent, "blkio.bfq.weight").isPresent() ? "blkio.bfq." : "blkio.");
            }
            for (IoLimit limit : limits.io()) {
                add(settings, "read_bps", limit.device(), limit.readBytes());
                add(settings, "write_bps", limit.device(), limit.writeBytes());
                add(settings, "read_iops", limit.device(), limit.readOperations());
                add(settings, "write_iops", limit.device(), limit.writeOperations());
            }
            return settings;
        }

        /// That of all disks comes first: the kernel forgets those of single ones at that.
        private void addWeights(List<Setting> settings, Limits limits, String prefix) {
            limits.ioWeight()
                    .ifPresent(weight ->
                            settings.add(new Setting(WEIGHT, tree, prefix + "weight", Integer.toString(weight))));
            for (IoWeight weight : limits.ioWeights()) {
                settings.add(new Setting(
                        name(weight), tree, prefix + "weight_device", weight.device() + " " + weight.weight()));
            }
        }

        private void add(List<Setting> settings, String figure, BlockDevice device, long most) {
            if (most != IoLimit.UNLIMITED) {
                settings.add(new Setting(NAME, tree, "blkio.throttle." + figure + "_device", device + " " + most));
            }
        }

        /// Lines such as `8:0 Read 4096`; one more without a disk has the sum. Since Linux 6.10 the first pair of files
        /// counts a disk only from its first limit on, the second one where its scheduler is bfq.
        @Override
        public Optional<List<Usage.Io>> usage(GroupFiles files) {
            Map<String, long[]> figures = new TreeMap<>();
            boolean known = collect(files, "blkio.bfq.", figures);
            known |= collect(files, "blkio.throttle.", figures);
            return known ? Optional.of(usage(figures)) : Optional.empty();
        }

        /// False where the group has no such files. A disk that both count keeps the later figures.
        private boolean collect(GroupFiles files, String prefix, Map<String, long[]> figures) {
            Optional<String> bytes = files.find(tree, prefix + "io_service_bytes_recursive");
            if (bytes.isEmpty()) {
                return false;
            }
            collect(figures, bytes.get(), 0);
            collect(figures, files.read(tree, prefix + "io_serviced_recursive"), 2);
            return true;
        }

        private static List<Usage.Io> usage(Map<String, long[]> figures) {
            return figures.entrySet().stream()
                    .map(disk -> new Usage.Io(
                            BlockDevice.parse(disk.getKey()),
                            disk.getValue()[0],
                            disk.getValue()[1],
                            disk.getValue()[2],
                            disk.getValue()[3]))
                    .toList();
        }

        private static void collect(Map<String, long[]> figures, String text, int at) {
            text.lines().forEach(line -> {
                String[] words = line.split(" ", -1);
                int offset = words.length == 3 ? List.of("Read", "Write").indexOf(words[1]) : -1;
                if (offset >= 0) {
                    figures.computeIfAbsent(words[0], _ -> new long[4])[at + offset] = Long.parseLong(words[2]);
                }
            });
        }
    }

    /// Documentation/admin-guide/cgroup-v2.rst
    record V2(Tree tree) implements IoController {
        private static final String BFQ = "io.bfq.weight";
        private static final String COST = "io.weight";

        @Override
        public List<Setting> settings(Limits limits, String parent) {
            var settings = new ArrayList<Setting>();
            limits.ioWeight().ifPresent(weight -> addWeight(settings, weight, parent));
            for (IoWeight weight : limits.ioWeights()) {
                settings.add(
                        WeightSharing.isBfq(weight.device())
                                ? new Setting(name(weight), tree, BFQ, weight.device() + " " + weight.weight())
                                : new Setting(
                                        name(weight), tree, COST, weight.device() + " " + spread(weight.weight())));
            }
            for (IoLimit limit : limits.io()) {
                settings.add(new Setting(
                        NAME,
                        tree,
                        "io.max",
                        limit.device()
                                + " rbps=" + figure(limit.readBytes())
                                + " wbps=" + figure(limit.writeBytes())
                                + " riops=" + figure(limit.readOperations())
                                + " wiops=" + figure(limit.writeOperations())));
            }
            return settings;
        }

        /// To whatever looks at weights here, and where nothing does to the file that the kernel has.
        private void addWeight(List<Setting> settings, int weight, String parent) {
            var sharing = new WeightSharing(tree);
            boolean cost = sharing.isAnyCost();
            boolean bfq = sharing.isAnyBfq() || (!cost && tree.find(parent, BFQ).isPresent());
            if (bfq) {
                settings.add(new Setting(WEIGHT, tree, BFQ, Integer.toString(weight)));
            }
            if (cost || !bfq) {
                settings.add(new Setting(WEIGHT, tree, COST, "default " + spread(weight)));
            }
        }

        /// From 10 to 1000, Docker's range, to 1 to 10000.
        static int spread(int weight) {
            return 1 + (weight - 10) * 9999 / 990;
        }

        private static String figure(long most) {
            return most == IoLimit.UNLIMITED ? "max" : Long.toString(most);
        }

        /// Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
        @Override
        public Optional<List<Usage.Io>> usage(GroupFiles files) {
            return files.find(tree, "io.stat").map(V2::usageIn);
        }

        private static List<Usage.Io> usageIn(String text) {
            return text.lines()
                    .filter(line -> line.contains("rbytes="))
                    .map(line -> new Usage.Io(
                            BlockDevice.parse(line.substring(0, line.indexOf(' '))),
                            value(line, " rbytes="),
                            value(line, " wbytes="),
                            value(line, " rios="),
                            value(line, " wios=")))
                    .toList();
        }

        private static long value(String line, String key) {
            int start = line.indexOf(key) + key.length();
            int end = line.indexOf(' ', start);
            return Long.parseLong(line, start, end < 0 ? line.length() : end, 10);
        }
    }
}
