package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageStoreTests {
    @TempDir
    Path temporary;

    private ImageStore open() {
        return ImageStore.open(temporary.resolve("store"));
    }

    private static Rootfs resolve(ImageStore store, Image image) {
        return store.resolve(image, ProgressListener.none());
    }

    private Path directory() throws IOException {
        Path root = Files.createDirectories(temporary.resolve("root"));
        Files.createDirectories(root.resolve("etc"));
        return root;
    }

    private static void shell(Path root) throws IOException {
        Path shell = Files.createDirectories(root.resolve("bin")).resolve("sh");
        Files.writeString(shell, "#!");
        Files.setPosixFilePermissions(shell, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void the_store_is_private() throws IOException {
        open().close();
        assertThat(Files.getPosixFilePermissions(temporary.resolve("store")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void host_is_made_once_and_has_accounts_of_its_own() {
        try (ImageStore store = open()) {
            Rootfs first = resolve(store, Image.host());
            Rootfs second = resolve(store, Image.host());
            assertThat(second).isEqualTo(first);
            assertThat(first.layers()).hasSize(1);
            assertThat(first.layers().getFirst().removable()).isFalse();
            assertThat(first.binds()).contains(new HostBind(Path.of("/usr"), "usr"));
            assertThat(first.config().cmd()).containsExactly("sh");
            assertThat(first.account("")).isEqualTo(new Account(0, 0, List.of(), "/root"));
            assertThat(first.account("nobody:nogroup").uid()).isEqualTo(65534);
        }
    }

    /// A layer is not opened through a link.
    @Test
    void a_store_behind_a_link_is_used_where_it_is() throws IOException {
        Path real = Files.createDirectory(temporary.toRealPath().resolve("real"));
        Path link = Files.createSymbolicLink(temporary.resolve("link"), real);
        try (ImageStore store = ImageStore.open(link)) {
            Rootfs rootfs = resolve(store, Image.host());
            assertThat(rootfs.layers().getFirst().path()).startsWith(real);
            rootfs.openLayers().forEach(Fd::close);
        }
    }

    @Test
    void two_stores_that_make_host_at_once_get_the_same() throws Exception {
        try (ImageStore one = open();
                ImageStore other = open();
                var threads = Executors.newFixedThreadPool(4)) {
            Callable<Rootfs> first = () -> resolve(one, Image.host());
            Callable<Rootfs> second = () -> resolve(other, Image.host());
            var results = threads.invokeAll(List.of(first, second, first, second));
            for (var result : results) {
                assertThat(result.get()).isEqualTo(results.getFirst().get());
            }
        }
        try (Stream<Path> made = Files.list(temporary.resolve("store/host"))) {
            assertThat(made.map(path -> path.getFileName().toString())).noneMatch(name -> name.endsWith(".partial"));
        }
    }

    @Test
    void what_a_crash_left_is_removed_and_what_another_unpacks_is_not() throws IOException {
        open().close();
        Path host = temporary.resolve("store/host");
        Path left = Files.createDirectories(host.resolve("a".repeat(64) + ".partial/deep"));
        Path busy = Files.createDirectories(host.resolve("b".repeat(64) + ".partial/deep"));
        Path lockFile = Files.createFile(host.resolve("locks"));
        try (Fd locks = FileSystem.open(lockFile.toString(), FileSystem.O_RDWR)) {
            assertThat(FileLocks.tryLockByte(locks, Long.parseLong("b".repeat(15), 16)))
                    .isTrue();
            open().close();
            assertThat(left).doesNotExist();
            assertThat(busy).exists();
        }
        open().close();
        assertThat(busy).doesNotExist();
    }

    @Test
    void a_directory_is_a_layer_and_its_shell_the_command() throws IOException {
        Path root = directory();
        try (ImageStore store = open()) {
            assertThat(resolve(store, Image.directory(root)).config().cmd()).isEmpty();
            shell(root);
            Rootfs rootfs = resolve(store, Image.directory(root));
            assertThat(rootfs.config().cmd()).containsExactly("sh");
            assertThat(rootfs.config().env()).containsEntry("PATH", ImageConfig.DEFAULT_PATH);
            assertThat(rootfs.layers().getFirst().path()).isEqualTo(root.toRealPath());
            for (Fd layer : rootfs.openLayers()) {
                layer.close();
            }
        }
    }

    @Test
    void a_shell_that_is_a_link_to_the_host_is_none() throws IOException {
        Path root = directory();
        Files.createDirectories(root.resolve("bin"));
        Files.createSymbolicLink(root.resolve("bin/sh"), Path.of("/usr/bin/env"));
        try (ImageStore store = open()) {
            assertThat(resolve(store, Image.directory(root)).config().cmd()).isEmpty();
        }
    }

    @Test
    void a_directory_named_through_a_link_is_opened_where_it_is() throws IOException {
        Path root = directory();
        Path link = Files.createSymbolicLink(temporary.resolve("link"), root);
        try (ImageStore store = open()) {
            Rootfs rootfs = resolve(store, Image.directory(link));
            assertThat(rootfs.layers().getFirst().path()).isEqualTo(root.toRealPath());
        }
    }

    @Test
    void a_directory_that_was_exchanged_is_noticed() throws IOException {
        Path root = directory();
        try (ImageStore store = open()) {
            Rootfs rootfs = resolve(store, Image.directory(root));
            Files.move(root, temporary.resolve("moved"));
            assertCode(Code.LAYER_CHANGED, rootfs::openLayers);
            Files.createDirectory(root);
            assertCode(Code.LAYER_CHANGED, rootfs::openLayers);
            Files.delete(root);
            Files.createSymbolicLink(root, temporary.resolve("moved"));
            assertCode(Code.LAYER_CHANGED, rootfs::openLayers);
        }
    }

    @Test
    void what_is_no_directory_is_refused() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "");
        try (ImageStore store = open()) {
            assertCode(Code.NOT_FOUND, () -> resolve(store, Image.directory(temporary.resolve("none"))));
            assertCode(Code.NOT_A_DIRECTORY, () -> resolve(store, Image.directory(file)));
            assertCode(Code.BAD_NAME, () -> resolve(store, Image.directory(Path.of("/"))));
            assertCode(Code.BAD_NAME, () -> resolve(store, Image.directory(Path.of("/usr/.."))));
        }
        assertThatThrownBy(() -> ImageStore.open(file)).isInstanceOf(ImageException.class);
    }

    @Test
    void accounts_come_from_the_image_even_where_links_point_at_the_host() throws IOException {
        Path root = directory();
        Files.writeString(temporary.resolve("passwd"), "evil:x:0:0::/:/bin/sh\n");
        Files.createSymbolicLink(root.resolve("etc/passwd"), temporary.resolve("passwd"));
        try (ImageStore store = open()) {
            Rootfs rootfs = resolve(store, Image.directory(root));
            assertCode(Code.UNKNOWN_USER, () -> rootfs.account("evil"));

            Path inside = root.resolve(Path.of("/").relativize(temporary.resolve("passwd")));
            Files.createDirectories(inside.getParent());
            Files.writeString(inside, "good:x:5:5::/:/bin/sh\n");
            assertThat(rootfs.account("good").uid()).isEqualTo(5);
        }
    }

    @Test
    void account_files_have_at_most_a_mebibyte_each() throws IOException {
        Path root = directory();
        String passwd = "u:x:5:6::/:/bin/sh\n";
        String group = "g:x:7:\n";
        Path passwdFile = root.resolve("etc/passwd");
        Path groupFile = root.resolve("etc/group");
        Files.writeString(passwdFile, "#".repeat((1 << 20) - passwd.length() - 1) + "\n" + passwd);
        Files.writeString(groupFile, "#".repeat((1 << 20) - group.length() - 1) + "\n" + group);
        try (ImageStore store = open()) {
            Rootfs rootfs = resolve(store, Image.directory(root));
            assertThat(rootfs.account("u:g")).isEqualTo(new Account(5, 7, List.of(), "/"));
            for (Path file : List.of(passwdFile, groupFile)) {
                String whole = Files.readString(file);
                Files.writeString(file, "#" + whole);
                assertCode(Code.BAD_ACCOUNT_FILE, () -> rootfs.account("u:g"));
                Files.writeString(file, whole);
            }
        }
    }

    @Test
    void account_files_that_are_no_files_or_endless_are_refused() throws IOException, InterruptedException {
        Path root = directory();
        Path passwd = root.resolve("etc/passwd");
        try (ImageStore store = open()) {
            Rootfs rootfs = resolve(store, Image.directory(root));
            assertThat(rootfs.account("1000").gid()).isZero();

            Files.createDirectory(passwd);
            assertCode(Code.BAD_ACCOUNT_FILE, () -> rootfs.account("root"));
            Files.delete(passwd);

            assertThat(new ProcessBuilder("mkfifo", passwd.toString()).start().waitFor())
                    .isZero();
            assertCode(Code.BAD_ACCOUNT_FILE, () -> rootfs.account("root"));
            Files.delete(passwd);

            Files.createSymbolicLink(passwd, Path.of("passwd"));
            assertCode(Code.BAD_ACCOUNT_FILE, () -> rootfs.account("root"));
            Files.delete(passwd);

            Files.write(passwd, new byte[(1 << 20) + 1]);
            assertCode(Code.BAD_ACCOUNT_FILE, () -> rootfs.account("root"));
        }
    }

    /// As `rmi` and `pull` of other processes do.
    @Test
    void an_image_that_is_removed_while_it_is_unpacked_is_not_there_and_one_that_is_replaced_is_taken() {
        byte[] lower = new TarBuilder().file("a", "1").build();
        byte[] upper = new TarBuilder().file("b", "2").build();
        byte[] other = new TarBuilder().file("c", "3").build();
        Image name = new Image.Named(ImageReference.parse("one"));
        try (ImageStore store = open();
                ImageStore another = open()) {
            StoredImage image = StoreOnOtherDisksTest.make(store, lower, upper);
            var removed = catchThrowableOfType(
                    ImageException.class, () -> store.resolve(name, (_, _, _) -> another.remove(Set.of(image))));
            assertThat(removed.reason()).isEqualTo(Code.NOT_FOUND);
            assertThat(removed).hasMessageContaining("image one:latest is not in the store");

            StoredImage again = StoreOnOtherDisksTest.make(
                    store,
                    new TarBuilder().file("a", "4").build(),
                    new TarBuilder().file("b", "5").build());
            Rootfs replaced = store.resolve(name, (_, _, _) -> {
                if (another.images().contains(again)) {
                    another.remove(Set.of(again));
                    StoreOnOtherDisksTest.make(another, other);
                }
            });
            assertThat(replaced.layers())
                    .singleElement()
                    .satisfies(layer -> assertThat(layer.path().resolve("c")).hasContent("3"));
        }
    }

    private static void assertCode(Code code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        var refused = catchThrowableOfType(ImageException.class, call);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(code);
    }

    @Test
    void an_oci_layout_that_is_named_as_a_directory_is_told_how_to_be_named() throws IOException {
        Path layout = Files.createDirectory(temporary.resolve("layout"));
        try (ImageStore store = open()) {
            for (String alone : List.of("oci-layout", "index.json")) {
                Files.writeString(layout.resolve(alone), "{}");
                assertThat(resolve(store, Image.directory(layout)).layers()).hasSize(1);
                Files.delete(layout.resolve(alone));
            }
            Files.writeString(layout.resolve("oci-layout"), "{}");
            Files.writeString(layout.resolve("index.json"), "{}");
            var refused = catchThrowableOfType(ImageException.class, () -> resolve(store, Image.directory(layout)));
            assertThat(refused.reason()).isEqualTo(Code.BAD_NAME);
            assertThat(refused).hasMessageContaining("oci:" + layout);
        }
    }

    @Test
    void an_index_that_is_cut_off_says_so() throws IOException {
        Path layout = Files.createDirectory(temporary.resolve("cut"));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        try (ImageStore store = open()) {
            for (String cut : List.of("", "{\"schemaVersion\":2,\"mani", "{\"schemaVersion\":2,\"manifests\":[")) {
                Files.writeString(layout.resolve("index.json"), cut);
                var refused = catchThrowableOfType(ImageException.class, () -> resolve(store, Image.ociLayout(layout)));
                assertThat(refused.reason()).isEqualTo(Code.BAD_MANIFEST);
                assertThat(refused).hasMessageContaining("is cut off").hasMessageContaining("fetch or build it again");
            }
        }
    }

    @Test
    @Tag("root")
    void a_full_store_is_told_from_one_that_cannot_be_used() throws Exception {
        Path full = Files.createDirectory(temporary.resolve("store"));
        assertThat(new ProcessBuilder("mount", "-t", "tmpfs", "-o", "nr_inodes=30", "test", full.toString())
                        .start()
                        .waitFor())
                .isZero();
        try (ImageStore store = open()) {
            var refused = catchThrowableOfType(ImageException.class, () -> resolve(store, Image.host()));
            assertThat(refused.reason()).as(refused.sentence()).isEqualTo(Code.STORE_FULL);
            assertThat(refused).hasMessageContaining("make room").hasMessageContaining("ENOSPC");
        } finally {
            assertThat(new ProcessBuilder("umount", full.toString()).start().waitFor())
                    .isZero();
        }
    }
}
