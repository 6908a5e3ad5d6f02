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
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is found in an archive of `docker save`, and what is no such archive.
@Timeout(60)
class DockerArchiveReaderTests {
    private static final String FIRST = "layer one";
    private static final String SECOND = "layer two";

    @TempDir
    Path temporary;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String config(String... layers) {
        List<String> diffs = Stream.of(layers)
                .map(layer -> "\"" + Digest.of(bytes(layer)) + "\"")
                .toList();
        return "{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + String.join(",", diffs) + "]}}";
    }

    private static String image(String config, String layers, String tags) {
        return "{\"Config\":\"" + config + "\",\"Layers\":[" + layers + "],\"RepoTags\":[" + tags + "]}";
    }

    private static TarBuilder archive(String... images) {
        return new TarBuilder()
                .file("c.json", config(FIRST))
                .file("1.tar", FIRST)
                .file("manifest.json", "[" + String.join(",", images) + "]");
    }

    private static TarBuilder usual() {
        return archive(image("c.json", "\"1.tar\"", "\"a:1\""));
    }

    private Path written(byte[] bytes) throws IOException {
        return Files.write(temporary.resolve("image.tar"), bytes);
    }

    private PackedImage read(TarBuilder archive, String... reference) throws IOException {
        try (var reader = new DockerArchiveReader(written(archive.build()))) {
            return reader.read(Stream.of(reference).findFirst());
        }
    }

    private void assertRefused(Code code, String sentence, TarBuilder archive, String... reference) throws IOException {
        assertRefused(code, sentence, archive.build(), reference);
    }

    /// Also checks that the file does not stay open.
    private void assertRefused(Code code, String sentence, byte[] archive, String... reference) throws IOException {
        Path path = written(archive);
        var refused = catchThrowableOfType(ImageException.class, () -> {
            try (var reader = new DockerArchiveReader(path)) {
                reader.read(Stream.of(reference).findFirst());
            }
        });
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused).hasMessageContaining(sentence);
        assertThat(openFiles()).doesNotContain(path.toString());
    }

    private static List<String> openFiles() throws IOException {
        var open = new ArrayList<String>();
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : all.toList()) {
                if (Files.isSymbolicLink(each)) {
                    open.add(Files.readSymbolicLink(each).toString());
                }
            }
        }
        return open;
    }

    @Test
    void configuration_and_layers_are_found_by_name() throws IOException {
        String config = config(FIRST, SECOND);
        String hex = Digest.of(bytes(SECOND)).hex();
        byte[] archive = new TarBuilder()
                .file("blobs/sha256/" + hex, SECOND)
                .file("c.json", config)
                .file("./d//1.tar", FIRST)
                .file(
                        "manifest.json",
                        "[" + image("x/../c.json", "\"d/1.tar\",\"/blobs/sha256/" + hex + "\"", "") + "]")
                .build();
        try (var reader = new DockerArchiveReader(written(archive))) {
            PackedImage image = reader.read(Optional.empty());

            assertThat(image.id()).isEqualTo(Digest.of(bytes(config)));
            assertThat(image.layers()).hasSize(2);
            PackedImage.PackedLayer first = image.layers().getFirst();
            PackedImage.PackedLayer second = image.layers().get(1);
            assertThat(first.diffId()).isEqualTo(Digest.of(bytes(FIRST)));
            assertThat(first.packed()).isEmpty();
            assertThat(first.size()).isEqualTo(FIRST.length());
            assertThat(second.diffId()).isEqualTo(Digest.of(bytes(SECOND)));
            assertThat(second.packed()).contains(Digest.of(bytes(SECOND)));
            assertThat(second.place()).isNotEqualTo(first.place());
            for (int i = 0; i < 2; i++) {
                try (FileSlice slice = image.layers().get(i).opening().open()) {
                    assertThat(slice.readAllBytes()).isEqualTo(bytes(i == 0 ? FIRST : SECOND));
                }
            }
        }
        assertThat(openFiles()).doesNotContain(temporary.resolve("image.tar").toString());
    }

    @Test
    void what_is_no_file_is_not_opened() {
        for (Path path : List.of(temporary, temporary.resolve("none"))) {
            var refused = catchThrowableOfType(ImageException.class, () -> new DockerArchiveReader(path));
            assertThat(refused).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.NOT_FOUND);
        }
    }

    @Test
    void an_archive_that_is_compressed_is_told_how_to_be_uncompressed() throws IOException {
        Code code = Code.UNSUPPORTED_FORMAT;
        assertRefused(code, "with gunzip", new byte[] {0x1f, (byte) 0x8b, 8, 0, 1});
        assertRefused(code, "with gunzip", new byte[] {0x1f, (byte) 0x8b});
        assertRefused(code, "with unzstd", new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0});
        for (byte[] other : new byte[][] {
            {0x1f},
            {0x1f, 0, 0, 0},
            {0, (byte) 0x8b, 0, 0},
            {0x28, 0, 0x2f, (byte) 0xfd},
            {0, (byte) 0xb5, 0, 0},
            {0x28, (byte) 0xb5, 0}
        }) {
            assertRefused(Code.BAD_ARCHIVE, "an end in the middle", other);
        }
        assertRefused(Code.BAD_MANIFEST, "no manifest.json", new byte[0]);
    }

    @Test
    void an_archive_of_another_kind_is_told_what_it_is() throws IOException {
        assertRefused(Code.BAD_MANIFEST, "oci-archive", new TarBuilder().file("index.json", "{}"));
        assertRefused(Code.BAD_MANIFEST, "name what docker save", new TarBuilder().file("other", "{}"));
    }

    @Test
    void a_name_stands_for_one_member() throws IOException {
        Code code = Code.BAD_MANIFEST;
        assertRefused(code, "twice", usual().file("./1.tar", ""));
        assertRefused(code, "twice", usual().symbolicLink("1.tar", "x"));
        assertRefused(code, "twice", new TarBuilder().symbolicLink("l", "x").file("l", ""));
        assertRefused(code, "twice", new TarBuilder().symbolicLink("l", "x").hardLink("l", "y"));
    }

    @Test
    void members_that_no_image_has_are_refused() throws IOException {
        Code code = Code.BAD_MANIFEST;
        for (char type : new char[] {'3', '4', '6'}) {
            assertRefused(code, "the special file", usual().header(type, "s", "", 0));
        }
        assertRefused(
                code,
                "the sparse member",
                usual().pax("GNU.sparse.map", "0,1,2,1")
                        .pax("GNU.sparse.size", "3")
                        .file("s", "ab"));
        assertThat(read(usual().directory("d/").file("empty", "")).layers()).hasSize(1);
        assertThat(read(usual().pax("GNU.sparse.map", "0,3")
                                .pax("GNU.sparse.size", "3")
                                .file("s", "abc"))
                        .layers())
                .hasSize(1);
        assertRefused(
                code,
                "the sparse member",
                usual().pax("GNU.sparse.map", "0,0,5,0")
                        .pax("GNU.sparse.size", "5")
                        .file("s", ""));
    }

    @Test
    void links_lead_to_members_a_symbolic_one_from_where_it_is() throws IOException {
        TarBuilder symbolic = new TarBuilder()
                .file("c.json", config(FIRST))
                .file("b/1.tar", FIRST)
                .symbolicLink("a/layer.tar", "../b/1.tar")
                .file("manifest.json", "[" + image("c.json", "\"a/layer.tar\"", "") + "]");
        TarBuilder hard = new TarBuilder()
                .file("c.json", config(FIRST))
                .file("b/1.tar", FIRST)
                .hardLink("a/layer.tar", "b/1.tar")
                .file("manifest.json", "[" + image("c.json", "\"a/layer.tar\"", "") + "]");

        TarBuilder beside = new TarBuilder()
                .file("c.json", config(FIRST))
                .file("a/1.tar", FIRST)
                .symbolicLink("a/layer.tar", "1.tar")
                .file("manifest.json", "[" + image("c.json", "\"a/layer.tar\"", "") + "]");

        assertThat(read(symbolic).layers().getFirst().size()).isEqualTo(FIRST.length());
        assertThat(read(beside).layers().getFirst().size()).isEqualTo(FIRST.length());
        assertThat(read(hard).layers().getFirst().size()).isEqualTo(FIRST.length());
    }

    private static TarBuilder chain(int links) {
        TarBuilder archive = new TarBuilder().file("c.json", config(FIRST)).file("0", FIRST);
        for (int i = 1; i <= links; i++) {
            archive.symbolicLink(Integer.toString(i), Integer.toString(i - 1));
        }
        return archive.file("manifest.json", "[" + image("c.json", "\"" + links + "\"", "") + "]");
    }

    @Test
    void links_end_after_eight() throws IOException {
        assertThat(read(chain(8)).layers()).hasSize(1);
        assertRefused(Code.BAD_MANIFEST, "that do not end", chain(9));
        assertRefused(
                Code.BAD_MANIFEST,
                "which is not in it",
                archive(image("c.json", "\"l\"", "")).symbolicLink("l", "../../x"));
        assertRefused(Code.BAD_MANIFEST, "which is not in it", archive(image("c.json", "\"x\"", "")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s.json", "%s", "blobs/sha256/%s"})
    void a_configuration_is_what_its_name_says(String pattern) throws IOException {
        String config = config(FIRST);
        String right = String.format(pattern, Digest.of(bytes(config)).hex());
        String wrong = String.format(pattern, Digest.of(bytes("other")).hex());

        assertThat(read(archive(image(right, "\"1.tar\"", "")).file(right, config))
                        .layers())
                .hasSize(1);
        assertRefused(
                Code.DIGEST_MISMATCH,
                "not what its name says",
                archive(image(wrong, "\"1.tar\"", "")).file(wrong, config));
    }

    @Test
    void a_document_has_at_most_4_mib() throws IOException {
        String config = config(FIRST);
        String fits = config + " ".repeat((4 << 20) - config.length());
        String image = image("long.json", "\"1.tar\"", "");

        assertThat(read(archive(image).file("long.json", fits)).layers()).hasSize(1);
        assertRefused(Code.TOO_LARGE, "at most 4194304", archive(image).file("long.json", fits + " "));
    }

    @Test
    void layers_are_as_many_as_the_configuration_says() throws IOException {
        assertRefused(
                Code.BAD_MANIFEST,
                "lists 2 layers, and its configuration 1",
                archive(image("c.json", "\"1.tar\",\"1.tar\"", "")));
        assertRefused(Code.BAD_MANIFEST, "lists 0 layers", archive(image("c.json", "", "")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "busybox",
                "busybox:latest",
                "library/busybox",
                "docker.io/library/busybox:latest",
                "docker.io/busybox"
            })
    void an_image_has_several_names(String reference) throws IOException {
        String tag = "\"busybox:latest\"";
        TarBuilder two = archive(image("none", "", "\"busybox:1\""), image("c.json", "\"1.tar\"", tag));

        assertThat(read(two, reference).layers()).hasSize(1);
        assertThat(read(archive(image("c.json", "\"1.tar\"", "\"" + reference + "\"")), "busybox")
                        .layers())
                .hasSize(1);
    }

    /// At most twenty are shown: the list is the archive's own.
    @Test
    void names_of_an_archive_are_told_in_bounds() throws IOException {
        var images = new ArrayList<String>();
        for (int number = 10; number < 40; number++) {
            images.add(image("c.json", "\"1.tar\"", "\"a:" + number + "\""));
        }
        String[] all = images.toArray(String[]::new);
        assertRefused(Code.AMBIGUOUS_REFERENCE, "a:29", archive(all));
        try (var reader = new DockerArchiveReader(written(archive(all).build()))) {
            var refused = catchThrowableOfType(ImageException.class, () -> reader.read(Optional.empty()));
            assertThat(refused.sentence()).contains("a:10").doesNotContain("a:30");
        }
    }

    @Test
    void a_port_is_no_tag() throws IOException {
        TarBuilder archive = archive(image("c.json", "\"1.tar\"", "\"localhost:5000/a:latest\""));

        assertThat(read(archive, "localhost:5000/a").layers()).hasSize(1);
    }

    @Test
    void an_image_is_named_where_there_are_several() throws IOException {
        String one = image("c.json", "\"1.tar\"", "\"a:1\"");
        String two = image("c.json", "\"1.tar\"", "\"b:1\"");

        assertThat(read(archive(one)).layers()).hasSize(1);
        assertRefused(Code.NOT_FOUND, "no image \"c:1\"; it has \"a:1\"", archive(one), "c:1");
        assertRefused(Code.NOT_FOUND, "it has \"a:1\", \"b:1\"", archive(one, two), "c");
        assertRefused(Code.AMBIGUOUS_REFERENCE, "\"a:1\", \"b:1\"", archive(one, two));
        assertRefused(Code.AMBIGUOUS_REFERENCE, "several", archive(one, one), "a:1");
        assertRefused(Code.NOT_FOUND, "no image at all", archive());
    }
}
