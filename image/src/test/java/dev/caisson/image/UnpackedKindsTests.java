package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Owner, mode and time of what is unpacked, kind by kind, and that nothing of it stays open.
@Timeout(60)
class UnpackedKindsTests {
    private static final FileTime TIME = FileTime.fromMillis(1_000_000_000_000L);

    @TempDir
    Path temporary;

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    private static Object attribute(Path path, String name) throws IOException {
        return Files.getAttribute(path, "unix:" + name, LinkOption.NOFOLLOW_LINKS);
    }

    /// Those below this test's directory.
    private List<String> openFiles() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(Files::isSymbolicLink)
                    .map(link -> {
                        try {
                            return Files.readSymbolicLink(link).toString();
                        } catch (IOException e) {
                            return "";
                        }
                    })
                    .filter(target -> target.startsWith(temporary.toString()))
                    .toList();
        }
    }

    @Test
    void a_fifo_has_its_mode_and_time() throws IOException {
        Unpacking unpacking = Unpacking.plain(temporary)
                .layers(tar().mode(0640).header('6', "d/pipe", "", 0).build());
        Path pipe = unpacking.root().resolve("d/pipe");

        assertThat((int) attribute(pipe, "mode")).isEqualTo(0010640);
        assertThat(Files.getLastModifiedTime(pipe)).isEqualTo(TIME);
        assertThat((int) attribute(pipe.resolveSibling("."), "mode")).isEqualTo(0040755);
    }

    @Test
    @Tag("root")
    void owners_are_the_archive_s_or_the_caller_s() throws IOException {
        byte[] layer = tar().owner(7, 8)
                .directory("d/")
                .file("d/f", "x")
                .symbolicLink("d/l", "f")
                .header('6', "d/p", "", 0)
                .build();
        var archive = new Unpacking(
                        Files.createDirectory(temporary.resolve("1")),
                        UnpackLimits.DEFAULT,
                        LayerUnpacker.Ownership.ARCHIVE)
                .layers(layer);
        Unpacking caller =
                Unpacking.plain(Files.createDirectory(temporary.resolve("2"))).layers(layer);

        for (String name : List.of("d", "d/f", "d/l", "d/p")) {
            assertThat(attribute(archive.root().resolve(name), "uid")).as(name).isEqualTo(7);
            assertThat(attribute(archive.root().resolve(name), "gid")).as(name).isEqualTo(8);
            assertThat(attribute(caller.root().resolve(name), "uid")).as(name).isEqualTo(0);
            assertThat(attribute(caller.root().resolve(name), "gid")).as(name).isEqualTo(0);
        }
    }

    @Test
    void the_root_is_a_member_too() throws IOException {
        Unpacking unpacking = Unpacking.plain(temporary)
                .layers(tar().mode(0711)
                        .directory("./")
                        .mode(0644)
                        .file("f", "")
                        .build());

        assertThat((int) attribute(unpacking.root(), "mode")).isEqualTo(0040711);
        assertThat(Files.getLastModifiedTime(unpacking.root())).isEqualTo(TIME);
    }

    @Test
    void a_whiteout_hides_no_directory_or_link_of_its_own_layer() throws IOException {
        Unpacking unpacking = Unpacking.plain(temporary)
                .layers(
                        tar().file("d/old", "").file("f", "").file("t", "x").build(),
                        tar().directory("d/")
                                .file("d/new", "")
                                .whiteout(".wh.d")
                                .hardLink("h", "t")
                                .whiteout(".wh.h")
                                .file("e/x", "")
                                .whiteout(".wh.e")
                                .build());

        assertThat(unpacking.tree().keySet()).containsExactlyInAnyOrder("d", "d/new", "e", "e/x", "f", "h", "t");
    }

    @Test
    void each_layer_may_make_a_directory_opaque() throws IOException {
        Unpacking unpacking = Unpacking.plain(temporary)
                .layers(
                        tar().file("d/one", "").build(),
                        tar().file("d/two", "").whiteout("d/.wh..wh..opq").build(),
                        tar().file("d/three", "").whiteout("d/.wh..wh..opq").build());

        assertThat(unpacking.tree().keySet()).containsExactlyInAnyOrder("d", "d/three");
    }

    @Test
    void a_hard_link_leads_to_another_file() throws IOException {
        for (byte[] layer : List.of(
                tar().file("f", "").hardLink("f", "f").build(),
                tar().file("f", "").hardLink("./", "f").build(),
                tar().hardLink("l", "none").build(),
                tar().hardLink("l", "none/f").build(),
                tar().hardLink("l", "/").build(),
                tar().hardLink("l", "").build(),
                tar().directory("d/").hardLink("l", "d").build(),
                tar().header('6', "p", "", 0).hardLink("l", "p").build())) {
            Path own = Files.createTempDirectory(temporary, "l");
            Unpacking.plain(own).assertRefused(Code.UNSAFE_ENTRY, layer);
        }
        Unpacking unpacking = Unpacking.plain(Files.createTempDirectory(temporary, "l"))
                .layers(tar().file("d/f", "x").hardLink("f", "d/f").build());
        assertThat(attribute(unpacking.root().resolve("f"), "nlink")).isEqualTo(2);
    }

    @Test
    void a_link_has_a_target_of_up_to_4095_bytes() throws IOException {
        String longest = "x".repeat(4095);
        Unpacking unpacking = Unpacking.plain(temporary)
                .layers(tar().pax("linkpath", longest).symbolicLink("l", "t").build());
        assertThat(Files.readSymbolicLink(unpacking.root().resolve("l"))).hasToString(longest);
        Unpacking.plain(Files.createDirectory(temporary.resolve("other")))
                .assertRefused(Code.TOO_LARGE, tar().symbolicLink("l", "").build());
    }

    @Test
    void nothing_stays_open() throws IOException {
        byte[] layer = tar().directory("a/b/")
                .file("a/b/f", "x")
                .file("c/d/f", "x")
                .hardLink("h", "a/b/f")
                .header('6', "p", "", 0)
                .whiteout("c/.wh.x")
                .build();
        Unpacking.plain(temporary).layers(layer, layer);
        assertThat(openFiles()).isEmpty();

        Path other = Files.createDirectory(temporary.resolve("other"));
        Unpacking.plain(other)
                .assertRefused(
                        Code.UNSAFE_ENTRY, tar().file("f", "").file("f/g", "").build());
        assertThat(openFiles()).isEmpty();
    }

    @Test
    @Tag("root")
    void attributes_are_those_of_files_and_directories_and_capabilities_of_files_alone() throws IOException {
        byte[] capability = HexFormat.of().parseHex("0100000200200000000000000000000000000000");
        byte[] layer = tar().pax("SCHILY.xattr.user.a", "v")
                .pax("SCHILY.xattr.security.capability", capability)
                .directory("d/")
                .pax("SCHILY.xattr.user.a", "w")
                .pax("SCHILY.xattr.security.capability", capability)
                .file("f", "x")
                .build();
        Unpacking unpacking =
                new Unpacking(temporary, UnpackLimits.DEFAULT, LayerUnpacker.Ownership.ARCHIVE).layers(layer);

        assertThat(attributes(unpacking.root().resolve("d"))).isEqualTo(Map.of("user.a", "v"));
        assertThat(attributes(unpacking.root().resolve("f")))
                .isEqualTo(Map.of("user.a", "w", "security.capability", latin(capability)));
    }

    /// struct vfs_ns_cap_data, which names a user namespace's root.
    @Test
    @Tag("root")
    void capabilities_have_24_bytes_at_most() throws IOException {
        byte[] longest = HexFormat.of().parseHex("010000030020000000000000000000000000000000000000");
        Path root = new Unpacking(
                        Files.createTempDirectory(temporary, "l"),
                        UnpackLimits.DEFAULT,
                        LayerUnpacker.Ownership.ARCHIVE)
                .layers(tar().pax("SCHILY.xattr.security.capability", longest)
                        .file("f", "x")
                        .build())
                .root();
        assertThat(attributes(root.resolve("f"))).containsKey(ExtendedAttributes.CAPABILITIES);
        byte[] longer = Arrays.copyOf(longest, longest.length + 1);
        new Unpacking(Files.createTempDirectory(temporary, "l"), UnpackLimits.DEFAULT, LayerUnpacker.Ownership.ARCHIVE)
                .assertRefused(
                        Code.BAD_ARCHIVE,
                        tar().pax("SCHILY.xattr.security.capability", longer)
                                .file("f", "x")
                                .build());
    }

    @Test
    @Tag("root")
    void capabilities_that_the_kernel_does_not_know_are_refused() throws IOException {
        byte[] unknown = "x".getBytes(StandardCharsets.UTF_8);
        new Unpacking(Files.createTempDirectory(temporary, "l"), UnpackLimits.DEFAULT, LayerUnpacker.Ownership.ARCHIVE)
                .assertRefused(
                        Code.BAD_ARCHIVE,
                        tar().pax("SCHILY.xattr.security.capability", unknown)
                                .file("f", "x")
                                .build());
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static Map<String, String> attributes(Path path) {
        var found = new HashMap<String, String>();
        try (Fd file = FileSystem.open(path.toString(), FileSystem.O_RDONLY)) {
            for (String name : List.of("user.a", ExtendedAttributes.CAPABILITIES)) {
                ExtendedAttributes.get(file, name).ifPresent(value -> found.put(name, latin(value)));
            }
        }
        return found;
    }

    @Test
    void only_the_device_of_two_zeros_is_a_whiteout() throws IOException {
        Unpacking.plain(temporary)
                .layers(
                        tar().file("d/f", "").build(),
                        tar().device(0, 0).header('3', "d/f", "", 0).build());
        assertThat(temporary.resolve("root/d")).isEmptyDirectory();
        for (TarBuilder other : List.of(
                tar().device(0, 5).header('3', "d/f", "", 0),
                tar().device(5, 0).header('3', "d/f", "", 0),
                tar().device(0, 0).header('4', "d/f", "", 0))) {
            Unpacking.plain(Files.createTempDirectory(temporary, "l"))
                    .assertRefused(Code.UNSAFE_ENTRY, tar().file("d/f", "").build(), other.build());
        }
    }

    // ---- the directory of unpacked trees

    private static final Digest KEY = Digest.of(new byte[] {1});

    private StoreDirectory store() {
        try (Fd parent = FileSystem.open(temporary.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return StoreDirectory.open(temporary, parent, "trees", false);
        }
    }

    @Test
    void a_tree_is_filled_once_and_read_by_everybody() throws IOException {
        try (StoreDirectory store = store()) {
            var fills = new int[1];
            Layer first = store.obtain(KEY, (tree, _) -> {
                fills[0]++;
                FileSystem.makeDirectory(tree, "d", 0700);
            });
            Layer second = store.obtain(KEY, (_, _) -> fills[0]++);

            assertThat(fills[0]).isEqualTo(1);
            assertThat(second).isEqualTo(first);
            assertThat((int) attribute(first.path(), "mode")).isEqualTo(0040755);
            assertThat((int) attribute(first.path().resolveSibling("locks"), "mode"))
                    .isEqualTo(0100600);
            assertThat(first.path().resolve("d")).isDirectory();
        }
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void a_tree_that_cannot_be_filled_leaves_nothing_and_is_filled_the_next_time() throws IOException {
        try (StoreDirectory store = store()) {
            assertThatThrownBy(() -> store.obtain(KEY, (tree, _) -> {
                        FileSystem.makeDirectory(tree, "d", 0700);
                        throw new IllegalStateException("no more");
                    }))
                    .hasMessage("no more");
            try (Stream<Path> left = Files.list(temporary.resolve("trees"))) {
                assertThat(left.filter(Files::isDirectory)).isEmpty();
            }
            Path partial = temporary.resolve("trees/" + KEY.hex() + ".partial/old");
            Files.createDirectories(partial);
            Layer layer = store.obtain(KEY, (_, _) -> {});
            assertThat(layer.path().resolve("old")).doesNotExist();
        }
    }

    @Test
    void only_partial_trees_are_removed_at_the_start() throws IOException {
        Path trees = Files.createDirectories(temporary.resolve("trees"));
        Path partial = Files.createDirectories(trees.resolve(KEY.hex() + ".partial/d"));
        Path whole =
                Files.createDirectories(trees.resolve(Digest.of(new byte[] {2}).hex()));
        Path other = Files.createDirectories(trees.resolve("notes.partial"));

        store().close();

        assertThat(partial.getParent()).doesNotExist();
        assertThat(whole).isDirectory();
        assertThat(other).isDirectory();
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void a_link_in_the_place_of_the_store_is_refused_and_stays_closed() throws IOException {
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        Files.createSymbolicLink(temporary.resolve("trees"), elsewhere);

        var refused = catchThrowableOfType(RuntimeException.class, this::store);

        assertThat(refused).isNotNull();
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void who_waits_for_another_can_be_interrupted() throws Exception {
        try (StoreDirectory store = store()) {
            var began = new java.util.concurrent.CountDownLatch(1);
            var end = new java.util.concurrent.CountDownLatch(1);
            Thread filling = Thread.ofPlatform()
                    .start(() -> store.obtain(KEY, (_, _) -> {
                        began.countDown();
                        try {
                            end.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }));
            began.await();
            Thread.currentThread().interrupt();
            var refused = catchThrowableOfType(ImageException.class, () -> store.obtain(KEY, (_, _) -> {}));
            assertThat(Thread.interrupted()).isTrue();
            end.countDown();
            filling.join();
            assertThat(refused).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.INTERRUPTED);
        }
        assertThat(openFiles()).isEmpty();
    }
}
