package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.LoopDevices;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Groups that share a disk by weight: a disk of this test's own, in memory, whose scheduler is bfq.
class IoShareTest extends KernelTest {
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final int MIB = 1 << 20;
    private static final int DISK_MIB = 128;
    /// By the number of its readers the victim would get a fifth.
    private static final int VICTIMS = 4;

    private static final int HOGS = 16;
    private static final Limits READERS = SMALL.pids(64);
    private static final int WEIGHT = 100;
    private static final double HALF = 0.5;
    private static final double THREE_QUARTERS = 0.75;
    private static final double TOLERANCE = 0.1;
    /// A machine that is busy with other things may keep the victim from reading, but hardly each time.
    private static final int TRIES = 4;

    private static final int SECONDS = 2;

    @Test
    void a_busy_neighbour_costs_no_more_than_its_share() throws Exception {
        try (LoopDevices.Attached disk = disk()) {
            assertShare(HALF, disk, READERS.ioWeight(WEIGHT), READERS.ioWeight(WEIGHT));
        }
    }

    @Test
    void the_weight_of_one_disk_counts_there() throws Exception {
        try (LoopDevices.Attached disk = disk()) {
            var heavy = new IoWeight(BlockDevice.at(Path.of(disk.path())), 3 * WEIGHT);

            assertShare(THREE_QUARTERS, disk, READERS.ioWeights(List.of(heavy)), READERS.ioWeight(WEIGHT));
        }
    }

    private void assertShare(double share, LoopDevices.Attached disk, Limits victims, Limits hogs) throws Exception {
        Cgroup victim = hierarchy.create(PARENT, "victim", victims);
        Cgroup hog = hierarchy.create(PARENT, "hog", hogs);
        List<Inside> readers = new ArrayList<>();
        try {
            for (int i = 0; i < VICTIMS; i++) {
                readers.add(reader(victim, disk));
            }
            for (int i = 0; i < HOGS; i++) {
                readers.add(reader(hog, disk));
            }
            TimeUnit.MILLISECONDS.sleep(500);
            double got = 0;
            for (int tries = 0; tries < TRIES && got < share - TOLERANCE; tries++) {
                got = Math.max(got, share(victim, hog, disk));
            }

            assertThat(got).isGreaterThanOrEqualTo(share - TOLERANCE);
        } finally {
            victim.kill();
            hog.kill();
            readers.forEach(Inside::close);
        }
    }

