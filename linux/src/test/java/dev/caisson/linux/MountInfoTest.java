package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MountInfoTest {
    @Test
    void a_line_has_its_fields_with_octal_escapes_decoded() {
        assertThat(MountInfo.parse(
                        "36 35 98:0 /a\\040b /mnt\\134x rw,nosuid shared:1 master:2 - ext4 /dev/\\011r rw,x=y\n"))
                .containsExactly(new MountInfo(
                        36,
                        35,
                        "98:0",
                        "/a b",
                        "/mnt\\x",
                        "rw,nosuid",
                        "shared:1 master:2",
                        "ext4",
                        "/dev/\tr",
                        "rw,x=y"));
    }

    @Test
    void a_private_mount_has_no_propagation() {
        assertThat(MountInfo.parse("1 1 0:2 / / rw - rootfs none rw"))
                .singleElement()
                .satisfies(mount -> assertThat(mount.propagation()).isEmpty());
    }

    @Test
    void lines_of_another_form_are_left_out() {
        assertThat(MountInfo.parse("\n36 35 98:0 / /\nx 35 98:0 / / rw - ext4 a rw\n36 35 98:0 / / rw - ext4\n"))
                .isEmpty();
    }

    @Test
    void the_kernels_own_table_is_read_whole() throws java.io.IOException {
        String table = java.nio.file.Files.readString(java.nio.file.Path.of("/proc/self/mountinfo"));

        assertThat(MountInfo.parse(table)).hasSize((int) table.lines().count());
    }
}
