package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /// Also between two that were told before that it is free.
    @Test
    void a_name_is_given_once() {
        var kept = new KeptDirectory(data, State.STANDARD);
        var origin = new KeptFile.Origin("host", List.of("true"), Map.of(), Instant.now());
        var first = new KeptDirectory.Entry(ContainerId.random(), Optional.of("web"), false);
        kept.make(first, origin).close();

        for (boolean madeUp : new boolean[] {false, true}) {
            var other = new KeptDirectory.Entry(ContainerId.random(), Optional.of("web"), madeUp);
            assertThatThrownBy(() -> kept.make(other, origin).close())
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"));
        }

        assertThat(kept.entries()).containsExactly(first);
        kept.make(new KeptDirectory.Entry(ContainerId.random(), Optional.of("webs"), false), origin)
                .close();
        kept.make(new KeptDirectory.Entry(ContainerId.random(), Optional.empty(), true), origin)
                .close();
        assertThat(kept.entries()).hasSize(3);
    }
}
