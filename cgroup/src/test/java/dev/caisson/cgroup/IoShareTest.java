package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.LoopDevices;
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
    private static final double TOLERANCE = 0.1;
    /// A machine that is busy with other things may keep the victim from reading, but hardly each time.
    private static final int TRIES = 4;

    private static final int SECONDS = 2;

    @Test
    void aBusyNeighbourCostsNoMoreThanItsShare() throws Exception {
        try (LoopDevices.Attached disk = disk()) {
            Cgroup victim = hierarchy.create(PARENT, "victim", READERS.ioWeight(WEIGHT));
            Cgroup hog = hierarchy.create(PARENT, "hog", READERS.ioWeight(WEIGHT));
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
                for (int tries = 0; tries < TRIES && got < HALF - TOLERANCE; tries++) {
                    got = Math.max(got, share(victim, hog, disk));
                }

                assertThat(got).isGreaterThanOrEqualTo(HALF - TOLERANCE);
            } finally {
                victim.kill();
                hog.kill();
                readers.forEach(Inside::close);
            }
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
