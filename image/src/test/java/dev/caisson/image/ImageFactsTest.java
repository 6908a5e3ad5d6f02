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
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is read of an image that is not unpacked.
class ImageFactsTest {
    private static final String ME = "me:x:7:8::/home:/bin/sh\n";

    @TempDir
    Path temporary;

    private Path layout;

    @BeforeEach
    void an_empty_layout() throws IOException {
        layout = temporary.resolve("layout");
        Files.createDirectories(layout.resolve("blobs/sha256"));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    private String descriptor(String type, byte[] content) throws IOException {
        Digest digest = Digest.of(content);
        Files.write(layout.resolve("blobs/sha256/" + digest.hex()), content);
        return "{\"mediaType\":\"application/vnd.oci.image." + type + "\",\"digest\":\"" + digest + "\",\"size\":"
                + content.length + "}";
    }

    private String descriptor(String type, String content) throws IOException {
        return descriptor(type, content.getBytes(StandardCharsets.UTF_8));
    }

    /// An image of these layers, lowest first.
    private ImageFacts read(byte[]... layers) throws IOException {
        var descriptors = new ArrayList<String>();
        var diffs = new ArrayList<String>();
        for (byte[] layer : layers) {
            descriptors.add(descriptor("layer.v1.tar", layer));
            diffs.add("\"" + Digest.of(layer) + "\"");
        }
        String config = descriptor(
                "config.v1+json",
                "{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"diff_ids\":[" + String.join(",", diffs)
                        + "]},\"config\":{\"User\":\"me\",\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"]}}}");
        String manifest = descriptor(
                "manifest.v1+json",
                "{\"schemaVersion\":2,\"config\":" + config + ",\"layers\":[" + String.join(",", descriptors) + "]}");
        Files.writeString(layout.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":[" + manifest + "]}");
        return ImageFacts.read(new Image.OciLayout(layout, Optional.empty()));
    }

    @Test
    void an_archive_of_docker_is_read_as_an_image_without_a_digest() throws IOException {
        byte[] layer = tar().file("etc/passwd", ME).build();
        String config =
                "{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"diff_ids\":[\"" + Digest.of(layer) + "\"]},\"config\":{\"User\":\"me\"}}";
        Path file = temporary.resolve("archive.tar");
        Files.write(
                file,
                tar().member('0', "l.tar", "", layer)
                        .file("c.json", config)
                        .file(
                                "manifest.json",
                                "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"],\"RepoTags\":[\"a:1\"]}]")
                        .build());
        for (Optional<String> reference : List.of(Optional.<String>empty(), Optional.of("a:1"))) {
            ImageFacts facts = ImageFacts.read(new Image.DockerArchive(file, reference));
            assertThat(facts.digest()).isEmpty();
            assertThat(facts.config().user()).isEqualTo("me");
            assertThat(facts.users()).containsKey("me");
            assertThat(facts.healthCheck()).isEmpty();
        }
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    @Test
    void an_image_s_configuration_and_accounts_are_read() throws IOException {
        ImageFacts facts = read(tar().file("./etc/passwd", ME).build());

        assertThat(facts.digest()).isPresent();
        assertThat(facts.config().user()).isEqualTo("me");
        assertThat(facts.healthCheck()).containsExactly("CMD", "t");
        assertThat(facts.users()).isEqualTo(Map.of("me", 7));
    }

    @Test
    void accounts_of_a_layer_that_is_not_the_image_s_are_not_believed() throws IOException {
        byte[] layer = tar().file("etc/passwd", ME).build();
        ImageFacts _ = read(layer);
        Path blob = layout.resolve("blobs/sha256/" + Digest.of(layer).hex());
        Files.write(blob, tar().file("etc/passwd", ME.replace('7', '0')).build());
        var refused = catchThrowableOfType(
                ImageException.class, () -> ImageFacts.read(new Image.OciLayout(layout, Optional.empty())));
        assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
    }

    @Test
    void lines_of_another_shape_name_nobody() throws IOException {
        String lines =
                "root:x:0:0::/:/bin/sh\nme:x:7:8::/home\nlong:x:1:1::/:/bin/sh:more\nme:x:9:9::/:/bin/sh\nme:x:10:9::/:/bin/sh\n"
                        + "zero:x:07:0::/:/bin/sh\nless:x:-1:0::/:/bin/sh\nlarge:x:1234567890:0::/:/bin/sh\nmost:x:999999999:0::/:/bin/sh";

        assertThat(read(tar().file("etc/passwd", lines).build()).users())
                .isEqualTo(Map.of("root", 0, "me", 9, "most", 999_999_999));
    }

    @Test
    void the_topmost_layer_that_has_accounts_decides() throws IOException {
        byte[] lower = tar().file("etc/passwd", ME).build();
        byte[] upper = tar().file("etc/passwd", "you:x:5:5::/:/bin/sh").build();
        byte[] none = tar().file("etc/other", "").build();

        assertThat(read(lower, upper, none).users()).isEqualTo(Map.of("you", 5));
        assertThat(read(upper, lower).users()).isEqualTo(Map.of("me", 7));
        assertThat(read(none).users()).isEmpty();
    }

    @Test
    void of_a_layer_that_has_accounts_twice_the_last_ones_count() throws IOException {
        byte[] twice = tar().file("etc/passwd", ME)
                .file("etc/passwd", "you:x:5:5::/:/bin/sh\n")
                .build();
        assertThat(read(twice).users()).isEqualTo(Map.of("you", 5));
    }

    @Test
    void a_whiteout_hides_the_accounts_below() throws IOException {
        byte[] lower = tar().file("etc/passwd", ME).build();

        for (String hiding : List.of(".wh.etc", "etc/.wh.passwd", "/etc/.wh..wh..opq", "./.wh..wh..opq")) {
            assertThat(read(lower, tar().file(hiding, "").build()).users())
                    .as(hiding)
                    .isEmpty();
        }
        assertThat(read(lower, tar().file("etc/.wh.shadow", "").build()).users())
                .isNotEmpty();
    }

    @Test
    void accounts_that_are_no_file_or_too_large_are_none() throws IOException {
        byte[] lower = tar().file("etc/passwd", ME).build();
        String large = ME + "#".repeat(1 << 20);

        assertThat(read(lower, tar().symbolicLink("etc/passwd", "/x").build()).users())
                .isEmpty();
        assertThat(read(lower, tar().file("etc/passwd", large).build()).users()).isEmpty();
        assertThat(read(tar().file("etc/passwd", large.substring(0, 1 << 20)).build())
                        .users())
                .hasSize(1);
    }

    @Test
    void a_directory_has_accounts_too() throws IOException {
        Path root = temporary.resolve("root");
        Files.createDirectories(root.resolve("etc"));
        Files.writeString(root.resolve("etc/passwd"), ME);

        ImageFacts facts = ImageFacts.read(new Image.Directory(root));

        assertThat(facts.users()).isEqualTo(Map.of("me", 7));
        assertThat(facts.digest()).isEmpty();
        assertThat(facts.healthCheck()).isEmpty();
    }

    @Test
    void what_is_no_image_is_told() {
        var host = catchThrowableOfType(ImageException.class, () -> ImageFacts.read(new Image.Host()));
        assertThat(host.reason()).isEqualTo(Code.UNSUPPORTED_FORMAT);

        for (Path place : List.of(temporary.resolve("none"), Path.of("/etc/passwd"))) {
            var absent = catchThrowableOfType(ImageException.class, () -> ImageFacts.read(new Image.Directory(place)));
            assertThat(absent.reason()).isEqualTo(Code.NOT_FOUND);
        }
    }
}
