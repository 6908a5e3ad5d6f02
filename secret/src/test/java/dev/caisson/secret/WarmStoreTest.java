package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.rotate;
import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Stores that stay open between uses.
class WarmStoreTest {
    private static final SecretName DB = new SecretName("db");
    private static final Duration SOON = Duration.ofMillis(10);

    @TempDir
    private Path scratch;

    private Path directory;

    @BeforeEach
    void make() {
        directory = scratch.resolve("secrets");
        make(directory, new Unlocker.KeyFile(scratch.resolve("key")));
    }

    private static void make(Path directory, Unlocker unlocker) {
        SecretStore.make(directory, new NewStore(unlocker, List.of(), true), WarmStoreTest::phrase, "test");
        try (SecretStore store = SecretStore.open(directory, WarmStoreTest::phrase)) {
            SecretStoreTest.create(store, DB, "value", Map.of());
        }
    }

    private static Optional<SecretValue> phrase() {
        return Optional.of(SecretValue.of("one".getBytes(StandardCharsets.UTF_8)));
    }

    @AfterEach
    void lock() {
        StoreKeys.lock(directory, "test");
    }

    private static String delivered(WarmStore warm) {
        return warm.use(store -> {
            try (SecretValue value = store.deliver(DB, _ -> true, "test")) {
                return new String(value.copy(), StandardCharsets.UTF_8);
            }
        });
    }

