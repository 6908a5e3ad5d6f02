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

    private static StoredImage make(ImageStore store, byte[]... layers) {
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
