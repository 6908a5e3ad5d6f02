package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Things that are put in the place of a store's files, and a disk without room.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class StoreAttackTest {
    private static final SecretName DB = new SecretName("db");
    private static final String VALUE = "the value";

    @TempDir
    private Path scratch;

    private Path store = Path.of("/");

    @BeforeEach
    void make() {
        store = scratch.resolve("store");
        make(store);
    }

    private void make(Path directory) {
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        try (SecretStore open = open(directory)) {
            SecretStoreTest.create(open, DB, VALUE, Map.of());
        }
    }

    private static SecretStore open(Path directory) {
        return SecretStore.open(directory, Optional::empty);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(store)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().equals("lock"))
                    .toList();
        }
    }

    private interface Plant {
        void in(Path place, Path file) throws Exception;
    }

    /// Reads the value and writes another one with something in the place of each file.
    private void assertRefused(Plant plant) throws Exception {
        var used = new ArrayList<String>();
        for (Path file : files()) {
            Path aside = scratch.resolve("aside");
            Files.move(file, aside);
            byte[] content = Files.readAllBytes(aside);
            plant.in(file, aside);
            try {
                try (SecretStore open = open(store)) {
                    if (value(open, DB).equals(VALUE)) {
                        SecretStoreTest.rotate(open, DB, VALUE);
                        used.add(store.relativize(file).toString());
                    }
                }
            } catch (CaissonException e) {
                assertThat(e.code()).as(file + ": " + e.sentence()).isIn("SECRET_TAMPERED", "SECRET_STORE_MISSING");
                assertThat(e.sentence()).contains(": ");
            }
            assertThat(Files.readAllBytes(aside))
                    .as("%s is not written to", file)
                    .isEqualTo(content);
            Files.deleteIfExists(file); // a file, if the store did without and has written one
            Files.move(aside, file);
        }
        assertThat(used).as("files that the store did without").isEmpty();
        try (SecretStore open = open(store)) {
            assertThat(value(open, DB)).isEqualTo(VALUE);
        }
    }

    @Test
    void a_link_in_the_place_of_a_file_is_not_followed() throws Exception {
        assertRefused(Files::createSymbolicLink);
    }

    @Test
    void a_pipe_in_the_place_of_a_file_holds_nobody_up() throws Exception {
        assertRefused((place, _) -> assertThat(new ProcessBuilder("mkfifo", "-m", "600", place.toString())
                        .start()
                        .waitFor())
                .isZero());
    }

    @Test
    void a_directory_in_the_place_of_a_file_is_refused() throws Exception {
        assertRefused((place, _) -> Files.createDirectory(place));
    }

    @Test
    void a_link_in_the_place_of_the_directory_of_a_secret_is_not_followed() throws Exception {
        for (String name : List.of("s", "s/db")) {
            Path directory = store.resolve(name);
            Path aside = scratch.resolve("aside");
            Files.move(directory, aside);
            Files.createSymbolicLink(directory, aside);
            assertThatThrownBy(() -> {
                        try (SecretStore open = open(store)) {
                            assertThat(value(open, DB)).isNotEqualTo(VALUE);
                        }
                    })
                    .isInstanceOfSatisfying(
                            SecretException.class,
                            e -> assertThat(e.reason()).isEqualTo(SecretException.Code.SECRET_TAMPERED));
            Files.delete(directory);
            Files.move(aside, directory);
        }
    }

    @Test
    @Tag("root")
    void a_disk_without_room_leaves_the_store_as_it_was() throws Exception {
        Path disk = Files.createDirectory(scratch.resolve("disk"));
        run("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", disk.toString());
        try {
            Path full = disk.resolve("store");
            make(full);
            try (SecretStore open = open(full)) {
                int made = 0;
                var refused = new ArrayList<String>();
                while (refused.isEmpty() && made < 200) {
                    try (SecretValue next = SecretValue.of("x".repeat(9_000).getBytes(StandardCharsets.US_ASCII))) {
                        open.rotate(DB, next, Optional.empty(), "test");
                        made++;
                        if (made == 5) {
                            fill(disk);
                        }
                    } catch (CaissonException e) {
                        refused.add(e.sentence());
                    }
                }
                assertThat(refused).singleElement().asString().contains("ENOSPC");
            }
            Files.delete(disk.resolve("rest"));
            try (SecretStore open = open(full)) {
                assertThat(value(open, DB)).isEqualTo("x".repeat(9_000));
                SecretStoreTest.rotate(open, DB, VALUE);
                assertThat(value(open, DB)).isEqualTo(VALUE);
                assertThat(open.log()).isNotEmpty();
            }
            try (Stream<Path> all = Files.walk(full)) {
                assertThat(all.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(".tmp-")))
                        .isEmpty();
            }
        } finally {
            run("umount", "-l", disk.toString());
        }
    }

    private static void fill(Path disk) throws IOException {
        try (var out = Files.newOutputStream(disk.resolve("rest"))) {
            byte[] page = new byte[4096];
            while (true) {
                out.write(page);
            }
        } catch (IOException e) {
            // it is full
        }
    }

    private static void run(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
