package dev.caisson.cgroup;

import dev.caisson.linux.ByteText;
import dev.caisson.spec.BlockDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Knows which disks are shared by weight. All others take a weight and share as they like: the scheduler bfq looks at
/// its own, and `iocost`, which is switched on for each disk in `io.cost.qos` of the root group, at that of version 2.
///
/// @param tree of the I/O controller
record WeightSharing(Tree tree) {
    private static final Path DISKS = Path.of("/sys/block");

    boolean isAnyBfq() {
        try (Stream<Path> disks = Files.list(DISKS)) {
            return disks.anyMatch(WeightSharing::isBfq);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isBfq(BlockDevice disk) {
        return isBfq(Path.of("/sys/dev/block").resolve(disk.toString()));
    }

    private static boolean isBfq(Path disk) {
        try {
            return ByteText.read(disk.resolve("queue/scheduler")).contains("[bfq]");
        } catch (IOException e) { // no scheduler, or a disk that was taken out meanwhile
            return false;
        }
    }

    boolean isAnyCost() {
        return costs().findAny().isPresent();
    }

    boolean isCost(BlockDevice disk) {
        return costs().anyMatch(line -> line.startsWith(disk + " "));
    }

    private Stream<String> costs() {
        return tree.isUnified()
                ? tree.find("", "io.cost.qos").stream().flatMap(String::lines).filter(line -> line.contains("enable=1"))
                : Stream.empty();
    }
}
