package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A directory of an image in a volume: all that its files are, and nothing of what is mounted in it.
@Tag("root")
class TreeCopyTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.ofEpochSecond(1_000_000_000, 123_456_789));
    private static final long PLENTY = 1 << 30;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    @SuppressWarnings("NullAway.Init")
    private Path from;

    @SuppressWarnings("NullAway.Init")
    private Path to;

    @BeforeEach
    void make() throws IOException {
        from = Files.createDirectory(temporary.resolve("from"));
        to = Files.createDirectory(temporary.resolve("to"));
    }

    private static Fd open(Path directory) {
        return FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    private void copy(long most) {
        try (Fd source = open(from);
                Fd target = open(to)) {
            TreeCopy.copy(source, target, most);
        }
    }

    private FileStatus status(String name) {
        try (Fd directory = open(to)) {
            return FileSystem.status(directory, name);
        }
    }

    private static void own(Path file, int uid, int gid) throws IOException {
        Files.setAttribute(file, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(file, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
    }

    private static void mode(Path file, int mode) {
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY | FileSystem.O_NONBLOCK)) {
            FileSystem.changeMode(opened, mode);
        }
    }

    private static byte[] attribute(Path file, String name) {
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY)) {
            return ExtendedAttributes.get(opened, name).orElse(new byte[0]);
        }
    }

    private static void set(Path file, String name, byte... value) {
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY)) {
            ExtendedAttributes.set(opened, name, value);
        }
    }

    @Test
    void files_have_content_owner_mode_time_and_attributes() throws IOException {
        Path file = Files.writeString(Files.createDirectory(from.resolve("d")).resolve("file"), "content");
        own(file, 7, 8);
        mode(file, 06751);
        set(file, "user.note", (byte) 3);
        set(file, "trusted.other", (byte) 4);
        byte[] capabilities = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        set(file, ExtendedAttributes.CAPABILITIES, capabilities);
        own(from.resolve("d"), 9, 10);
        mode(from.resolve("d"), 01733);
        set(from.resolve("d"), "user.of", (byte) 5);
        Files.setLastModifiedTime(file, LONG_AGO);
        Files.setLastModifiedTime(from.resolve("d"), LONG_AGO);
        own(from, 11, 12);
        mode(from, 0710);

        copy(PLENTY);

        Path copied = to.resolve("d/file");
        assertThat(copied).hasContent("content");
        assertThat(Files.getAttribute(copied, "unix:uid")).isEqualTo(7);
        assertThat(Files.getAttribute(copied, "unix:gid")).isEqualTo(8);
        assertThat((int) Files.getAttribute(copied, "unix:mode") & 07777).isEqualTo(06751);
        assertThat(attribute(copied, "user.note")).containsExactly(3);
        assertThat(attribute(copied, "trusted.other")).isEmpty();
        assertThat(attribute(copied, ExtendedAttributes.CAPABILITIES)).isEqualTo(capabilities);
        assertThat(Files.getLastModifiedTime(copied)).isEqualTo(LONG_AGO);
        assertThat(Files.getLastModifiedTime(to.resolve("d"))).isEqualTo(LONG_AGO);
        assertThat(status("d").uid()).isEqualTo(9);
        assertThat(status("d").gid()).isEqualTo(10);
        assertThat(status("d").mode() & 07777).isEqualTo(01733);
        assertThat(attribute(to.resolve("d"), "user.of")).containsExactly(5);
        assertThat(Files.getAttribute(to, "unix:uid")).isEqualTo(11);
        assertThat(Files.getAttribute(to, "unix:gid")).isEqualTo(12);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(to)))
                .isEqualTo("rwx--x---");
    }

    @Test
    void links_and_pipes_stay_what_they_are_and_devices_are_left_out() throws IOException {
        Files.createSymbolicLink(from.resolve("link"), Path.of("../elsewhere"));
        own(from.resolve("link"), 7, 8);
        Files.createDirectory(from.resolve("d"));
        Path one = Files.writeString(from.resolve("d/one"), "same");
        Files.createLink(from.resolve("d/other"), one);
        Files.createLink(from.resolve("third"), one);
        try (Fd directory = open(from)) {
            FileSystem.makeNode(directory, "pipe", 0010640, 0);
            FileSystem.makeNode(directory, "null", 0020666, 0x103);
        }
        own(from.resolve("pipe"), 5, 6);
        mode(from.resolve("pipe"), 07751);

        copy(PLENTY);

        assertThat(Files.readSymbolicLink(to.resolve("link"))).isEqualTo(Path.of("../elsewhere"));
        assertThat(status("link").uid()).isEqualTo(7);
        assertThat(status("link").gid()).isEqualTo(8);
        assertThat(status("third").links()).isEqualTo(3);
        assertThat(Files.isSameFile(to.resolve("d/one"), to.resolve("third"))).isTrue();
        assertThat(Files.isSameFile(to.resolve("d/other"), to.resolve("third"))).isTrue();
        assertThat(to.resolve("third")).hasContent("same");
        assertThat(status("pipe").mode()).isEqualTo(0017751);
        assertThat(status("pipe").uid()).isEqualTo(5);
        assertThat(status("pipe").gid()).isEqualTo(6);
        try (Stream<Path> all = Files.list(to)) {
            assertThat(all.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("link", "d", "third", "pipe");
        }
    }

    @Test
    void holes_take_no_room_and_count_all_the_same() throws IOException {
        try (var file = new RandomAccessFile(from.resolve("sparse").toFile(), "rw")) {
            file.seek(3 << 20);
            file.write('x');
            file.setLength(5 << 20);
        }
        copy(5 << 20);
        assertThat(to.resolve("sparse")).hasSize(5 << 20).hasSameBinaryContentAs(from.resolve("sparse"));
        try (Fd file = FileSystem.open(to.resolve("sparse").toString(), FileSystem.O_RDONLY)) {
            byte[] at = new byte[1];
            assertThat(dev.caisson.linux.FileContent.readAt(file, at, 3 << 20)).isEqualTo(1);
            assertThat(at).containsExactly('x');
        }
    }

    @Test
    void what_is_mounted_in_it_is_left_out() throws Exception {
        Files.createDirectory(from.resolve("d"));
        Files.createFile(from.resolve("file"));
        Files.writeString(from.resolve("own"), "own");
        Path secret = Files.writeString(temporary.resolve("secret"), "secret");
        for (String[] mount : new String[][] {
            {"-t", "tmpfs", "test", from.resolve("d").toString()},
            {"--bind", secret.toString(), from.resolve("file").toString()}
        }) {
            run("mount", mount);
        }
        try {
            copy(PLENTY);
            assertThat(found("d")).isEmpty();
        } finally {
            run("umount", from.resolve("d").toString(), from.resolve("file").toString());
        }
        try (Stream<Path> all = Files.list(to)) {
            assertThat(all.map(file -> file.getFileName().toString())).containsExactly("own");
        }
    }

    private static void run(String program, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(program));
        command.addAll(List.of(arguments));
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    /// Of a file: its owner 6, the user 7 4, its group, the mask and others none, as the kernel keeps it.
    @Test
    void access_lists_are_kept() throws IOException {
        byte[] list = {
            2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 4, 0, 7, 0, 0, 0, 4, 0, 0, 0, -1, -1, -1, -1, 16, 0, 4, 0, -1,
            -1, -1, -1, 32, 0, 0, 0, -1, -1, -1, -1
        };
        set(Files.createFile(from.resolve("file")), ExtendedAttributes.ACCESS_LIST, list);
        copy(PLENTY);
        assertThat(attribute(to.resolve("file"), ExtendedAttributes.ACCESS_LIST))
                .isEqualTo(list);
    }

    @Test
    void more_than_fits_is_told() throws IOException {
        Files.writeString(from.resolve("a"), "12345");
        Files.writeString(from.resolve("b"), "12345");
        assertThatThrownBy(() -> copy(9))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.TOO_LARGE))
                .hasMessageContaining("does not fit into 9 bytes");
        to = Files.createDirectory(temporary.resolve("again"));
        copy(10);
        assertThat(to.resolve("b")).hasContent("12345");
    }

    @Test
    void a_disk_that_is_full_is_told_as_what_does_not_fit() throws Exception {
        Files.writeString(from.resolve("a"), "x".repeat(100_000));
        run("mount", "-t", "tmpfs", "-o", "size=8k", "test", to.toString());
        try {
            assertThatThrownBy(() -> copy(PLENTY))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.TOO_LARGE))
                    .hasMessageContaining("does not fit into");
        } finally {
            run("umount", to.toString());
        }
    }

    @Test
    void directories_that_go_too_deep_are_told() throws IOException {
        Path deep = from;
        for (int i = 0; i < 256; i++) {
            deep = Files.createDirectory(deep.resolve("d"));
        }
        copy(PLENTY);
        Files.createDirectory(deep.resolve("d"));
        to = Files.createDirectory(temporary.resolve("again"));
        assertThatThrownBy(() -> copy(PLENTY)).hasMessageContaining("more than 256 deep");
    }

    // ---- a directory of a tree

    private Optional<Long> found(String path) {
        try (Fd root = open(from)) {
            Optional<Fd> found = TreeCopy.find(root, path);
            Optional<Long> inode =
                    found.map(directory -> FileSystem.status(directory).inode());
            found.ifPresent(Fd::close);
            return inode;
        }
    }

    @Test
    void a_directory_is_found_in_its_tree_as_in_its_root() throws IOException {
        Files.createDirectories(from.resolve("a/b"));
        Files.createSymbolicLink(from.resolve("to"), Path.of("/a/b"));
        Files.createSymbolicLink(from.resolve("loop"), Path.of("loop"));
        Files.createSymbolicLink(from.resolve("out"), Path.of("../.."));
        Files.createFile(from.resolve("file"));
        long inode = (long) Files.getAttribute(from.resolve("a/b"), "unix:ino");
        long top = (long) Files.getAttribute(from, "unix:ino");

        assertThat(found("a/b")).contains(inode);
        assertThat(found("to")).contains(inode);
        assertThat(found("")).contains(top);
        assertThat(found("out")).contains(top);
        assertThat(found("none")).isEmpty();
        assertThat(found("file")).isEmpty();
        assertThat(found("file/more")).isEmpty();
        assertThat(found("loop")).isEmpty();
        assertThatThrownBy(() -> found("n".repeat(256)))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.STORE_REFUSED));
    }
}
