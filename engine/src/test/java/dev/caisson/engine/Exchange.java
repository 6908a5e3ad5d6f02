package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// Somebody who exchanges a directory of a volume with a symbolic link, over and over, as fast as the kernel can.
final class Exchange implements AutoCloseable {
    static final String TARGET = "target";
    private static final String LINK = "link";

    private final Process race;

    /// @param volume gets a directory and a link, which leads to `elsewhere` from wherever it is followed
    Exchange(Path volume, Path elsewhere) throws IOException {
        prepare(volume, elsewhere);
        race = new ProcessBuilder("sh", "-c", "while mv --exchange -T target link; do :; done")
                .directory(volume.toFile())
                .redirectErrorStream(true)
                .start();
    }

    static void prepare(Path volume, Path elsewhere) throws IOException {
        Files.createDirectory(volume.resolve(TARGET));
        Files.createSymbolicLink(volume.resolve(LINK), Path.of("../../../../../../..", elsewhere.toString()));
    }

    void assertGoesOn() {
        assertThat(race.isAlive()).as("the race was on").isTrue();
    }

    @Override
    public void close() {
        race.destroyForcibly();
        try {
            race.waitFor(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
