package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Which image is found in an OCI layout, and what is no layout.
@Timeout(60)
class OciLayoutReaderTests {
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";
    private static final String HERE = Platform.running().architecture();

    @TempDir
    Path temporary;

    private Path layout;

    @BeforeEach
    void an_empty_layout() throws IOException {
        layout = temporary.resolve("layout");
        Files.createDirectories(layout.resolve("blobs/sha256"));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    private static Digest digest(String content) {
        return Digest.of(content.getBytes(StandardCharsets.UTF_8));
    }

    private Path blob(String content) {
        return layout.resolve("blobs/sha256/" + digest(content).hex());
    }

    /// Writes a blob and returns its descriptor, with `more` members.
    private String descriptor(String type, String content, String more) throws IOException {
        Files.writeString(blob(content), content);
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest(content) + "\",\"size\":" + content.length()
                + more + "}";
    }

    private static String named(String name) {
        return ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" + name + "\"}";
    }

    private static String platform(String architecture) {
        return ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" + architecture + "\"}";
    }

    private static String config(String... layers) {
        List<String> diffs =
                Stream.of(layers).map(layer -> "\"" + digest(layer) + "\"").toList();
        return "{\"os\":\"linux\",\"architecture\":\"" + HERE + "\",\"rootfs\":{\"diff_ids\":["
                + String.join(",", diffs) + "]}}";
    }

    /// A manifest of one layer with this text.
    private String manifest(String layer) throws IOException {
        return manifest(descriptor(CONFIG, config(layer), ""), descriptor(LAYER, layer, ""));
    }

    private static String manifest(String config, String... layers) {
        return "{\"schemaVersion\":2,\"config\":" + config + ",\"layers\":[" + String.join(",", layers) + "]}";
    }

    private static String index(String... manifests) {
        return "{\"schemaVersion\":2,\"manifests\":[" + String.join(",", manifests) + "]}";
    }

    private void top(String... manifests) throws IOException {
        Files.writeString(layout.resolve("index.json"), index(manifests));
    }

    private PackedImage read(String... reference) throws IOException {
        try (var reader = new OciLayoutReader(layout)) {
            return reader.read(Stream.of(reference).findFirst());
        }
    }

    private Digest layer(String... reference) throws IOException {
        return read(reference).layers().getFirst().diffId();
    }

    private void assertRefused(Code code, String sentence, String... reference) throws IOException {
        int before = openFiles();
        var refused = catchThrowableOfType(ImageException.class, () -> read(reference));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused).hasMessageContaining(sentence);
        assertThat(openFiles()).isEqualTo(before);
    }

