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
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A store on a disk that is full, may not be written, or cannot keep all that a layer needs.
@Tag("root")
@Timeout(60)
class StoreOnOtherDisksTest {
    @TempDir
    private Path temporary;

    private Path disk;
    private boolean isMounted;

    @BeforeEach
    void a_place_for_a_disk() throws IOException {
        disk = Files.createDirectory(temporary.resolve("disk"));
    }

    @AfterEach
    void unmount() throws Exception {
        if (isMounted) {
            run("umount", "--lazy", disk.toString());
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private void mount(String type, String options) throws Exception {
        run("mount", "-t", type, "-o", options, "test", disk.toString());
        isMounted = true;
    }

    private ImageStore open() {
        return ImageStore.open(disk.resolve("store"));
    }

    private static ImageException refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        ImageException refused = catchThrowableOfType(ImageException.class, call);
        assertThat(refused).isNotNull();
        return refused;
    }

    static StoredImage make(ImageStore store, byte[]... layers) {
        var all = new ArrayList<NewLayer>();
        for (byte[] layer : layers) {
            all.add(new NewLayer(to -> to.write(layer), true));
        }
        return store.make(
                Optional.empty(),
                all,
                digests -> ("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture()
                                + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                                + digests.stream()
                                        .map(digest -> "\"" + digest + "\"")
                                        .collect(Collectors.joining(","))
                                + "]}}")
                        .getBytes(StandardCharsets.UTF_8),
                ImageReference.parse("one"));
    }

    private static Rootfs resolve(ImageStore store) {
        return store.resolve(new Image.Named(ImageReference.parse("one")), ProgressListener.none());
    }

    private List<String> trees() throws IOException {
        try (Stream<Path> all = Files.list(disk.resolve("store/layers"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals("locks"))
                    .toList();
        }
    }

    private static byte[] small() {
        return new TarBuilder()
                .directory("d/")
                .file("d/old", "old")
                .file("gone", "x")
                .build();
    }

    @Test
    void a_layer_that_does_not_fit_leaves_nothing_and_is_unpacked_once_there_is_room() throws Exception {
        mount("tmpfs", "size=2m");
        byte[] large = new TarBuilder().file("d/large", "\0".repeat(4 << 20)).build();
        try (ImageStore store = open()) {
            make(store, small(), large);
            ImageException refused = refused(() -> resolve(store));
            assertThat(refused.reason()).isEqualTo(Code.STORE_FULL);
            assertThat(refused).hasMessageContaining("ENOSPC").hasMessageContaining("make room");
            assertThat(trees())
                    .singleElement()
                    .satisfies(name -> assertThat(name).hasSize(64));

            run("mount", "-o", "remount,size=32m", disk.toString());
            assertThat(resolve(store).layers().getFirst().path().resolve("d/large"))
                    .hasSize(4 << 20);
            assertThat(trees()).hasSize(2);
        }
    }

    private static byte[] noise(int seed, int bytes) {
        byte[] noise = new byte[bytes];
        new Random(seed).nextBytes(noise);
        return noise;
    }

    private void fill() throws IOException {
        try (var rest = Files.newOutputStream(disk.resolve("rest"))) {
            for (byte[] piece = new byte[4096]; ; ) {
                rest.write(piece);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    private List<String> blobs() throws IOException {
        try (Stream<Path> all = Files.list(disk.resolve("store/content/blobs/sha256"))) {
            return all.map(path -> path.getFileName().toString()).toList();
        }
    }

    @Test
    void a_pull_that_does_not_fit_gives_back_the_room_that_it_took() throws Exception {
        mount("tmpfs", "size=3m");
        byte[] small = noise(1, 1 << 20);
        byte[] large = noise(2, 4 << 20);
        byte[] config = ("{\"os\":\"linux\",\"architecture\":\""
                        + Platform.running().architecture()
                        + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + Digest.of(small) + "\",\""
                        + Digest.of(large) + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
        String layer = "application/vnd.oci.image.layer.v1.tar";
        byte[] manifest = ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"config\":"
                        + entry("application/vnd.oci.image.config.v1+json", config) + ",\"layers\":["
                        + entry(layer, small) + "," + entry(layer, large) + "]}")
                .getBytes(StandardCharsets.UTF_8);
        var content = Map.of(
                "1",
                manifest,
                Digest.of(config).toString(),
                config,
                Digest.of(small).toString(),
                small,
                Digest.of(large).toString(),
                large);
        try (var registry = new ScriptedRegistry((request, out) -> ScriptedRegistry.ok(
                        out,
                        request.path().contains("/manifests/") ? SampleImage.MANIFEST_TYPE : "application/octet-stream",
                        Objects.requireNonNull(content.get(request.path().replaceFirst(".*/", "")))));
                ImageStore store = open()) {
            ImageException refused = refused(() -> store.pull(
                    ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none()));
            assertThat(refused.reason()).isEqualTo(Code.STORE_FULL);
            assertThat(blobs()).isEmpty();
            make(store, small());
        }
    }

    private static String entry(String type, byte[] blob) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + Digest.of(blob) + "\",\"size\":" + blob.length + "}";
    }

    @Test
    void images_that_fill_a_disk_can_be_removed_though_nothing_was_unpacked() throws Exception {
        mount("tmpfs", "size=4m");
        try (ImageStore store = open()) {
            StoredImage image = make(
                    store,
                    new TarBuilder()
                            .file("f", new String(noise(3, 1 << 20), StandardCharsets.ISO_8859_1))
                            .build());
            StoredImage other = store.tag(image, ImageReference.parse("other"));
            fill();
            // the other name keeps all that it has, so that there is no room to be made
            assertThat(refused(() -> store.remove(Set.of(image))).reason()).isEqualTo(Code.STORE_FULL);
            assertThat(store.images()).containsExactly(image, other);
            assertThat(store.check(other).faults()).isEmpty();

            store.remove(Set.of(image, other));
            assertThat(store.images()).isEmpty();
            assertThat(blobs()).isEmpty();
        }
    }

    @Test
    void what_a_killed_pull_left_goes_when_an_image_is_removed_from_a_full_disk() throws Exception {
        mount("tmpfs", "size=4m");
        try (ImageStore store = open()) {
            StoredImage image = make(store, small());
            StoredImage other = store.tag(image, ImageReference.parse("other"));
            Files.write(disk.resolve("store/content/blobs/sha256/" + "0".repeat(64) + ".partial"), noise(4, 1 << 20));
            fill();
            store.remove(Set.of(image));
            assertThat(store.images()).containsExactly(other);
            assertThat(store.check(other).faults()).isEmpty();
            assertThat(blobs()).noneMatch(name -> name.endsWith(".partial"));
        }
    }

    @Test
    void a_store_without_room_for_its_directories_says_so() throws Exception {
        mount("tmpfs", "nr_inodes=3");
        ImageException refused = refused(this::open);
        assertThat(refused.reason()).isEqualTo(Code.STORE_REFUSED);
        assertThat(refused).hasMessageContaining("ENOSPC");
    }

    @Test
    void a_store_that_may_not_be_written_is_refused() throws Exception {
        mount("tmpfs", "size=8m");
        open().close();
        run("mount", "-o", "remount,ro", disk.toString());
        ImageException refused = refused(this::open);
        assertThat(refused.reason()).isEqualTo(Code.STORE_REFUSED);
        assertThat(refused).hasMessageContaining("EROFS").hasMessageContaining("use sudo");
    }

    @Test
    void a_store_behind_a_link_that_leads_to_itself_is_refused() throws Exception {
        Files.createSymbolicLink(disk.resolve("store"), Path.of("store"));
        assertThat(refused(this::open).reason()).isEqualTo(Code.STORE_REFUSED);
    }

    /// ramfs keeps no extended attributes, without which the kernel makes no overlay to unpack a layer into.
    @Test
    void a_disk_without_extended_attributes_has_all_layers_of_an_image_in_one_tree() throws Exception {
        mount("ramfs", "mode=700");
        byte[] above =
                new TarBuilder().whiteout(".wh.gone").file("d/new", "new").build();
        try (ImageStore store = open()) {
            StoredImage image = make(store, small(), above);
            Layer only = resolve(store).layers().getFirst();
            assertThat(resolve(store).layers()).containsExactly(only);
            assertThat(only.path().toString()).contains("/rootfs/");
            assertThat(only.path().resolve("d/old")).hasContent("old");
            assertThat(only.path().resolve("d/new")).hasContent("new");
            assertThat(only.path().resolve("gone")).doesNotExist();

            assertThat(store.check(image)).isEqualTo(new ImageCheck(4, 1, 0, List.of()));
            Files.writeString(only.path().resolve("d/new"), "old");
            assertThat(store.check(image).faults()).hasSize(1);
            store.remove(Set.of(image));
            assertThat(store.unpackedSizes()).isEmpty();
        }
    }

    @Test
    void a_tree_that_was_exchanged_for_a_link_is_not_followed() throws Exception {
        try (ImageStore store = open()) {
            make(store, small());
            Path tree = resolve(store).layers().getFirst().path();
            Files.move(tree, disk.resolve("elsewhere"));
            Files.createSymbolicLink(tree, disk.resolve("elsewhere"));
            ImageException refused = refused(() -> resolve(store));
            assertThat(refused.reason()).isEqualTo(Code.STORE_REFUSED);
            assertThat(refused).hasMessageContaining("ELOOP");
        }
    }
}
