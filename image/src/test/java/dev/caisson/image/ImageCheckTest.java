package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What `image verify` finds: a byte of a blob, and anything about a file of an unpacked layer.
@Tag("root")
@Timeout(60)
class ImageCheckTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private ImageStore store;
    private StoredImage image;

    @BeforeEach
    void an_image_of_two_layers() throws IOException {
        store = ImageStore.open(temporary.resolve("store"));
        var sample = new SampleImage("y");
        try (var registry = new ScriptedRegistry(ScriptedRegistry.serving(sample))) {
            image = store.pull(
                    ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none());
        }
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void unpack() {
        Rootfs _ = store.resolve(
                new Image.Named(ImageReference.parse(image.repository() + ":1")), ProgressListener.none());
    }

    private Path upper() throws IOException {
        try (Stream<Path> trees = Files.list(temporary.resolve("store/layers"))) {
            return trees.filter(tree -> Files.exists(tree.resolve("new")))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void an_image_that_was_pulled_is_sound_before_and_after_it_is_unpacked() throws IOException {
        assertThat(store.check(image)).isEqualTo(new ImageCheck(4, 0, 2, List.of()));
        unpack();
        assertThat(store.check(image)).isEqualTo(new ImageCheck(4, 2, 0, List.of()));
        try (Stream<Path> left = Files.list(temporary.resolve("store/layers"))) {
            assertThat(left.filter(Files::isDirectory)).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void every_changed_byte_of_a_blob_is_found(Blob blob) throws IOException {
        Digest digest = switch (blob) {
            case MANIFEST -> image.manifest();
            case CONFIG -> store.describe(image).id();
            case LAYER -> store.layers(image).getLast().blob();
        };
        Path file = temporary.resolve("store/content/blobs/sha256").resolve(digest.hex());
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 1;
        Files.write(file, content);
        ImageCheck check = store.check(image);
        assertThat(check.isSound()).isFalse();
        assertThat(check.faults().getFirst().code()).isIn("DIGEST_MISMATCH", "BAD_ARCHIVE");
        Files.delete(file);
        assertThat(store.check(image).faults().getFirst().code()).isEqualTo("NOT_FOUND");
    }

    enum Blob {
        MANIFEST,
        CONFIG,
        LAYER
    }

    /// Changes a file of a tree.
    interface Change {
        void to(Path tree) throws IOException;
    }

    @SuppressWarnings("ImmutableEnumChecker") // its changes keep nothing
    enum Difference {
        CONTENT("/new has other content", tree -> {
            FileTime time = Files.getLastModifiedTime(tree.resolve("new"));
            Files.writeString(tree.resolve("new"), "z");
            Files.setLastModifiedTime(tree.resolve("new"), time);
        }),
        SIZE("/new has 2 bytes in place of 1", tree -> Files.writeString(tree.resolve("new"), "yy")),
        MODE(
                "/new has the mode",
                tree -> Files.setPosixFilePermissions(
                        tree.resolve("new"), PosixFilePermissions.fromString("rwxrwxrwx"))),
        OWNER("/new belongs to 5:", tree -> Files.setAttribute(tree.resolve("new"), "unix:uid", 5)),
        TIME(
                "/new was modified",
                tree -> Files.setLastModifiedTime(tree.resolve("new"), FileTime.from(Instant.ofEpochSecond(9)))),
        MORE("/etc is not of the image", tree -> Files.createDirectory(tree.resolve("etc"))),
        LESS("/new is missing", tree -> Files.delete(tree.resolve("new"))),
        UNHIDDEN("/gone is missing", tree -> Files.delete(tree.resolve("gone"))),
        ANOTHER_NAME("/new has 2 names in place of 1", tree -> {
            Files.createLink(tree.resolveSibling("other-name"), tree.resolve("new"));
        }),
        ROOT_ATTRIBUTE(
                ": / has other extended attributes", tree -> Files.setAttribute(tree, "user:mark", new byte[] {1})),
        ATTRIBUTE(
                "/new has other extended attributes",
                tree -> Files.setAttribute(tree.resolve("new"), "user:mark", new byte[] {1}));

        private final String text;
        private final Change change;

        Difference(String text, Change change) {
            this.text = text;
            this.change = change;
        }
    }

    @ParameterizedTest
    @EnumSource
    void every_difference_of_an_unpacked_layer_is_found(Difference difference) throws IOException {
        unpack();
        difference.change.to(upper());
        ImageCheck check = store.check(image);
        assertThat(check.faults()).singleElement().satisfies(fault -> {
            assertThat(fault.code()).isEqualTo("TREE_DIFFERS");
            assertThat(fault.sentence()).contains(difference.text);
        });
        assertThat(check.notCompared()).isEqualTo(1);
    }

    @Test
    void an_image_that_lost_its_name_is_still_there_and_has_one_entry() throws IOException {
        store.tag(image, ImageReference.parse("other:1"));
        store.untag(store.find(ImageReference.parse("other:1")).orElseThrow());
        store.untag(image);
        store.untag(store.images().getFirst());
        assertThat(store.images()).allMatch(one -> one.tag().isEmpty()).hasSize(2);
        assertThat(store.check(store.images().getFirst()).isSound()).isTrue();
    }

    @Test
    void layers_are_told_lowest_first() {
        List<ImageLayer> layers = store.layers(image);
        assertThat(layers).hasSize(2);
        assertThat(layers.stream().mapToLong(ImageLayer::size).sum())
                .isLessThan(store.describe(image).bytes());
    }
}
