package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Layers that try to leave their root, each in its own way: refused, or kept inside, and the neighbour untouched.
@Timeout(60)
class HostileLayerTests {
    @TempDir
    Path temporary;

    private Unpacking unpacking;
    private String outside;

    @BeforeEach
    void a_root_with_a_neighbour() throws IOException {
        unpacking = Unpacking.plain(temporary);
        outside = unpacking.outside().toString();
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    private String inside(String path) {
        return outside.substring(1) + "/" + path;
    }

    @Test
    void dot_dot_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("../outside/canary", "dead").build());
    }

    @Test
    void dot_dot_in_the_middle_is_refused_even_where_it_stays_inside() throws IOException {
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().file("a/../b", "x").build());
    }

    @Test
    void dot_dot_from_an_extended_header_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().pax("path", "../outside/canary").file("harmless", "dead").build());
    }

    @Test
    void dot_dot_from_a_long_name_is_refused() throws IOException {
        byte[] name = "../outside/canary\0".getBytes(StandardCharsets.UTF_8);
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().member('L', "long", "", name).file("harmless", "dead").build());
    }

    @Test
    void dot_dot_from_a_sparse_name_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().pax("GNU.sparse.name", "../outside/canary")
                        .file("harmless", "dead")
                        .build());
    }

    @Test
    void an_absolute_name_starts_at_the_root() throws IOException {
        unpacking.layers(tar().file(outside + "/canary", "inside").build());
        assertThat(unpacking.tree()).containsEntry(inside("canary"), "file inside");
        unpacking.assertUntouched();
    }

    @Test
    void a_file_through_an_absolute_link_stays_inside() throws IOException {
        unpacking.layers(tar().directory(outside)
                .symbolicLink("link", outside)
                .file("link/canary", "inside")
                .build());
        assertThat(unpacking.tree()).containsEntry(inside("canary"), "file inside");
        unpacking.assertUntouched();
    }

    @Test
    void a_file_through_a_relative_link_that_leads_out_stays_inside() throws IOException {
        unpacking.layers(tar().directory("outside")
                .symbolicLink("link", "../../../../../../outside")
                .file("link/canary", "inside")
                .build());
        assertThat(unpacking.tree()).containsEntry("outside/canary", "file inside");
        unpacking.assertUntouched();
    }

    @Test
    void a_file_through_a_link_that_leads_nowhere_inside_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().symbolicLink("link", outside).file("link/canary", "dead").build());
    }

    @Test
    void a_file_through_a_magic_link_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().symbolicLink("link", "/proc/self/cwd")
                        .file("link/file", "dead")
                        .build());
    }

    @Test
    void a_file_over_a_link_replaces_the_link() throws IOException {
        unpacking.layers(tar().symbolicLink("link", outside + "/canary")
                .file("link", "inside")
                .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("link", "file inside"));
        unpacking.assertUntouched();
    }

    @Test
    void a_directory_over_a_link_replaces_the_link() throws IOException {
        unpacking.layers(tar().symbolicLink("link", outside)
                .mode(0700)
                .directory("link")
                .mode(0600)
                .file("link/canary", "inside")
                .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("link", "directory", "link/canary", "file inside"));
        unpacking.assertUntouched();
    }

    @Test
    void a_later_layer_does_not_write_through_an_earlier_layer_s_link() throws IOException {
        unpacking.layers(
                tar().symbolicLink("etc", outside).build(),
                tar().directory("etc").file("etc/canary", "inside").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("etc", "directory", "etc/canary", "file inside"));
        unpacking.assertUntouched();
    }

    @Test
    void a_hard_link_to_the_outside_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().hardLink("mine", outside + "/canary").build());
    }

    @Test
    void a_hard_link_upwards_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().hardLink("mine", "../outside/canary").build());
    }

    @Test
    void a_hard_link_through_a_link_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().symbolicLink("link", outside)
                        .hardLink("mine", "link/canary")
                        .build());
    }

    @Test
    void a_file_over_a_hard_link_to_a_link_does_not_follow_it() throws IOException {
        unpacking.layers(tar().symbolicLink("link", outside + "/canary")
                .hardLink("mine", "link")
                .file("mine", "inside")
                .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("link", "link " + outside + "/canary", "mine", "file inside"));
        unpacking.assertUntouched();
    }

    @Test
    void a_hard_link_to_a_directory_to_itself_or_to_nothing_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().directory("d").hardLink("l", "d").build());
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("f", "x").hardLink("f", "./f").build());
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().hardLink("l", "none").build());
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().hardLink("l", "").build());
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("f", "x").hardLink("/", "f").build());
    }

    @Test
    void a_hard_link_that_removes_its_own_target_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("d/f", "x").hardLink("d", "d/f").build());
    }

    @Test
    void a_whiteout_of_the_outside_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().whiteout("../outside/.wh.canary").build());
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().whiteout(".wh...").build());
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().whiteout(".wh..").build());
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().whiteout(".wh.").build());
    }

    @Test
    void a_whiteout_through_a_link_hides_nothing_outside() throws IOException {
        unpacking.layers(
                tar().symbolicLink("link", outside).build(),
                tar().whiteout("link/.wh.canary").whiteout("link/.wh..wh..opq").build());
        unpacking.assertUntouched();
    }

    @Test
    void a_whiteout_of_a_link_hides_the_link() throws IOException {
        unpacking.layers(
                tar().symbolicLink("link", outside).build(),
                tar().whiteout(".wh.link").build());
        assertThat(unpacking.tree()).isEmpty();
        unpacking.assertUntouched();
    }

    @Test
    void an_opaque_directory_does_not_empty_what_its_links_lead_to() throws IOException {
        unpacking.layers(
                tar().symbolicLink("d/link", outside).build(),
                tar().whiteout("d/.wh..wh..opq").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("d", "directory"));
        unpacking.assertUntouched();
    }

    @Test
    void a_file_below_a_file_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("f", "x").file("f/g", "y").build());
    }

    @Test
    void links_that_go_in_circles_are_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().symbolicLink("a", "b")
                        .symbolicLink("b", "a")
                        .file("a/f", "x")
                        .build());
    }

    @Test
    void devices_are_refused_and_below_dev_passed_over() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().device(1, 3).member('3', "disk", "", new byte[0]).build());
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().device(8, 0).member('4', "etc/sda", "", new byte[0]).build());
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().device(0, 0)
                        .member('4', "block-whiteout", "", new byte[0])
                        .build());
        unpacking.layers(
                tar().device(1, 3).member('3', "dev/null", "", new byte[0]).build());
        assertThat(unpacking.tree()).isEmpty();
    }

    @Test
    void something_else_than_a_directory_as_the_root_is_refused() throws IOException {
        unpacking.assertRefused(Code.UNSAFE_ENTRY, tar().file(".", "x").build());
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().symbolicLink(".", outside).build());
        unpacking.assertRefused(
                Code.BAD_ARCHIVE, tar().member('3', "/", "", new byte[0]).build());
    }

    @Test
    void owners_that_no_container_has_are_refused() throws IOException {
        unpacking.assertRefused(
                Code.ID_OUT_OF_RANGE, tar().owner(65536, 0).file("f", "x").build());
        unpacking.assertRefused(
                Code.ID_OUT_OF_RANGE, tar().owner(0, 4294967295L).file("f", "x").build());
        unpacking.assertRefused(
                Code.ID_OUT_OF_RANGE,
                tar().pax("uid", "4294967296").file("f", "x").build());
        unpacking.assertRefused(
                Code.BAD_ARCHIVE, tar().owner(-1, 0).file("f", "x").build());
    }

    @Test
    void names_that_are_too_long_or_too_deep_are_refused() throws IOException {
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", "x".repeat(256)).file("f", "x").build());
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", "xxx/".repeat(1025) + "x").file("f", "x").build());
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", "d/".repeat(129) + "x").file("f", "x").build());
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("linkpath", "x".repeat(4096)).symbolicLink("l", "x").build());
    }

    @Test
    void depth_is_counted_through_links_too() throws IOException {
        var layer = tar().pax("path", "d/".repeat(100))
                .directory("d")
                .pax("linkpath", "d/".repeat(100))
                .symbolicLink("l", "d");
        layer.pax("path", "l/" + "e/".repeat(100)).directory("e");
        unpacking.assertRefused(Code.TOO_LARGE, layer.build());
    }

    @Test
    void a_name_that_holds_nul_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.BAD_ARCHIVE, tar().pax("path", "a\0b").file("f", "x").build());
    }

    @Test
    void an_escape_sequence_in_a_name_does_not_reach_the_message() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY, tar().file("\u001b[2J/../x", "x").build());
    }

    @Test
    void too_many_bytes_or_entries_are_refused() throws IOException {
        var small = new UnpackLimits(1000, 5000, 3, 4095, 128, 4096, 200, 1 << 20);
        var bounded = new Unpacking(
                Files.createDirectory(temporary.resolve("bounded")), small, LayerUnpacker.Ownership.CALLER);
        bounded.assertRefused(
                Code.TOO_LARGE,
                tar().file("a", "x".repeat(600)).file("b", "x".repeat(600)).build());
        bounded.assertRefused(
                Code.TOO_LARGE,
                tar().file("a", "").file("b", "").build(),
                tar().file("c", "").file("d", "").build());
        bounded.assertRefused(
                Code.TOO_LARGE,
                tar().pax("comment", "x".repeat(5000)).file("a", "").build());
        bounded.assertRefused(
                Code.TOO_LARGE, tar().header('0', "huge", "", 1L << 40).withoutEnd());
        bounded.assertRefused(
                Code.TOO_LARGE,
                tar().pax("GNU.sparse.size", "6000")
                        .pax("GNU.sparse.map", "5999,1")
                        .file("hole", "x")
                        .build());
    }

    @Test
    void an_endless_header_is_refused_before_it_is_read() throws IOException {
        for (char type : new char[] {'x', 'g', 'L', 'K'}) {
            byte[] layer = tar().header(type, "meta", "", 1L << 33).withoutEnd();
            unpacking.assertRefused(Code.TOO_LARGE, layer);
        }
    }

    @Test
    void archives_that_readers_understand_differently_are_refused() throws IOException {
        unpacking.assertRefused(
                Code.BAD_ARCHIVE,
                tar().header('1', "l", "f", 512).raw(new byte[512]).build());
        byte[] records = "12 path=abc\n".getBytes(StandardCharsets.UTF_8);
        unpacking.assertRefused(
                Code.BAD_ARCHIVE,
                tar().member('x', "p", "", records)
                        .member('x', "p", "", records)
                        .file("f", "")
                        .build());
        unpacking.assertRefused(
                Code.BAD_ARCHIVE, tar().member('x', "p", "", records).build());
        unpacking.assertRefused(
                Code.BAD_ARCHIVE,
                tar().file("a", "x").raw(new byte[512]).file("b", "y").build());
        byte[] broken = tar().file("f", "x").build();
        broken[0] ^= 1;
        unpacking.assertRefused(Code.BAD_ARCHIVE, broken);
        unpacking.assertRefused(
                Code.UNSUPPORTED_FORMAT,
                tar().member('M', "continued", "", new byte[0]).build());
    }

    @Test
    void what_is_cut_off_is_refused() throws IOException {
        byte[] whole = tar().file("f", "x".repeat(1000)).build();
        for (int length : new int[] {1, 511, 512 + 10, 512 + 999}) {
            unpacking.assertRefused(Code.BAD_ARCHIVE, java.util.Arrays.copyOf(whole, length));
        }
    }

    @Test
    void a_reader_never_hangs_on_what_is_no_archive() throws IOException {
        var reader = new TarReader(new ByteArrayInputStream(new byte[0]), UnpackLimits.DEFAULT);
        assertThat(reader.next()).isEmpty();
    }
}
