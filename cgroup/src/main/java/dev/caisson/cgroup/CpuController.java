package dev.caisson.cgroup;

import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The cpu controller of either version.
sealed interface CpuController extends Controller {
    String NAME = "cpus";
    String SHARES = "cpu-shares";

    Usage.Throttling throttling(GroupFiles files);

    Optional<CpuQuota> quota(GroupFiles files);

    @Override
    default List<Lack> lacks(Limits limits, String parent) {
        return List.of();
    }

    static boolean isNeeded(Limits limits) {
        return limits.cpuQuota().isPresent() || limits.cpuShares() != Limits.DEFAULT_CPU_SHARES;
    }

    /// Documentation/scheduler/sched-bwc.rst and sched-design-CFS.rst
    record V1(Tree tree) implements CpuController {
        private static final String PERIOD = "cpu.cfs_period_us";
        private static final String QUOTA = "cpu.cfs_quota_us";

        @Override
        public List<Setting> settings(Limits limits, String parent) {
            Optional<CpuQuota> quota = limits.cpuQuota();
            long period = quota.map(CpuQuota::periodMicros).orElse(CpuQuota.DEFAULT_PERIOD);
            long micros = quota.map(CpuQuota::quotaMicros).orElse(-1L);
            int shares = limits.cpuShares();
            return List.of(
                    new Setting(
                            SHARES, tree, "cpu.shares", Integer.toString(shares), shares == Limits.DEFAULT_CPU_SHARES),
                    new Setting(NAME, tree, PERIOD, Long.toString(period), quota.isEmpty()),
                    new Setting(NAME, tree, QUOTA, Long.toString(micros), quota.isEmpty()));
        }

        @Override
        public Usage.Throttling throttling(GroupFiles files) {
            var stat = new KeyedText(files.read(tree, "cpu.stat"));
            return new Usage.Throttling(
                    stat.get("nr_periods"), stat.get("nr_throttled"), Duration.ofNanos(stat.get("throttled_time")));
        }

        @Override
        public Optional<CpuQuota> quota(GroupFiles files) {
            return files.find(tree, QUOTA)
                    .map(Long::parseLong)
                    .filter(micros -> micros > 0)
                    .map(micros -> new CpuQuota(micros, Long.parseLong(files.read(tree, PERIOD))));
        }
    }

    /// Documentation/admin-guide/cgroup-v2.rst
    record V2(Tree tree) implements CpuController {
        private static final int LEAST_WEIGHT = 1;
        private static final int MOST_WEIGHT = 10_000;

        @Override
        public List<Setting> settings(Limits limits, String parent) {
            Optional<CpuQuota> quota = limits.cpuQuota();
            int shares = limits.cpuShares();
            return List.of(
                    new Setting(
                            SHARES,
                            tree,
                            "cpu.weight",
                            Integer.toString(weight(shares)),
                            shares == Limits.DEFAULT_CPU_SHARES),
                    new Setting(
                            NAME,
                            tree,
                            "cpu.max",
                            quota.map(q -> q.quotaMicros() + " " + q.periodMicros())
                                    .orElse("max " + CpuQuota.DEFAULT_PERIOD),
                            quota.isEmpty()));
        }

        /// The weight that stands for as many shares: the curve through 2 = 1, 1024 = 100 and 262144 =
        /// 10000 that the OCI runtimes agreed on. A container at the default weighs as much as any other
        /// group at its default.
        static int weight(int shares) {
            double log = log2(shares);
            double exponent = (log * log + 125 * log) / 612 - 7.0 / 34;
            return Math.clamp((long) Math.ceil(Math.pow(10, exponent)), LEAST_WEIGHT, MOST_WEIGHT);
        }

        /// Exact for powers of two, where a logarithm that is a hair too large would make the weight one
        /// more.
        private static double log2(int value) {
            return Integer.bitCount(value) == 1 ? Integer.numberOfTrailingZeros(value) : Math.log(value) / Math.log(2);
        }

        @Override
        public Usage.Throttling throttling(GroupFiles files) {
            var stat = new KeyedText(files.read(tree, "cpu.stat"));
            return new Usage.Throttling(
                    stat.get("nr_periods"), stat.get("nr_throttled"), KeyedText.micros(stat.get("throttled_usec")));
        }

        @Override
        public Optional<CpuQuota> quota(GroupFiles files) {
            return files.find(tree, "cpu.max")
                    .filter(text -> !text.startsWith("max"))
                    .map(text -> {
                        int space = text.indexOf(' ');
                        return new CpuQuota(
                                Long.parseLong(text, 0, space, 10), Long.parseLong(text, space + 1, text.length(), 10));
                    });
        }
    }
}
