package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.rotate;
import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A change that ends at any of its steps leaves the store as it was or as it was to be.
class StoreCrashTest {
    private static final SecretName DB = new SecretName("db");
    private static final SecretName API = new SecretName("api");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    /// Ends whoever makes the step, as a kill would: nothing behind it runs.
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void a_rotation_is_whole_or_not_there() throws IOException {
        assertEachStep(
                store -> rotate(store, DB, "new"),
                store -> assertThat(value(store, DB)).isIn("old", "new"));
    }

    @Test
    void a_new_secret_is_whole_or_not_there() throws IOException {
        assertEachStep(store -> SecretStoreTest.create(store, API, "new", Map.of()), store -> {
            assertThat(value(store, DB)).isEqualTo("old");
            if (store.list().size() == 2) {
                assertThat(value(store, API)).isEqualTo("new");
            } else {
                SecretStoreTest.create(store, API, "again", Map.of());
            }
        });
    }

    @Test
    void a_removal_is_whole_or_not_begun() throws IOException {
        assertEachStep(store -> store.remove(DB, "test"), store -> {
            if (!store.list().isEmpty()) {
                assertThat(value(store, DB)).isEqualTo("old");
            }
        });
    }

    @Test
    void another_identity_is_whole_or_not_there_and_nothing_of_the_other_stays() throws IOException {
        boolean done = false;
        int changed = 0;
        for (int step = 0; !done; step++) {
            Path directory =
                    Files.createDirectory(scratch.resolve("rekey" + step)).resolve("store");
            makeWithTwo(directory);
            String before = Files.readString(directory.resolve("recipients"));
            done = rekeyUntil(step, directory);
            try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
                assertThat(value(store, DB)).isEqualTo("old");
                assertThat(value(store, API)).isEqualTo("other");
                boolean isNew =
                        !Files.readString(directory.resolve("recipients")).equals(before);
                assertThat(store.log().stream().anyMatch(entry -> entry.action().equals("rekey")))
                        .isEqualTo(isNew);
                changed += isNew ? 1 : 0;
                assertThat(done && !isNew).isFalse();
            }
            try (Stream<Path> siblings = Files.list(directory.resolveSibling("."))) {
                assertThat(siblings.filter(Files::isDirectory)).hasSize(1);
            }
        }
        assertThat(changed).as("ends behind the exchange").isGreaterThan(1);
    }

    private void makeWithTwo(Path directory) {
        make(directory);
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            SecretStoreTest.create(store, DB, "old", Map.of());
            SecretStoreTest.create(store, API, "other", Map.of());
        }
    }

    private void make(Path directory) {
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
    }

    /// @return true if the change has fewer steps
    private static boolean rekeyUntil(int step, Path directory) {
        int[] left = {step};
        try {
            StoreKeys.rekey(
                    directory,
                    new Rekey(Optional.empty(), Optional.empty(), false),
                    Optional::empty,
                    Optional::empty,
                    "test",
                    reached -> {
                        if (left[0]-- == 0) {
                            throw new Killed();
                        }
                    });
            return true;
        } catch (Killed e) {
            return false;
        }
    }

    private void assertEachStep(Consumer<SecretStore> change, Consumer<SecretStore> check) throws IOException {
        boolean done = false;
        int steps = 0;
        while (!done) {
            Path directory = scratch.resolve("store" + steps);
            make(directory);
            try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
                SecretStoreTest.create(store, DB, "old", Map.of());
            }
            done = endAt(steps, directory, change);
            try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
                check.accept(store);
                assertThat(store.log()).isNotEmpty();
                assertThat(leftovers(directory, store)).isEmpty();
            }
            steps++;
        }
        assertThat(steps).as("steps of the change").isGreaterThan(5);
    }

    /// @return true if the change has fewer steps
    private static boolean endAt(int step, Path directory, Consumer<SecretStore> change) {
        int[] left = {Integer.MAX_VALUE};
        try (SecretStore store = SecretStore.open(directory, Optional::empty, reached -> {
            if (left[0]-- == 0) {
                throw new Killed();
            }
        })) {
            left[0] = step;
            change.accept(store);
            return true;
        } catch (Killed e) {
            return false;
        }
    }

    /// Returns the files that the index does not name.
    private static List<String> leftovers(Path directory, SecretStore store) throws IOException {
        List<String> listed = store.list().stream()
                .flatMap(secret -> secret.versions().stream()
                        .map(version -> "s/" + secret.name() + "/" + version.number() + ".age"))
                .toList();
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> directory.relativize(file).toString())
                    .filter(name -> name.contains(".tmp-") || (name.startsWith("s/") && !listed.contains(name)))
                    .toList();
        }
    }
}