    /// Those of the layout.
    private int openFiles() throws IOException {
        int open = 0;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : all.toList()) {
                if (Files.isSymbolicLink(each) && Files.readSymbolicLink(each).startsWith(layout)) {
                    open++;
                }
            }
        }
        return open;
    }

    @Test
    void an_image_is_its_manifest_its_configuration_and_its_layers() throws IOException {
        String manifest = manifest(
                descriptor(CONFIG, config("one", "second"), ""),
                descriptor(LAYER, "one", ""),
                descriptor(LAYER, "second", ""));
        top(descriptor(MANIFEST, manifest, ""));

        PackedImage image = read();

        assertThat(image.id()).isEqualTo(digest(manifest));
        assertThat(image.layers()).hasSize(2);
        PackedImage.PackedLayer second = image.layers().get(1);
        assertThat(second.diffId()).isEqualTo(digest("second"));
        assertThat(second.packed()).contains(digest("second"));
        assertThat(second.place()).isEqualTo(digest("second").hex());
        assertThat(second.size()).isEqualTo(6);
        assertThat(openFiles()).isZero();
    }

    @Test
    void what_is_no_layout_is_refused() throws IOException {
        var missing = catchThrowableOfType(ImageException.class, () -> new OciLayoutReader(temporary.resolve("x")));
        var file = catchThrowableOfType(ImageException.class, () -> new OciLayoutReader(layout.resolve("oci-layout")));

        assertThat(missing.reason()).isEqualTo(Code.NOT_FOUND);
        assertThat(file.reason()).isEqualTo(Code.NOT_A_DIRECTORY);
        assertRefused(Code.NOT_FOUND, "index.json cannot be opened (ENOENT)");
        Files.createDirectory(layout.resolve("index.json"));
        assertRefused(Code.BAD_MANIFEST, "is no regular file");
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"2.0.0\"}");
        assertRefused(Code.UNSUPPORTED_FORMAT, "of version \"2.0.0\"");
    }

    /// One that is opened for reading keeps whoever opens it waiting for a writer.
    @Test
    void a_pipe_is_not_opened() throws Exception {
        Path pipe = layout.resolve("index.json");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();

        assertRefused(Code.BAD_MANIFEST, "is no regular file");
    }

    @Test
    void a_document_has_at_most_4_mib() throws IOException {
        String manifest = manifest("one");
        String fits = manifest + " ".repeat((4 << 20) - manifest.length());
        top(descriptor(MANIFEST, fits, ""));
        assertThat(layer()).isEqualTo(digest("one"));
        top(descriptor(MANIFEST, fits + " ", ""));
        assertRefused(Code.TOO_LARGE, "the manifest of the image has 4194305 bytes; at most 4194304");
        String index = index(descriptor(MANIFEST, manifest, ""));
        Files.writeString(layout.resolve("index.json"), index + " ".repeat((4 << 20) - index.length()));
        assertThat(layer()).isEqualTo(digest("one"));
        Files.writeString(layout.resolve("index.json"), index + " ".repeat((4 << 20) + 1 - index.length()));
        assertRefused(Code.TOO_LARGE, "the index of the image has 4194305 bytes; at most 4194304");
    }

    /// At most twenty are shown: the list is the layout's own.
    @Test
    void names_of_a_layout_are_shown_in_bounds() throws IOException {
        var manifests = new ArrayList<String>();
        for (int number = 10; number < 40; number++) {
            manifests.add(descriptor(MANIFEST, manifest("layer " + number), named("a:" + number)));
        }
        top(manifests.toArray(String[]::new));

        assertRefused(Code.AMBIGUOUS_REFERENCE, "a:29");
        assertThat(catchThrowableOfType(ImageException.class, this::read).sentence())
                .contains("\"a:10\"")
                .doesNotContain("a:30");
    }

    @Test
    void a_document_that_cannot_be_used_is_named() throws IOException {
        Files.writeString(layout.resolve("index.json"), "{");
        assertRefused(Code.BAD_MANIFEST, "the index of the image is cut off");
        top(descriptor(MANIFEST, "{", ""));
        assertRefused(Code.BAD_MANIFEST, "the manifest of the image is cut off");
        top(descriptor("application/x", manifest("one"), ""));
        assertRefused(Code.UNSUPPORTED_FORMAT, "a manifest of type \"application/x\"");
        top(descriptor(MANIFEST, "{\"schemaVersion\":2,\"layers\":[]}", ""));
        assertRefused(Code.BAD_MANIFEST, "has no configuration");
    }

    @Test
    void nothing_outside_of_the_layout_is_read() throws IOException {
        Path outside = Files.writeString(temporary.resolve("index.json"), index());
        Files.createSymbolicLink(layout.resolve("index.json"), outside);

        assertRefused(Code.NOT_FOUND, "(EXDEV)");
    }

    @Test
    void an_image_has_a_name() throws IOException {
        top(descriptor(MANIFEST, manifest("one"), named("a")), descriptor(MANIFEST, manifest("two"), named("b")));

        assertThat(layer("a")).isEqualTo(digest("one"));
        assertThat(layer("b")).isEqualTo(digest("two"));
        assertRefused(Code.NOT_FOUND, "has no image \"c\"; it has \"a\", \"b\"", "c");
        assertRefused(Code.AMBIGUOUS_REFERENCE, "several images; name the one to take: \"a\", \"b\"");
    }

    @Test
    void names_are_not_made_up() throws IOException {
        top();
        assertRefused(Code.NOT_FOUND, "has no image; fetch");
        assertRefused(Code.NOT_FOUND, "it has none with a name", "a");
        top(descriptor(MANIFEST, manifest("one"), ""), descriptor(MANIFEST, manifest("two"), ""));
        assertRefused(Code.AMBIGUOUS_REFERENCE, "none with a name");
    }

    @Test
    void an_image_that_is_listed_twice_is_one() throws IOException {
        String one = manifest("one");
        top(descriptor(MANIFEST, one, named("a")), descriptor(MANIFEST, one, named("b")));

        assertThat(layer()).isEqualTo(digest("one"));
    }

    @Test
    void of_several_platforms_this_one_is_taken() throws IOException {
        top(
                descriptor(MANIFEST, manifest("one"), platform("other")),
                descriptor(MANIFEST, manifest("two"), platform(HERE)));
        assertThat(layer()).isEqualTo(digest("two"));
        top(descriptor(MANIFEST, manifest("one"), platform(HERE)), descriptor(MANIFEST, manifest("two"), ""));
        assertThat(layer()).isEqualTo(digest("one"));
        top(descriptor(MANIFEST, manifest("one"), platform("other")));
        assertRefused(Code.PLATFORM_MISSING, "has no image for linux/" + HERE);
        top(descriptor(MANIFEST, manifest("one"), platform("other")), descriptor(MANIFEST, manifest("two"), ""));
        assertRefused(Code.PLATFORM_MISSING, "has no image for linux/" + HERE);
        top(
                descriptor(MANIFEST, manifest("one"), platform(HERE)),
                descriptor(MANIFEST, manifest("two"), platform(HERE)));
        assertRefused(Code.AMBIGUOUS_REFERENCE, "several images");
    }

    /// An index in so many indexes that the last names the image.
    private void nested(int indexes) throws IOException {
        String inner = descriptor(MANIFEST, manifest("one"), "");
        for (int i = 0; i < indexes; i++) {
            inner = descriptor(INDEX, index(inner), "");
        }
        top(inner);
    }

    @Test
    void indexes_lie_in_each_other_three_deep() throws IOException {
        nested(3);
        assertThat(layer()).isEqualTo(digest("one"));
        nested(4);
        assertRefused(Code.BAD_MANIFEST, "without end");
    }

    @Test
    void content_is_what_its_digest_and_size_say() throws IOException {
        String manifest = manifest("one");
        top(descriptor(MANIFEST, manifest, ""));
        Files.writeString(blob(manifest), manifest.replace("\"layers\"", "\"Layers\""));
        assertRefused(Code.DIGEST_MISMATCH, "is not what its digest says");
        Files.writeString(blob(manifest), manifest + " ");
        assertRefused(
                Code.DIGEST_MISMATCH, "has " + (manifest.length() + 1) + " bytes and should have " + manifest.length());
        Files.writeString(blob(manifest), manifest);
        Files.writeString(blob("one"), "longer");
        try (var reader = new OciLayoutReader(layout)) {
            PackedImage image = reader.read(java.util.Optional.empty());
            var refused = catchThrowableOfType(
                    ImageException.class,
                    () -> image.layers().getFirst().opening().open());
            assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
        }
        Files.writeString(blob("one"), "one");
        try (var reader = new OciLayoutReader(layout);
                FileSlice slice = reader.read(java.util.Optional.empty())
                        .layers()
                        .getFirst()
                        .opening()
                        .open()) {
            assertThat(slice.readAllBytes()).isEqualTo("one".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void only_images_of_containers_are_read() throws IOException {
        top(descriptor(
                MANIFEST, manifest(descriptor("application/x", config("one"), ""), descriptor(LAYER, "one", "")), ""));
        assertRefused(Code.UNSUPPORTED_FORMAT, "not the image of a container");
        top(descriptor(
                MANIFEST, manifest(descriptor(CONFIG, config("one"), ""), descriptor("application/x", "one", "")), ""));
        assertRefused(Code.UNSUPPORTED_FORMAT, "a layer of type \"application/x\"");
        String one = descriptor(LAYER, "one", "");
        top(descriptor(MANIFEST, manifest(descriptor(CONFIG, config("one"), ""), one, one), ""));
        assertRefused(Code.BAD_MANIFEST, "has 2 layers and its configuration names 1");
    }
}