    @Test
    void a_weight_of_one_disk_stays_when_that_of_all_changes() throws Exception {
        try (LoopDevices.Attached disk = disk()) {
            var weight = new IoWeight(BlockDevice.at(Path.of(disk.path())), 300);
            Limits limits = SMALL.ioWeight(200).ioWeights(List.of(weight));
            Cgroup cgroup = hierarchy.create(PARENT, "weights", limits);
            List<KernelSetting> former = cgroup.settings(limits);
            assertThat(former)
                    .extracting(KernelSetting::limit)
                    .contains("blkio-weight", "blkio-weight-device-" + weight.device());
            assertThat(cgroup.standing(former)).allMatch(Cgroup.Standing::isAsPlanned);

            cgroup.update(limits.ioWeight(500), former);

            List<KernelSetting> changed = cgroup.settings(limits.ioWeight(500));
            assertThat(cgroup.standing(changed)).allMatch(Cgroup.Standing::isAsPlanned);
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() ->
                            cgroup.update(limits.ioWeights(List.of(new IoWeight(weight.device(), 301))), changed))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.FIXED_LIMIT));
            assertThat(cgroup.standing(changed)).allMatch(Cgroup.Standing::isAsPlanned);
        }
    }

    /// A disk without a scheduler, whose requests the kernel's own cost model weighs: version 2 alone has it.
    @Test
    void the_kernels_own_cost_model_shares_by_weight_too() throws Exception {
        assumeTrue(hierarchy.world() == Hierarchy.World.V2, "this machine has the I/O controller of version 1");
        try (LoopDevices.Attached disk = disk()) {
            var device = BlockDevice.at(Path.of(disk.path()));
            Files.writeString(queue(disk).resolve("scheduler"), "none");
            Limits limits = SMALL.ioWeight(100).ioWeights(List.of(new IoWeight(device, 1000)));
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.create(PARENT, "refused", limits))
                    .withMessageContaining("blkio-weight");
            Tree tree = hierarchy.trees().getFirst();
            tree.write("", "io.cost.qos", device + " enable=1");
            try {
                Cgroup cgroup = hierarchy.create(PARENT, "cost", limits);

                assertThat(tree.read(cgroup.path(), "io.weight")).isEqualTo("default 910\n" + device + " 10000");
                assertThat(cgroup.standing(cgroup.settings(limits))).allMatch(Cgroup.Standing::isAsPlanned);
            } finally {
                tree.write("", "io.cost.qos", device + " enable=0");
            }
        }
    }

    @Test
    void a_disk_that_does_not_share_by_weight_is_named() throws Exception {
        try (LoopDevices.Attached disk = disk()) {
            var looked = new IoWeight(BlockDevice.at(Path.of(disk.path())), 300);
            var ignored = new IoWeight(new BlockDevice(259, 4095), 300);
            Limits limits = SMALL.ioWeights(List.of(looked, ignored));
            String lack = "blkio-weight-device-259:4095";

            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.create(PARENT, "refused", limits))
                    .withMessageContaining("the limit " + lack + " cannot be enforced here")
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.UNENFORCEABLE));
            Cgroup told = hierarchy.create(PARENT, "told", limits.bestEffort(true));
            List<KernelSetting> settings = told.settings(limits.bestEffort(true));
            told.update(limits.bestEffort(true).pids(9), settings);

            assertThat(told.lacks()).extracting(Lack::limit).containsExactly(lack);
            assertThat(settings)
                    .extracting(KernelSetting::limit)
                    .contains("blkio-weight-device-" + looked.device())
                    .doesNotContain(lack);
            assertThat(told.standing(settings))
                    .filteredOn(standing -> standing.setting().limit().startsWith("blkio"))
                    .allMatch(Cgroup.Standing::isAsPlanned);
        }
    }

    /// What the victim gets of all that is read in a moment.
    private static double share(Cgroup victim, Cgroup hog, LoopDevices.Attached disk) throws Exception {
        long victimBefore = read(victim, disk);
        long hogBefore = read(hog, disk);
        TimeUnit.SECONDS.sleep(SECONDS);
        double mine = read(victim, disk) - victimBefore;
        double theirs = read(hog, disk) - hogBefore;
        return mine / (mine + theirs);
    }

    private static LoopDevices.Attached disk() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/loop-control")), "this kernel has no loop devices");
        try (Fd directory = FileSystem.open(MEMORY.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                Fd file = FileSystem.unnamed(directory, 0600)) {
            byte[] content = new byte[MIB];
            java.util.Arrays.fill(content, (byte) 1);
            for (long at = 0; at < DISK_MIB; at++) {
                FileContent.writeAt(file, content, 0, MIB, at * MIB);
            }
            LoopDevices.Attached disk = LoopDevices.attach(file);
            try {
                Path queue = queue(disk);
                assumeTrue(Files.readString(queue.resolve("scheduler")).contains("bfq"), "this kernel has no bfq");
                Files.writeString(queue.resolve("scheduler"), "bfq");
                // A disk in memory is no slower than its readers: it is treated as one that is.
                Files.writeString(queue.resolve("rotational"), "1");
                Files.writeString(queue.resolve("iosched/low_latency"), "0");
                Files.writeString(queue.resolve("iosched/strict_guarantees"), "1");
                return disk;
            } catch (IOException | RuntimeException e) {
                disk.close();
                throw e;
            }
        }
    }

    private static Path queue(LoopDevices.Attached disk) {
        return Path.of("/sys/block").resolve(Path.of(disk.path()).getFileName()).resolve("queue");
    }

    private static Inside reader(Cgroup group, LoopDevices.Attached disk) throws IOException {
        return Inside.start(
                group, "while :; do dd if=" + disk.path() + " of=/dev/null bs=1M iflag=direct 2>/dev/null; done");
    }

    private static long read(Cgroup group, LoopDevices.Attached disk) throws IOException {
        BlockDevice device = BlockDevice.at(Path.of(disk.path()));
        return group.usage().io().orElseThrow().stream()
                .filter(used -> used.device().equals(device))
                .mapToLong(Usage.Io::readBytes)
                .sum();
    }
}
