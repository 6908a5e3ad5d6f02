package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Unpacks layers below a directory that has a neighbour which nothing may touch.
final class Unpacking {
    private static final long MOST_COMPARED = 8 << 20;
    private static final int ENTRY = 4_096;

    private final Path root;
    private final Path outside;
    private final UnpackLimits limits;
    private final LayerUnpacker.Ownership ownership;

    Unpacking(Path temporary, UnpackLimits limits, LayerUnpacker.Ownership ownership) throws IOException {
        this.root = Files.createDirectory(temporary.resolve("root"));
        this.outside = Files.createDirectory(temporary.resolve("outside"));
        Files.writeString(outside.resolve("canary"), "alive");
        Files.createSymbolicLink(outside.resolve("link"), Path.of("canary"));
        this.limits = limits;
        this.ownership = ownership;
    }

    /// What a member's owner is, as far as the test may decide it.
    static Unpacking plain(Path temporary) throws IOException {
        return new Unpacking(temporary, UnpackLimits.DEFAULT, LayerUnpacker.Ownership.CALLER);
    }

    Path root() {
        return root;
    }

    Path outside() {
        return outside;
    }

    /// Unpacks them into one tree, and once more each into a tree of its own: that has to come to the same.
    Unpacking layers(byte[]... layers) throws IOException {
        Optional<ImageException> refused = Optional.empty();
        try {
            inOne(layers);
        } catch (ImageException e) {
            refused = Optional.of(e);
        }
        try (var each = new LayeredUnpacking(limits, ownership)) {
            Optional<ImageException> alsoRefused = each.unpack(layers);
            assertThat(alsoRefused.map(ImageException::reason)).isEqualTo(refused.map(ImageException::reason));
            if (refused.isEmpty() && isSmall()) {
                assertThat(each.facts()).isEqualTo(facts(root));
            }
        }
        if (refused.isPresent()) {
            throw refused.orElseThrow();
        }
        return this;
    }

    /// Trees of bombs are too large to be held as text twice.
    private boolean isSmall() throws IOException {
        long size = 0;
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                size += ENTRY
                        + Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                                .size();
                if (size > MOST_COMPARED) {
                    return false;
                }
            }
            return true;
        }
    }

    private void inOne(byte[]... layers) throws IOException {
        try (Fd directory = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                var unpacker = new LayerUnpacker(directory, new UnpackBudget(limits, Long.MAX_VALUE), ownership)) {
            for (byte[] layer : layers) {
                unpacker.apply(new TarReader(new ByteArrayInputStream(layer), limits));
            }
            unpacker.finish();
        }
    }

    /// Also checks that nothing outside was touched.
    void assertRefused(Code code, byte[]... layers) throws IOException {
        var refused = catchThrowableOfType(ImageException.class, () -> layers(layers));
        assertThat(refused).as("the layer is refused").isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence().chars()).noneMatch(Character::isISOControl);
        assertUntouched();
    }

    void assertUntouched() throws IOException {
        assertThat(tree(outside)).isEqualTo(Map.of("canary", "file alive", "link", "link canary"));
        assertThat((int) Files.getAttribute(outside.resolve("canary"), "unix:nlink"))
                .isEqualTo(1);
        try (Stream<Path> beside = Files.list(outside.getParent())) {
            assertThat(beside.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("root", "outside");
        }
    }

    Map<String, String> tree() throws IOException {
        return tree(root);
    }

    static Map<String, String> tree(Path root) throws IOException {
        var tree = new TreeMap<String, String>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.filter(path -> !path.equals(root)).toList()) {
                String name = root.relativize(path).toString();
                if (Files.isSymbolicLink(path)) {
                    tree.put(name, "link " + Files.readSymbolicLink(path));
                } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    tree.put(name, "directory");
                } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    tree.put(name, "file " + Files.readString(path));
                } else {
                    tree.put(name, "special");
                }
            }
        }
        return tree;
    }

    /// Describes a tree with its modes, owners and links; the times of directories that no layer lists are not told.
    static Map<String, String> facts(Path root) throws IOException {
        var facts = new TreeMap<String, String>();
        for (Map.Entry<String, String> entry : tree(root).entrySet()) {
            if (entry.getKey().indexOf('\uFFFD') >= 0) {
                continue; // Java's own files cannot name it
            }
            Path path = root.resolve(entry.getKey());
            Map<String, Object> read =
                    Files.readAttributes(path, "unix:mode,uid,gid,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
            String time = entry.getValue().equals("directory") ? "" : " " + read.get("lastModifiedTime");
            facts.put(
                    entry.getKey(),
                    "%o %s:%s%s %s"
                            .formatted(
                                    (int) Objects.requireNonNull(read.get("mode")),
                                    read.get("uid"),
                                    read.get("gid"),
                                    time,
                                    entry.getValue()));
        }
        return facts;
    }
}
