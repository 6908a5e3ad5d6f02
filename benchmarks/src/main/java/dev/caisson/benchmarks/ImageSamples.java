package dev.caisson.benchmarks;

import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;

/// Makes the images that are pulled, and puts them into a registry.
///
/// @param directory for archives of layers
record ImageSamples(Images images, LocalRegistry registry, Path directory) {
    private static final int LARGE_FILES = 16;
    private static final int BLOCK = 1 << 16;
    /// Every so manieth block is random, the others repeat it: what compresses about as files of programs do.
    private static final int RANDOM_EVERY = 3;

    /// Pushes an image of three layers: the files of a directory, its `usr/share`, and its `usr/lib`.
    /// @return its name
    String split(Path root, String repository) throws IOException, InterruptedException {
        List<NewLayer> layers = List.of(
                packed(
                        root,
                        "base",
                        List.of("--exclude=./usr/share/*", "--exclude=./usr/lib/*", "--exclude=./dev/*", ".")),
                packed(root, "share", List.of("./usr/share")),
                packed(root, "lib", List.of("./usr/lib")));
        return pushed(Optional.empty(), layers, repository);
    }

    private NewLayer packed(Path root, String name, List<String> what) throws IOException, InterruptedException {
        Path file = directory.resolve(name + ".tar");
        var command = new ArrayList<>(List.of("tar", "-C", root.toString(), "--numeric-owner", "-cf", file.toString()));
        command.addAll(what);
        if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
            throw new IOException("tar of " + root + " failed");
        }
        return NewLayer.of(file, true);
    }

    /// Pushes an image of another one's layers and a small one.
    String above(StoredImage base, String repository) throws IOException {
        byte[] text = "above\n".getBytes(StandardCharsets.US_ASCII);
        return pushed(
                Optional.of(base),
                List.of(new NewLayer(
                        to -> {
                            var tar = new TarWriter(to);
                            tar.file("above", text.length, attributes());
                            tar.content(text, text.length);
                            tar.finish();
                        },
                        true)),
                repository);
    }

    /// Pushes an image of one layer of so many bytes.
    String large(long bytes, String repository) throws IOException {
        return pushed(Optional.empty(), List.of(new NewLayer(to -> fill(to, bytes / LARGE_FILES), true)), repository);
    }

    private static void fill(OutputStream to, long size) throws IOException {
        var random = new Random(1);
        var block = new byte[BLOCK];
        var tar = new TarWriter(to);
        for (int file = 0; file < LARGE_FILES; file++) {
            tar.file("large" + file, size, attributes());
            for (long done = 0, number = 0; done < size; done += BLOCK, number++) {
                if (number % RANDOM_EVERY == 0) {
                    random.nextBytes(block);
                }
                tar.content(block, (int) Math.min(BLOCK, size - done));
            }
        }
        tar.finish();
    }

    private static TarWriter.Attributes attributes() {
        return new TarWriter.Attributes(0644, 0, 0, Instant.ofEpochSecond(1_000_000_000));
    }

    private String pushed(Optional<StoredImage> base, List<NewLayer> layers, String repository) throws IOException {
        String name = registry.name(repository);
        List<Digest> below = base.isEmpty()
                ? List.of()
                : images.layers(base.get()).stream()
                        .map(layer -> layer.diffId())
                        .toList();
        StoredImage made = images.make(base, layers, added -> config(below, added), ImageReference.parse(name));
        images.push(made, RegistryLogins.none(), PullListener.none());
        return name;
    }

    private static byte[] config(List<Digest> below, List<Digest> added) {
        var all = new ArrayList<>(below);
        all.addAll(added);
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Cmd\":[\"/bin/true\"],\"Env\":[\"PATH=/usr/bin:/bin\"]},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":"
                        + all.stream().map(id -> "\"" + id + "\"").collect(Collectors.joining(",", "[", "]}}")))
                .getBytes(StandardCharsets.UTF_8);
    }

    /// Writes a directory to be built, whose Dockerfile begins with an image.
    static Path context(Path directory, String base) throws IOException {
        Files.createDirectories(directory.resolve("src"));
        for (int i = 0; i < 200; i++) {
            Files.writeString(directory.resolve("src/file" + i), "content " + i + "\n");
        }
        Files.writeString(directory.resolve("setting"), "a = b\n");
        Files.writeString(directory.resolve("Dockerfile"), String.format(Locale.ROOT, """
                FROM %s
                WORKDIR /srv
                COPY setting /etc/setting
                RUN ls /usr/bin >programs
                RUN cat /etc/setting programs >both
                COPY src src
                RUN cat src/* >all
                CMD ["cat", "all"]
                """, base));
        return directory;
    }
}
