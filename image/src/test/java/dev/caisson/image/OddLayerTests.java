package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Layers with members that no builder writes: each is refused with a code, or is what every reader makes of it.
@Timeout(60)
class OddLayerTests {
    @TempDir
    Path temporary;

    private Unpacking unpacking;

    @BeforeEach
    void a_root_with_a_neighbour() throws IOException {
        unpacking = Unpacking.plain(temporary);
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    // ---- whiteouts

    @ParameterizedTest
    @ValueSource(strings = {".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..."})
    void a_whiteout_of_no_name_or_of_the_root_is_refused(String name) throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().directory("d").file("d/f", "x").build(),
                tar().whiteout(name).build());
    }

    @Test
    void a_hard_link_to_a_whiteout_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().file("f", "x").build(),
                tar().whiteout(".wh.f").hardLink("link", ".wh.f").build());
    }

    @Test
    void a_hard_link_that_is_called_as_a_whiteout_hides_and_makes_no_link() throws IOException {
        unpacking.layers(
                tar().file("f", "x").file("g", "y").build(),
                tar().hardLink(".wh.f", "g").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("g", "file y"));
    }

    @Test
    void a_hard_link_to_what_its_own_layer_has_hidden_is_refused() throws IOException {
        unpacking.assertRefused(
                Code.UNSAFE_ENTRY,
                tar().file("f", "x").build(),
                tar().whiteout(".wh.f").hardLink("link", "f").build());
    }

    @Test
    void an_opaque_root_hides_everything_below() throws IOException {
        unpacking.layers(
                tar().directory("d").file("d/f", "x").file("g", "y").build(),
                tar().file("new", "z").whiteout(".wh..wh..opq").build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("new", "file z"));
    }

    // ---- devices

    @Test
    void devices_of_odd_numbers_are_refused_and_are_no_whiteouts() throws IOException {
        for (long number : new long[] {-1, 1L << 20, 1L << 32, Long.MAX_VALUE}) {
            for (char type : new char[] {'3', '4'}) {
                unpacking.assertRefused(
                        Code.UNSAFE_ENTRY,
                        tar().device(number, 0)
                                .member(type, "device", "", new byte[0])
                                .build());
            }
        }
    }

    // ---- attributes

    @ParameterizedTest
    @ValueSource(
            strings = {
                "security.selinux",
                "security.ima",
                "security.evm",
                "security.apparmor",
                "trusted.overlay.opaque",
                "trusted.overlay.redirect",
                "system.posix_acl_access"
            })
    void attributes_that_mean_something_to_the_host_are_left_out(String name) throws IOException {
        unpacking.layers(tar().pax("SCHILY.xattr." + name, "y")
                .directory("d")
                .pax("SCHILY.xattr." + name, "y")
                .file("d/f", "x")
                .build());
        for (String path : List.of("d", "d/f")) {
            try (Fd file = FileSystem.open(unpacking.root().resolve(path).toString(), FileSystem.O_RDONLY)) {
                assertThat(ExtendedAttributes.names(file)).noneMatch(name::equals);
            }
        }
    }

    // ---- numbers

    @Test
    void a_hole_of_a_terabyte_takes_no_room_and_a_larger_one_is_refused() throws IOException {
        byte[] map = "1\n1099511627776\n0\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        byte[] content = java.util.Arrays.copyOf(map, 512);
        unpacking.layers(sparse("1099511627776", content));
        Path file = unpacking.root().resolve("large");
        assertThat(Files.size(file)).isEqualTo(1L << 40);
        assertThat((long) Files.getAttribute(file, "unix:ino")).isPositive();
        unpacking.assertRefused(Code.TOO_LARGE, sparse("1099511627777", content));
        unpacking.assertRefused(Code.BAD_ARCHIVE, sparse("9223372036854775807", content));
        unpacking.assertRefused(Code.BAD_ARCHIVE, sparse("-1", content));
    }

    private static byte[] sparse(String size, byte[] content) {
        return tar().pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.minor", "0")
                .pax("GNU.sparse.name", "large")
                .pax("GNU.sparse.realsize", size)
                .member('0', "GNUSparseFile.0/large", "", content)
                .build();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-9223372036854775808", "9223372036854775808", "1e3", "0x10", " 1"})
    void a_size_that_is_none_is_refused(String size) throws IOException {
        unpacking.assertRefused(
                Code.BAD_ARCHIVE, tar().pax("size", size).file("f", "x").build());
    }

    @Test
    void a_time_before_1970_is_that_time() throws IOException {
        unpacking.layers(tar().pax("mtime", "-1.5").file("f", "x").build());
        assertThat(Files.getLastModifiedTime(unpacking.root().resolve("f"), LinkOption.NOFOLLOW_LINKS))
                .isEqualTo(FileTime.from(java.time.Instant.ofEpochMilli(-1_500)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "-9223372036854775808", "99999999999999999999", "-", "1.-5", "NaN"})
    void a_time_that_no_disk_has_is_refused_or_bounded(String time) throws IOException {
        byte[] layer = tar().pax("mtime", time).file("f", "x").build();
        try {
            unpacking.layers(layer);
        } catch (ImageException e) {
            assertThat(e.reason()).isEqualTo(Code.BAD_ARCHIVE);
        }
        unpacking.assertUntouched();
    }

    // ---- names

    @Test
    void names_of_255_bytes_2000_deep_are_refused() throws IOException {
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", ("n".repeat(255) + "/").repeat(2_000) + "f")
                        .file("f", "x")
                        .build());
        unpacking.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", "n".repeat(256)).file("f", "x").build());
    }

    @Test
    void one_name_of_several_kinds_is_what_came_last() throws IOException {
        unpacking.layers(tar().file("a", "x")
                .directory("a")
                .file("a/b", "y")
                .symbolicLink("a", "nowhere")
                .file("a", "z")
                .directory("c")
                .file("c/d", "")
                .hardLink("c", "a")
                .build());
        assertThat(unpacking.tree()).isEqualTo(Map.of("a", "file z", "c", "file z"));
        unpacking.assertUntouched();
    }

    // ---- compression

    @Test
    void a_gzip_stream_of_several_members_is_bounded_as_one() throws IOException {
        var packed = new ByteArrayOutputStream();
        byte[] zeros = new byte[1 << 20];
        for (int member = 0; member < 64; member++) {
            try (var gzip = new GZIPOutputStream(packed)) {
                gzip.write(zeros);
            }
        }
        byte[] bomb = packed.toByteArray();
        assertThat(bomb).hasSizeLessThan(128 << 10);
        assertThatThrownBy(() -> {
                    Path file = Files.write(temporary.resolve("layer"), bomb);
                    try (var layer = new LayerStream(
                            FileSlice.whole(FileChannel.open(file), bomb.length),
                            new UnpackBudget(UnpackLimits.DEFAULT, bomb.length))) {
                        layer.transferTo(OutputStream.nullOutputStream());
                    }
                })
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("200 times");
    }
}
