package dev.caisson.benchmarks;

import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Pulls and unpacks one image in a JVM of its own, and prints how long that took and the memory that it needed.
public final class PullOnce {
    private PullOnce() {}

    /// Pulls the image once.
    /// @param arguments the directories of state and data, and the image
    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        var reference = ImageReference.parse(arguments[2]);
        long before = System.nanoTime();
        try (Images images = Images.open(options)) {
            var _ = images.pull(reference, RegistryLogins.none(), PullListener.none());
            images.tree(new Image.Named(reference)).close();
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before);
        String peak = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst()
                .orElseThrow();
        System.out.printf(
                Locale.ROOT,
                "%d ms in a heap of %d MiB, %d MiB of memory at most%n",
                millis,
                Runtime.getRuntime().maxMemory() >> 20,
                Long.parseLong(peak) >> 10);
    }
}
