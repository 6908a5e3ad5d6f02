package dev.caisson.build;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The directories of a build: where its secrets are, and what is left of it.
@Tag("root")
class WorkplaceTest {
    private static final long TMPFS = 0x01021994L;
    static final Path SHARED = Path.of("/dev/shm/caisson-build");

    @TempDir
    private Path directory;

    private Path state;
    private Path data;

    @BeforeEach
    void make() throws IOException {
        state = Files.createDirectory(directory.resolve("state"));
        data = Files.createDirectory(directory.resolve("data"));
    }

    @AfterEach
    void leaveNothing() throws IOException {
        Files.deleteIfExists(SHARED);
    }

    private static long fileSystem(Path path) {
        try (Fd found = FileSystem.open(path.toString(), FileSystem.O_RDONLY)) {
            return FileSystem.type(found);
        }
    }

    @Test
    void a_secret_is_in_memory_wherever_the_state_directory_is() throws Exception {
        Path secret;
        try (Workplace workplace = Workplace.open(state, data)) {
            secret = workplace.freshSecret();
            Files.writeString(secret, "secret");

            assertThat(fileSystem(secret)).isEqualTo(TMPFS);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret.getParent())))
                    .isEqualTo("rwx------");
            assertThat(workplace.fresh()).startsWithRaw(data);
        }
        assertThat(secret.getParent()).doesNotExist();
    }

    @Test
    void the_next_build_removes_the_secrets_of_a_killed_one() throws Exception {
        Path left;
        try (Workplace workplace = Workplace.open(state, data)) {
            left = requireNonNull(workplace.freshSecret().getParent()).resolveSibling("0123456789abcdef"); // not locked
        }
        Files.createDirectories(left);
        Files.writeString(left.resolve("0"), "secret");

        try (Workplace _ = Workplace.open(state, data)) {
            assertThat(left).doesNotExist();
        }
    }

    @Test
    void a_directory_that_others_may_use_gets_no_secret() throws Exception {
        if (fileSystem(state) == TMPFS) {
            return; // then the other one is not asked for
        }
        Files.createDirectories(SHARED);
        Files.setPosixFilePermissions(SHARED, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (Workplace workplace = Workplace.open(state, data)) {
            assertThatExceptionOfType(BuildException.class)
                    .isThrownBy(workplace::freshSecret)
                    .withMessageContaining("others may use it");
        } finally {
            Files.setPosixFilePermissions(SHARED, PosixFilePermissions.fromString("rwx------"));
        }
    }
}
