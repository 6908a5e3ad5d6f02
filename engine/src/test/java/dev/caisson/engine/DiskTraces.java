package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// What layers on disk have left.
final class DiskTraces {
    private static final int TRIES = 100;

    private DiskTraces() {}

    /// Files without a name that are a disk, after a moment in which the kernel takes the last mount down.
    static List<String> loopDevices() throws IOException, InterruptedException {
        List<String> left = attached();
        for (int i = 0; i < TRIES && !left.isEmpty(); i++) {
            TimeUnit.MILLISECONDS.sleep(20);
            left = attached();
        }
        return left;
    }

    static List<String> attached() throws IOException {
        var attached = new ArrayList<String>();
        try (Stream<Path> disks = Files.list(Path.of("/sys/block"))) {
            for (Path disk : disks.toList()) {
                Path file = disk.resolve("loop/backing_file");
                if (Files.exists(file)) {
                    attached.add(disk + " " + Files.readString(file).strip());
                }
            }
        } catch (java.nio.file.NoSuchFileException e) {
            return attached(); // one let go between the two looks
        }
        attached.removeIf(line -> !line.endsWith("(deleted)"));
        return attached;
    }

    /// Below the directory of layers, but for the directories that hold them.
    static List<Path> files(Path data) throws IOException {
        Path layers = data.resolve("layers");
        if (!Files.exists(layers)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(layers)) {
            return paths.filter(path -> path.getNameCount() > layers.getNameCount() + 1)
                    .toList();
        }
    }
}
