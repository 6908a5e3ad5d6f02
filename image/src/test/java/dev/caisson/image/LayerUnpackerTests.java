package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerUnpackerTests {
    @TempDir
    Path temporary;

    private Unpacking unpacking;

    @BeforeEach
    void an_empty_root() throws IOException {
        unpacking = Unpacking.plain(temporary);
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    @Test
    void files_directories_and_links_are_made() throws IOException {
        unpacking.layers(tar().mode(0755)
                .directory("./")
                .directory("./d/")
                .mode(04750)
                .file("./d/f", "content")
                .symbolicLink("s", "d/f")
                .hardLink("h", "/d/f")
                .hardLink("hs", "s")
                .file("implicit/parent/f", "x")
                .build());
        assertThat(unpacking.tree())
                .isEqualTo(Map.of(
                        "d", "directory",
                        "d/f", "file content",
                        "s", "link d/f",
                        "h", "file content",
                        "hs", "link d/f",
                        "implicit", "directory",
                        "implicit/parent", "directory",
                        "implicit/parent/f", "file x"));
        assertThat(Files.getAttribute(unpacking.root().resolve("h"), "unix:nlink"))
                .isEqualTo(2);
        assertThat((int) Files.getAttribute(unpacking.root().resolve("d/f"), "unix:mode") & 07777)
                .isEqualTo(04750);
    }

    @Test
    void names_that_are_no_utf_8_stay_the_bytes_that_they_are() throws IOException {
        unpacking.layers(tar().directory("d\udcff")
                .file("d\udcff/f\udce9", "content")
                .symbolicLink("s", "d\udcff/f\udce9")
                .hardLink("h", "d\udcff/f\udce9")
                .build());
        try (Fd root = FileSystem.open(unpacking.root().toString(), FileSystem.O_RDONLY)) {
            assertThat(FileSystem.readText(root, "d\udcff/f\udce9")).isEqualTo("content");
            assertThat(FileSystem.readText(root, "h")).isEqualTo("content");
            assertThat(FileSystem.readLink(root, "s")).isEqualTo("d\udcff/f\udce9");
            FileSystem.removeTree(root, "d\udcff");
        }
    }

    @Test
    void times_are_kept_also_of_directories_that_later_layers_fill() throws IOException {
        unpacking.layers(
                tar().pax("mtime", "1.5").directory("d").file("d/f", "x").build(),
                tar().file("d/g", "y").symbolicLink("d/s", "f").build());
        Path root = unpacking.root();
        assertThat(Files.getLastModifiedTime(root.resolve("d"))).isEqualTo(FileTime.fromMillis(1500));
        assertThat(Files.getLastModifiedTime(root.resolve("d/f"))).isEqualTo(FileTime.fromMillis(1_000_000_000_000L));
        assertThat(Files.getLastModifiedTime(root.resolve("d/s"), LinkOption.NOFOLLOW_LINKS))
                .isEqualTo(FileTime.fromMillis(1_000_000_000_000L));
    }

    /// Of many, as the order in which they get their times is that of their inode numbers.
    @Test
    void a_directory_that_is_made_anew_has_its_own_time() throws IOException {
        TarBuilder first = tar();
        TarBuilder second = tar();
        for (int i = 0; i < 30; i++) {
            first.pax("mtime", "1.5").directory("d" + i);
            second.whiteout(".wh.d" + i).pax("mtime", "2.5").directory("d" + i);
        }
        unpacking.layers(first.build(), second.build());
        for (int i = 0; i < 30; i++) {
            assertThat(Files.getLastModifiedTime(unpacking.root().resolve("d" + i)))
                    .isEqualTo(FileTime.fromMillis(2500));
        }
    }

    @Test
    void a_directory_that_became_a_file_has_no_time_to_keep() throws IOException {
        unpacking.layers(
                tar().directory("a").directory("a/b").build(),
                tar().file("a", "x").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("a", "file x"));
    }

    @Test
    void what_comes_later_replaces_what_was_there_whatever_it_was() throws IOException {
        unpacking.layers(
                tar().file("1", "a")
                        .symbolicLink("2", "1")
                        .directory("3/deep")
                        .file("3/deep/f", "x")
                        .file("4", "a")
                        .directory("5")
                        .file("5/kept", "a")
                        .build(),
                tar().directory("1")
                        .file("2", "b")
                        .symbolicLink("3", "2")
                        .hardLink("4", "2")
                        .mode(0700)
                        .directory("5")
                        .build());
        assertThat(unpacking.tree())
                .isEqualTo(Map.of(
                        "1",
                        "directory",
                        "2",
                        "file b",
                        "3",
                        "link 2",
                        "4",
                        "file b",
                        "5",
                        "directory",
                        "5/kept",
                        "file a"));
        assertThat((int) Files.getAttribute(unpacking.root().resolve("5"), "unix:mode") & 07777)
                .isEqualTo(0700);
    }

    @Test
    void a_hard_link_s_file_does_not_change_with_its_other_name() throws IOException {
        unpacking.layers(
                tar().file("a", "old").hardLink("b", "a").build(),
                tar().file("a", "new").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("a", "file new", "b", "file old"));
    }

    @Test
    void a_whiteout_hides_files_and_trees_of_lower_layers() throws IOException {
        unpacking.layers(
                tar().file("f", "x").file("d/e/g", "x").file("kept", "x").build(),
                tar().whiteout(".wh.f")
                        .whiteout(".wh.d")
                        .whiteout(".wh.never-there")
                        .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("kept", "file x"));
    }

    @Test
    void a_whiteout_does_not_hide_what_its_own_layer_brought() throws IOException {
        unpacking.layers(
                tar().file("f", "old").file("d/old", "x").build(),
                tar().file("f", "new")
                        .file("d/new", "x")
                        .whiteout(".wh.f")
                        .whiteout(".wh.d")
                        .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("f", "file new", "d", "directory", "d/new", "file x"));
    }

    @Test
    void an_opaque_directory_hides_lower_layers_whether_it_comes_first_or_last() throws IOException {
        byte[] lower = tar().file("d/old", "x")
                .file("d/e/old", "x")
                .file("d/both/old", "x")
                .build();
        byte[] first = tar().directory("d")
                .whiteout("d/.wh..wh..opq")
                .file("d/new", "y")
                .file("d/both/new", "y")
                .build();
        byte[] last = tar().file("d/new", "y")
                .file("d/both/new", "y")
                .whiteout("d/.wh..wh..opq")
                .build();
        Map<String, String> expected =
                Map.of("d", "directory", "d/new", "file y", "d/both", "directory", "d/both/new", "file y");
        assertThat(unpacking.layers(lower, first).tree()).isEqualTo(expected);
        Unpacking other = Unpacking.plain(Files.createDirectory(temporary.resolve("other")));
        assertThat(other.layers(lower, last).tree()).isEqualTo(expected);
    }

    @Test
    void an_overlay_whiteout_device_hides_too() throws IOException {
        unpacking.layers(
                tar().file("f", "x").build(),
                tar().device(0, 0).member('3', "f", "", new byte[0]).build());
        assertThat(unpacking.tree()).isEmpty();
    }

    @Test
    void a_hidden_name_can_come_back_in_the_next_layer() throws IOException {
        unpacking.layers(
                tar().file("d/f", "1").build(),
                tar().whiteout(".wh.d").build(),
                tar().file("d/g", "3").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("d", "directory", "d/g", "file 3"));
    }

    @Test
    void bookkeeping_of_aufs_is_passed_over() throws IOException {
        unpacking.layers(tar().directory(".wh..wh.plnk")
                .file(".wh..wh.plnk/1.2", "x")
                .file(".wh..wh.aufs", "")
                .build());
        assertThat(unpacking.tree()).isEmpty();
    }

    @Test
    void files_through_a_directory_link_land_where_it_leads() throws IOException {
        unpacking.layers(
                tar().directory("usr/lib").symbolicLink("lib", "usr/lib").build(),
                tar().file("lib/x.so", "x").build());
        assertThat(unpacking.tree())
                .isEqualTo(Map.of(
                        "usr", "directory", "usr/lib", "directory", "usr/lib/x.so", "file x", "lib", "link usr/lib"));
    }

    @Test
    void user_attributes_are_kept_as_bytes_and_others_left_out() throws IOException {
        byte[] value = {0, (byte) 0xff, '\n', '='};
        unpacking.layers(tar().pax("SCHILY.xattr.user.test", value)
                .pax("SCHILY.xattr.trusted.overlay.redirect", "/etc")
                .pax("SCHILY.xattr.security.selinux", "system_u:object_r:etc_t:s0")
                .file("f", "x")
                .build());
        Path file = unpacking.root().resolve("f");
        assertThat((byte[]) Files.getAttribute(file, "user:test")).isEqualTo(value);
        var process = new ProcessBuilder("ls", "-ld", file.toString()).start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .doesNotContain("+");
    }

    @Test
    void holes_stay_holes() throws IOException {
        unpacking.layers(tar().pax("GNU.sparse.map", "1000000000,3,2000000000,0")
                .pax("GNU.sparse.size", "2000000000")
                .file("sparse", "abc")
                .pax("GNU.sparse.map", "5,0")
                .pax("GNU.sparse.size", "5")
                .file("empty", "")
                .build());
        Path sparse = unpacking.root().resolve("sparse");
        assertThat(Files.size(sparse)).isEqualTo(2_000_000_000);
        assertThat(Files.size(unpacking.root().resolve("empty"))).isEqualTo(5);
        try (var channel = Files.newByteChannel(sparse)) {
            var bytes = java.nio.ByteBuffer.allocate(5);
            channel.position(999_999_999).read(bytes);
            assertThat(bytes.array()).isEqualTo("\0abc\0".getBytes(StandardCharsets.UTF_8));
        }
        var process = new ProcessBuilder("stat", "-c", "%b", sparse.toString()).start();
        String blocks = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(Long.parseLong(blocks)).isLessThan(1000);
    }
}