    private static void assertLocked(WarmStore warm) {
        assertThatThrownBy(() -> delivered(warm))
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.reason()).isEqualTo(Code.SECRET_LOCKED));
    }

    private static void assertSoonClosed(WarmStore warm) throws InterruptedException {
        long until = System.nanoTime() + 10_000_000_000L;
        while (warm.isOpen()) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(5);
        }
    }

    @Test
    void it_hands_out_what_the_store_has_at_the_moment() throws IOException {
        try (var warm = new WarmStore(directory);
                SecretStore other = SecretStore.open(directory, Optional::empty)) {
            assertThat(delivered(warm)).isEqualTo("value");
            SecretStore first = warm.use(store -> store);
            assertThat(delivered(warm)).isEqualTo("value");
            assertThat(warm.<Boolean>use(store -> store == first)).isTrue();
            rotate(other, DB, "second");
            assertThat(delivered(warm)).isEqualTo("second");
            other.rollback(DB, 1, "test");
            assertThat(delivered(warm)).isEqualTo("value");
            assertThat(other.log())
                    .extracting(AccessEntry::action)
                    .filteredOn("deliver"::equals)
                    .hasSize(4);
            Path file = directory.resolve("s/db/1.age");
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 1] ^= 1;
            Files.write(file, bytes);
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("1.age is not as the store wrote it");
            other.remove(DB, "test");
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("there is no secret db");
            String recipient = Identity.generate().recipient().text();
            Files.writeString(directory.resolve(StoreFiles.RECIPIENTS), recipient + "\n");
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("recipients is not as the store wrote it");
            Files.delete(directory.resolve(AccessLog.NAME));
        } // which is no error of whoever closes it
    }

    @Test
    void a_log_that_is_changed_between_two_uses_is_noticed() throws IOException {
        Path log = directory.resolve(AccessLog.NAME);
        try (var warm = new WarmStore(directory)) {
            assertThat(delivered(warm)).isEqualTo("value");
            String before = Files.readString(log);
            char last = before.charAt(before.length() - 4);
            Files.writeString(log, before.substring(0, before.length() - 4) + (last == '0' ? '1' : '0') + "\"}\n");
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("access.log was changed or left out");
            Files.writeString(log, before.substring(0, before.lastIndexOf('\n', before.length() - 2) + 1));
            assertThat(delivered(warm)).isEqualTo("value"); // a line that the index does not know yet
            Files.writeString(log, "");
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("were cut off");
        }
    }

    @Test
    void of_many_values_the_last_ones_are_remembered() {
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            for (int i = 0; i < 80; i++) {
                SecretStoreTest.create(store, new SecretName("n" + i), "value " + i, Map.of());
            }
        }
        try (var warm = new WarmStore(directory)) {
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 80; i++) {
                    var name = new SecretName("n" + i);
                    assertThat(warm.<String>use(store -> value(store, name))).isEqualTo("value " + i);
                }
            }
        }
    }

    @Test
    void a_key_file_that_is_taken_away_locks_it() throws Exception {
        try (var warm = new WarmStore(directory, SOON)) {
            assertThat(delivered(warm)).isEqualTo("value");
            assertThat(warm.isOpen()).isTrue();
            Files.move(scratch.resolve("key"), scratch.resolve("unplugged"));
            assertSoonClosed(warm);
            assertLocked(warm);
        }
        try (var warm = new WarmStore(directory)) {
            Files.move(scratch.resolve("unplugged"), scratch.resolve("key"));
            assertThat(delivered(warm)).isEqualTo("value");
            Files.delete(scratch.resolve("key"));
            assertLocked(warm); // at once, before anybody looks
            make(scratch.resolve("another"), new Unlocker.KeyFile(scratch.resolve("key")));
            assertLocked(warm); // by the key of another one
        }
    }

    @Test
    void locking_closes_it_and_unlocking_opens_it() throws Exception {
        StoreKeys.unlock(directory, Optional::empty, Optional.empty(), "test");
        Files.move(scratch.resolve("key"), scratch.resolve("unplugged"));
        try (var warm = new WarmStore(directory, SOON)) {
            assertThat(delivered(warm)).isEqualTo("value");
            assertThat(warm.isOpen()).isTrue();
            StoreKeys.lock(directory, "test");
            assertLocked(warm);
            assertSoonClosed(warm);
        }
    }

    @Test
    void what_asks_somebody_is_not_retained() {
        Path asking = scratch.resolve("asking");
        make(asking, new Unlocker.Passphrase());
        Path program = scratch.resolve("program");
        make(
                program,
                new Unlocker.Command(List.of("/bin/cat", scratch.resolve("key").toString())));
        try (var locked = new WarmStore(asking);
                var running = new WarmStore(program)) {
            assertLocked(locked);
            assertThat(delivered(running)).isEqualTo("value");
            assertThat(running.isOpen()).isFalse();
        }
    }

    @Test
    void it_is_used_to_the_end_when_it_is_closed_meanwhile() {
        var warm = new WarmStore(directory);
        warm.use(store -> {
            warm.close();
            assertThat(value(store, DB)).isEqualTo("value");
            return store;
        });
        assertThat(warm.isOpen()).isFalse();
        assertThat(delivered(warm)).isEqualTo("value");
        assertThat(warm.isOpen()).isFalse();
    }

    @Test
    void a_log_that_cannot_be_brought_to_the_disk_keeps_no_store_open() throws Exception {
        Path log = directory.resolve(AccessLog.NAME);
        try (var warm = new WarmStore(directory, SOON)) {
            warm.use(store -> store.locked(
                    opened -> { // nobody looks after it meanwhile
                        long generation = opened.index().generation();
                        store.accessLog().appendSoon(opened.end(), "test", "", "test", generation);
                        assertThat(log.toFile().setReadable(true, false)).isTrue();
                        return opened;
                    }));
            Thread.sleep(50); // a few looks
            assertThatThrownBy(() -> delivered(warm)).hasMessageContaining("others may have read or changed it");
            Files.move(scratch.resolve("key"), scratch.resolve("unplugged"));
            assertSoonClosed(warm);
        }
        assertThat(log.toFile().setReadable(false, false)).isTrue();
        assertThat(log.toFile().setReadable(true, true)).isTrue();
    }

    @Test
    void points_of_small_order_are_known() {
        byte[] base = new byte[Curve.KEY];
        assertThat(Curve.isOfSmallOrder(base)).isTrue();
        base[31] = (byte) 0x80;
        assertThat(Curve.isOfSmallOrder(base)).isTrue();
        base[31] = 0;
        base[0] = 9;
        assertThat(Curve.isOfSmallOrder(base)).isFalse();
        assertThat(Curve.smallOrder()).hasSize(7).allSatisfy(point -> {
            assertThat(Curve.isOfSmallOrder(point)).isTrue();
            assertThatThrownBy(() -> Curve.agree(Curve.randomScalar(), point))
                    .isInstanceOf(MalformedAgeException.class);
        });
    }
}
