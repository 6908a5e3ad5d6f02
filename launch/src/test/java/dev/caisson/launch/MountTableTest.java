package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.InRootPath;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which mount a path leads to, as the kernel decides it.
class MountTableTest {
    private static MountTable table(String... lines) {
        return new MountTable(String.join("\n", lines));
    }

    private static List<String> typesAt(MountTable table, String... paths) {
        return List.of(paths).stream()
                .map(path -> table.at(InRootPath.parse(path))
                        .map(MountTable.Mounted::fileSystem)
                        .orElse("none"))
                .toList();
    }

    @Test
    void a_line_is_read_field_by_field() {
        MountTable table = table(
                "36 35 98:0 /mnt\\040 1 / ro,nosuid shared:1 master:2 - ext4 /dev/root\\040x rw,errors=continue"
                        .replace("\\040 1", "\\0401"),
                "37 36 0:5 / /a\\040b\\011c\\012d\\134040 rw - tmpfs none rw");

        assertThat(table.mounts().getFirst())
                .isEqualTo(new MountTable.Mounted(
                        36,
                        35,
                        "98:0",
                        "/mnt 1",
                        "/",
                        List.of("ro", "nosuid"),
                        "shared:1 master:2",
                        "ext4",
                        List.of("rw", "errors=continue")));
        assertThat(table.mounts().getFirst().isReadOnly()).isTrue();
        assertThat(table.mounts().getFirst().text()).isEqualTo("ext4 ro,nosuid");
        assertThat(table.mounts().getLast().target()).isEqualTo("/a b\tc\nd\\040");
        assertThat(table.mounts().getLast().isReadOnly()).isFalse();
        assertThat(table.mounts().getLast().propagation()).isEmpty();
    }

    /// The kernel leaves out what a file system does not show.
    @Test
    void a_file_system_without_options_has_an_empty_one() {
        MountTable table = table("22 1 0:1 / / rw - overlay none ,rw,", "23 22 0:2 / /a rw - ext4 none rw");

        assertThat(table.mounts().getFirst().ofFileSystem()).containsExactly("", "rw", "");
    }

    @Test
    void a_stack_of_mounts_at_one_place_is_gone_up_to_its_end() {
        MountTable table = table(
                "23 22 0:2 / / rw - tmpfs none rw",
                "22 1 0:1 / / rw - overlay none rw",
                "24 23 0:3 / / rw - ext4 none rw",
                "25 24 0:4 / / rw - xfs none rw");

        assertThat(typesAt(table, "/")).containsExactly("xfs");
    }

    @Test
    void a_path_with_a_space_is_found() {
        MountTable table = table("22 1 0:1 / / rw - overlay none rw", "23 22 0:2 / /my\\040data rw - ext4 none rw");

        assertThat(typesAt(table, "/my data", "/my", "/")).containsExactly("ext4", "none", "overlay");
    }

    @Test
    void what_was_mounted_last_is_seen_and_hides_what_lies_below_it() {
        MountTable table = table(
                "26 24 0:6 / /proc/keys rw - devtmpfs none rw",
                "22 1 0:1 / / rw - overlay none rw",
                "24 22 0:3 / /proc rw - proc none rw",
                "25 24 0:4 / /proc/keys rw - tmpfs none rw",
                "30 22 0:8 / /srv rw - ext4 none rw",
                "31 30 0:9 / /srv/a rw - xfs none rw",
                "32 31 0:9 / /srv/a rw - btrfs none rw",
                "27 24 0:7 / /proc rw - ramfs none rw");

        assertThat(typesAt(table, "/proc", "/proc/keys", "/srv", "/srv/a", "/srv/a/b"))
                .containsExactly("ramfs", "none", "ext4", "btrfs", "none");
    }

    @Test
    void the_root_is_the_mount_that_stands_on_no_other_or_on_itself() {
        String over = "23 22 0:2 / / rw - tmpfs none rw";

        assertThat(typesAt(table(over, "22 1 0:1 / / rw - overlay none rw", "24 22 0:3 / /a rw - proc none rw"), "/"))
                .containsExactly("tmpfs");
        assertThat(typesAt(table("22 22 0:1 / / rw - overlay none rw", "24 22 0:3 / /a rw - proc none rw"), "/", "/a"))
                .containsExactly("overlay", "proc");
        assertThat(typesAt(table("24 22 0:3 / /a rw - proc none rw"), "/", "/a"))
                .containsExactly("none", "none");
    }
}
