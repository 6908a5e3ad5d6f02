package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An image written here, copied by skopeo (Debian package `skopeo`) into the forms that it writes, and unpacked.
@Tag("root")
@Tag("peers")
@Timeout(120)
class SkopeoImageTests {
    @TempDir
    Path temporary;

    private Path layout;

    @BeforeEach
    void a_layout_of_two_layers() throws IOException {
        layout = Files.createDirectories(temporary.resolve("layout"));
        Files.createDirectories(layout.resolve("blobs/sha256"));
        byte[] lower = new TarBuilder()
                .mode(0755)
                .directory("etc")
                .mode(0644)
                .file("etc/passwd", "me:x:7:8::/home/me:/bin/sh\n")
                .file("gone", "x")
                .owner(7, 8)
                .mode(04755)
                .file("program", "#!")
                .build();
        byte[] upper = new TarBuilder().whiteout(".wh.gone").file("new", "y").build();
        String architecture = Platform.running().architecture();
        String config = "{\"os\":\"linux\",\"architecture\":\"" + architecture
                + "\",\"config\":{\"Cmd\":[\"run\"],\"Env\":[\"A=b=c\"],\"User\":\"me\",\"WorkingDir\":\"/srv\"},"
                + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + Digest.of(lower) + "\",\"" + Digest.of(upper)
                + "\"]}}";
        String manifest =
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":"
                        + blob("application/vnd.oci.image.config.v1+json", config.getBytes(StandardCharsets.UTF_8))
                        + ",\"layers\":[" + blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip(lower)) + ","
                        + blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip(upper)) + "]}";
        String index = "{\"schemaVersion\":2,\"manifests\":["
                + blob("application/vnd.oci.image.manifest.v1+json", manifest.getBytes(StandardCharsets.UTF_8)) + "]}";
        Files.writeString(layout.resolve("index.json"), index);
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    private String blob(String mediaType, byte[] content) throws IOException {
        Digest digest = Digest.of(content);
        Files.write(layout.resolve("blobs/sha256/" + digest.hex()), content);
        return "{\"mediaType\":\"" + mediaType + "\",\"digest\":\"" + digest + "\",\"size\":" + content.length + "}";
    }

    private static byte[] gzip(byte[] content) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        }
        return out.toByteArray();
    }

    private void copy(String target, String... options) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                "skopeo", "--insecure-policy", "--override-os", "linux", "copy", "-q", "oci:" + layout, target));
        command.addAll(List.of(options));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private Rootfs resolve(Image image) {
        try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            return store.resolve(image, ProgressListener.none());
        }
    }

    private static Path root(ImageTree tree) {
        return Path.of("/proc/self/fd/" + tree.root().number() + "/.");
    }

    private static void assertUnpacked(Rootfs rootfs) throws IOException {
        try (ImageTree tree = ImageTree.of(rootfs)) {
            Path root = root(tree);
            assertThat(root.resolve("gone")).doesNotExist();
            assertThat(root.resolve("new")).hasContent("y");
            assertThat(Files.getAttribute(root.resolve("program"), "unix:uid")).isEqualTo(7);
            assertThat((int) Files.getAttribute(root.resolve("program"), "unix:mode") & 07777)
                    .isEqualTo(04755);
        }
        assertThat(rootfs.config().cmd()).containsExactly("run");
        assertThat(rootfs.config().env()).containsEntry("A", "b=c").containsKey("PATH");
        assertThat(rootfs.config().workingDir()).isEqualTo("/srv");
        assertThat(rootfs.account(rootfs.config().user())).isEqualTo(new Account(7, 8, List.of(), "/home/me"));
    }

    @Test
    void an_oci_layout_and_skopeo_s_copies_unpack_to_the_same_tree() throws Exception {
        Rootfs direct = resolve(Image.ociLayout(layout));
        assertUnpacked(direct);

        Path copied = temporary.resolve("copied");
        copy("oci:" + copied + ":v1");
        Rootfs fromLayout = resolve(Image.ociLayout(copied, "v1"));
        assertUnpacked(fromLayout);

        Path archive = temporary.resolve("archive.tar");
        copy("docker-archive:" + archive + ":example:v1");
        Rootfs fromArchive = resolve(Image.dockerArchive(archive, "example:v1"));
        assertUnpacked(fromArchive);

        assertThat(fromLayout.layers()).isEqualTo(direct.layers());
        assertThat(fromArchive.layers()).isEqualTo(direct.layers());
        assertThat(resolve(Image.parse("docker-archive:" + archive)).layers()).isEqualTo(direct.layers());
        assertCode(Code.NOT_FOUND, Image.ociLayout(copied, "v2"));
        assertCode(Code.NOT_FOUND, Image.dockerArchive(archive, "other"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "zstd:chunked"})
    void layers_in_zstd_unpack_to_the_same_tree(String format) throws Exception {
        Rootfs direct = resolve(Image.ociLayout(layout));
        for (String level : List.of("1", "19")) {
            Path copied = temporary.resolve("copied-" + level);
            copy("oci:" + copied + ":v" + level, "--dest-compress-format", format, "--dest-compress-level", level);
            try (ImageStore store = ImageStore.open(temporary.resolve("store-of-" + level))) {
                Rootfs rootfs = store.resolve(Image.ociLayout(copied, "v" + level), ProgressListener.none());

                assertUnpacked(rootfs);
                try (ImageTree one = ImageTree.of(rootfs);
                        ImageTree other = ImageTree.of(direct)) {
                    assertThat(Unpacking.tree(root(one))).isEqualTo(Unpacking.tree(root(other)));
                }
            }
            try (Stream<Path> blobs = Files.list(copied.resolve("blobs/sha256"))) {
                assertThat(blobs.filter(SkopeoImageTests::isZstd))
                        .as("layers in zstd")
                        .hasSize(2);
            }
        }
    }

    /// A frame, or a skippable one before it.
    private static boolean isZstd(Path blob) {
        try (InputStream in = Files.newInputStream(blob)) {
            byte[] magic = in.readNBytes(4);
            return Arrays.equals(magic, new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd})
                    || (magic.length == 4 && (magic[0] & 0xf0) == 0x50 && magic[1] == 0x2a && magic[2] == 0x4d);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void a_changed_blob_is_refused_and_leaves_nothing() throws Exception {
        try (Stream<Path> blobs = Files.list(layout.resolve("blobs/sha256"))) {
            for (Path blob : blobs.toList()) {
                byte[] content = Files.readAllBytes(blob);
                byte[] changed = content.clone();
                changed[changed.length - 5] ^= 1;
                Files.write(blob, changed);
                var refused = catchThrowableOfType(ImageException.class, () -> resolve(Image.ociLayout(layout)));
                assertThat(refused).isNotNull();
                assertThat(refused.reason()).isIn(Code.DIGEST_MISMATCH, Code.BAD_ARCHIVE);
                Files.write(blob, content);
                try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
                    store.removeUnused(); // the layers below a changed one are as they should be
                }
            }
        }
        try (Stream<Path> made = Files.list(temporary.resolve("store/layers"))) {
            assertThat(made.map(path -> path.getFileName().toString())).containsOnly("locks");
        }
    }

    private void assertCode(Code code, Image image) {
        var refused = catchThrowableOfType(ImageException.class, () -> resolve(image));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(code);
    }
}
