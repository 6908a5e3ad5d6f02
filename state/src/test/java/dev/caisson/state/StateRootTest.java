package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whose directory is trusted with the state of an engine.
@Tag("root")
class StateRootTest {
    private static final String CLOSED = "rwx------";

    @TempDir
    private Path directory;

    private Path made(String permissions, int uid) throws Exception {
        Path state = directory.resolve("state");
        Files.createDirectory(state);
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString(permissions));
        Files.setAttribute(state, "unix:uid", uid);
        return state;
    }

    private static void assertRefused(Path state) {
        assertThatThrownBy(() -> StateRoot.open(state).close())
                .isInstanceOfSatisfying(
                        StateException.class,
                        failure -> assertThat(failure.code()).isEqualTo("STATE_UNSAFE"))
                .hasMessageContaining("chown root " + state + "; chmod 700 " + state);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 65534})
    void a_directory_of_another_user_is_refused_though_it_is_closed(int uid) throws Exception {
        assertRefused(made(CLOSED, uid));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxr-----", "rwx-w----", "rwx--x---", "rwx---r--", "rwx----w-", "rwx-----x"})
    void a_directory_that_is_open_to_others_in_any_way_is_refused(String permissions) throws Exception {
        assertRefused(made(permissions, 0));
    }

    @Test
    void one_that_is_roots_and_closed_is_taken_and_a_new_one_is_made_so() throws Exception {
        Path taken = made(CLOSED, 0);
        Path made = directory.resolve("above/new");
        for (Path each : new Path[] {taken, made}) {
            try (Fd root = StateRoot.open(each)) {
                assertThat(FileSystem.status(root).permissions()).isEqualTo(0700);
            }
        }
    }

    @Test
    void a_link_is_not_followed_to_a_directory_that_would_do() throws Exception {
        Path aim = made(CLOSED, 0);
        Path link = Files.createSymbolicLink(directory.resolve("link"), aim);
        assertThatThrownBy(() -> StateRoot.open(link).close()).isInstanceOf(StateException.class);
    }

    @Test
    void a_file_that_is_left_half_written_adds_nothing_to_the_next(@TempDir Path kept) throws Exception {
        Files.writeString(kept.resolve(".name"), "what a process wrote before it was killed, which is longer");
        try (Fd open = FileSystem.open(kept.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            KeptFile.writeText(open, "name", "{}");
            assertThat(KeptFile.readText(open, "name", 100)).contains("{}");
            KeptFile.writeText(open, "name", "{\"a\":1}");
            KeptFile.writeText(open, "name", "{}");
            assertThat(KeptFile.readText(open, "name", 100)).contains("{}");
        }
        assertThat(kept.resolve(".name")).doesNotExist();
    }
}
