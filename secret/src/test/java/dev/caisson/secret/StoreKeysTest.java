package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.rotate;
import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.KernelKeys;
import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Stores that stay unlocked, and stores that get another key.
class StoreKeysTest {
    private static final SecretName DB = new SecretName("db");

    @TempDir
    private Path scratch;

    @BeforeEach
    void make() {
        make(new Unlocker.KeyFile(key()));
    }

    private void make(Unlocker unlocker) {
        SecretStore.make(directory(), new NewStore(unlocker, List.of(), true), says("one"), "test");
        try (SecretStore store = SecretStore.open(directory(), says("one"))) {
            SecretStoreTest.create(store, DB, "value", Map.of("tier", "gold"));
        }
    }

    private Path key() {
        return scratch.resolve("key");
    }

    /// Takes the key file away, as a disk is unplugged.
    private void unplug() throws IOException {
        Files.move(key(), scratch.resolve("unplugged"));
    }

    @AfterEach
    void lock() {
        StoreKeys.lock(directory(), "test");
    }

    private Path directory() {
        return scratch.resolve("secrets");
    }

    private static Unlocker.Prompt says(String passphrase) {
        return () -> Optional.of(SecretValue.of(passphrase.getBytes(StandardCharsets.UTF_8)));
    }

    private SecretStore opened() {
        return SecretStore.open(directory(), Optional::empty);
    }

