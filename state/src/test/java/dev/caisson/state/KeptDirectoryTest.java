package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which directories count as containers that are kept, and what their names say.
@Tag("root")
class KeptDirectoryTest {
    private static final String ID = "0123456789abcdef".repeat(4);

    @TempDir
    private Path data;

    @Test
    void a_directory_counts_if_its_name_is_an_id_and_perhaps_a_name() throws Exception {
        var kept = new KeptDirectory(data, State.STANDARD);
        Path place = Files.createDirectories(kept.path());
        Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwx------"));
        for (String name : new String[] {
            ID,
            ID.replace('0', 'a') + ".web",
            ID.replace('0', 'b') + ".~quiet_one",
            "lost+found",
            ID + "web",
            ID.toUpperCase(java.util.Locale.ROOT),
            ID.substring(1),
            "." + ID
        }) {
            Files.createDirectory(place.resolve(name));
        }

        assertThat(kept.entries())
                .extracting(KeptDirectory.Entry::directory)
                .containsExactlyInAnyOrder(ID, ID.replace('0', 'a') + ".web", ID.replace('0', 'b') + ".~quiet_one");
        assertThat(kept.entries())
                .filteredOn(KeptDirectory.Entry::madeUp)
                .extracting(entry -> entry.name().orElse(""))
                .containsExactlyInAnyOrder("", "quiet_one");
        assertThat(kept.isFree("web")).isFalse();
        assertThat(kept.isFree("quiet")).isTrue();
        assertThatThrownBy(() -> kept.requireFree("web")).hasMessageContaining("caisson rm web");
        kept.requireFree("other");
    }
}