    private static void assertCode(Code code, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.code()).isEqualTo(code.name()));
    }

    @Test
    void an_unlocked_store_needs_no_unlocker_until_it_is_locked() throws IOException {
        StoreKeys.unlock(directory(), Optional::empty, Optional.empty(), "test");
        unplug();
        assertCode(Code.SECRET_LOCKED, () -> StoreKeys.unlock(directory(), Optional::empty, Optional.empty(), "test"));
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("value");
            assertThat(StoreKeys.lock(directory(), "test")).isTrue();
            assertThat(value(store, DB)).as("a handle that was open").isEqualTo("value");
            assertThat(store.log()).extracting(AccessEntry::action).contains("unlock", "lock");
        }
        assertCode(Code.SECRET_LOCKED, this::opened);
        assertThat(StoreKeys.lock(directory(), "test")).isFalse();
        assertThat(directory().resolve(UnlockedSession.NAME)).doesNotExist();
    }

    @Test
    void the_file_of_an_unlocked_store_is_nothing_without_the_kernels_key() throws IOException {
        StoreKeys.unlock(directory(), Optional::empty, Optional.of(Duration.ofHours(1)), "test");
        unplug();
        opened().close();
        byte[] file = Files.readAllBytes(directory().resolve(UnlockedSession.NAME));
        assertThat(new String(file, StandardCharsets.ISO_8859_1)).doesNotContain("AGE-SECRET-KEY");
        String description = description();
        assertThat(KernelKeys.read(description))
                .get()
                .satisfies(key -> assertThat(key).hasSize(32));
        assertThat(KernelKeys.remove(description)).isTrue();
        assertThat(KernelKeys.read(description)).isEmpty();
        assertCode(Code.SECRET_LOCKED, this::opened);
        byte[] other = new byte[32];
        KernelKeys.add(description, other, Optional.of(Duration.ofMinutes(1)));
        assertCode(Code.SECRET_LOCKED, this::opened);
    }

    @Test
    void the_kernel_has_no_key_of_a_store_once_it_is_locked_or_unlocked_anew() throws IOException {
        StoreKeys.unlock(directory(), Optional::empty, Optional.empty(), "test");
        String first = description();
        StoreKeys.unlock(directory(), Optional::empty, Optional.empty(), "test");
        String second = description();
        assertThat(second).isNotEqualTo(first);
        assertThat(KernelKeys.read(first)).isEmpty();
        assertThat(KernelKeys.read(second)).isPresent();

        StoreKeys.lock(directory(), "test");

        assertThat(KernelKeys.read(second)).isEmpty();
    }

    /// Returns what the key of an unlocked store is called in the kernel.
    private String description() throws IOException {
        byte[] file = Files.readAllBytes(directory().resolve(UnlockedSession.NAME));
        return "caisson-secrets:" + HexFormat.of().formatHex(Arrays.copyOf(file, 16));
    }

    @Test
    void an_unlocked_store_is_locked_when_its_time_is_over() throws IOException, InterruptedException {
        StoreKeys.unlock(directory(), Optional::empty, Optional.of(Duration.ofSeconds(1)), "test");
        unplug();
        opened().close();
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < Duration.ofSeconds(5).toNanos()) {
            try {
                opened().close();
                Thread.sleep(20);
            } catch (SecretException e) {
                assertThat(e.code()).isEqualTo(Code.SECRET_LOCKED.name());
                return;
            }
        }
        assertThat(false).as("locked after 5 s").isTrue();
    }

    @Test
    void another_identity_reads_all_that_is_there_and_the_old_one_nothing() throws IOException {
        StoreKeys.unlock(directory(), Optional::empty, Optional.empty(), "test");
        unplug();
        Path key = scratch.resolve("new key");
        try (SecretStore store = opened()) {
            rotate(store, DB, "newer");
            StoreKeys.rekey(
                    directory(),
                    new Rekey(Optional.of(new Unlocker.KeyFile(key)), Optional.empty(), true),
                    Optional::empty,
                    Optional::empty,
                    "test");
            assertCode(Code.SECRET_BUSY, () -> value(store, DB));
        }
        assertThat(key).exists();
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("newer");
            try (SecretValue first = store.read(DB, Optional.of(1), "read", "test")) {
                assertThat(first.copy()).asString().isEqualTo("value");
            }
            assertThat(store.find(DB).labels()).containsEntry("tier", "gold");
            assertThat(store.log())
                    .extracting(AccessEntry::action)
                    .containsSubsequence("init", "create", "unlock", "rotate", "rekey", "read", "read");
            rotate(store, DB, "newest");
            assertThat(value(store, DB)).isEqualTo("newest");
        }
        assertThat(directory().resolve(UnlockedSession.NAME)).doesNotExist();
        Files.delete(key);
        assertCode(Code.SECRET_LOCKED, this::opened);
    }

    @Test
    void a_rekey_changes_recovery_if_asked_to() {
        List<Recipient> wanted = List.of(Identity.generate().recipient());
        rekey(new Rekey(Optional.empty(), Optional.of(wanted), false));
        assertThat(recovery()).isEqualTo(wanted);
        rekey(new Rekey(Optional.empty(), Optional.empty(), false));
        assertThat(recovery()).as("as before").isEqualTo(wanted);
        rekey(new Rekey(Optional.empty(), Optional.of(List.of()), false));
        assertThat(recovery()).isEmpty();
    }

    private List<Recipient> recovery() {
        try (SecretStore store = opened()) {
            return store.recipients().subList(1, store.recipients().size());
        }
    }

    @Test
    void a_passphrase_is_asked_for_once_and_may_change() {
        rekey(new Rekey(Optional.of(new Unlocker.Passphrase()), Optional.empty(), false));
        assertCode(Code.SECRET_LOCKED, this::opened);
        StoreKeys.unlock(directory(), says("one"), Optional.empty(), "test");
        rekey(new Rekey(Optional.empty(), Optional.empty(), false), "two");
        assertCode(Code.SECRET_LOCKED, () -> SecretStore.open(directory(), says("one")));
        SecretStore.open(directory(), says("two")).close();
    }

    private void rekey(Rekey wanted) {
        rekey(wanted, "one");
    }

    private void rekey(Rekey wanted, String passphrase) {
        StoreKeys.rekey(directory(), wanted, Optional::empty, says(passphrase), "test");
    }

    @Test
    void whoever_is_asked_for_a_new_passphrase_holds_up_nobody() {
        Unlocker.Prompt slow = () -> {
            try (SecretStore store = opened()) {
                assertThat(value(store, DB)).isEqualTo("value");
                rotate(store, DB, "newer");
            }
            return says("two").ask();
        };
        var wanted = new Rekey(Optional.of(new Unlocker.Passphrase()), Optional.empty(), false);
        StoreKeys.rekey(directory(), wanted, Optional::empty, slow, "test");
        try (SecretStore store = SecretStore.open(directory(), says("two"))) {
            assertThat(value(store, DB)).isEqualTo("newer");
        }
    }

    @Test
    void of_two_rekeys_at_a_time_the_later_one_is_refused() throws IOException {
        Unlocker.Prompt other = () -> {
            rekey(new Rekey(Optional.empty(), Optional.empty(), false));
            return says("two").ask();
        };
        var wanted = new Rekey(Optional.of(new Unlocker.Passphrase()), Optional.empty(), false);
        assertCode(Code.SECRET_BUSY, () -> StoreKeys.rekey(directory(), wanted, Optional::empty, other, "test"));
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("value");
        }
        try (var files = Files.list(scratch)) {
            assertThat(files).containsExactlyInAnyOrder(directory(), key());
        }
    }

    @Test
    void a_failed_rekey_leaves_the_store_as_it_was() throws IOException {
        assertCode(
                Code.SECRET_LOCKED,
                () -> StoreKeys.rekey(
                        directory(),
                        new Rekey(Optional.of(new Unlocker.Command(List.of("/bin/false"))), Optional.empty(), false),
                        Optional::empty,
                        Optional::empty,
                        "test"));
        assertCode(
                Code.SECRET_INVALID,
                () -> rekey(new Rekey(
                        Optional.of(new Unlocker.KeyFile(scratch.resolve("other"))), Optional.empty(), false)));
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("value");
        }
        try (var files = Files.list(scratch)) {
            assertThat(files).containsExactlyInAnyOrder(directory(), key());
        }
    }
}
