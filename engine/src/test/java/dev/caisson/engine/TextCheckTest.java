package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.StoreKeys;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A store is opened once for each of its states, and for texts that may have a value.
@Tag("root")
class TextCheckTest {
    private static final String VALUE = "a value of the check";
    private static final SecretName DB = new SecretName("db");

    @TempDir
    private Path scratch;

    private Path directory;

    @BeforeEach
    void make() {
        directory = scratch.resolve("store");
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        try (SecretStore store = open();
                SecretValue value = value(VALUE)) {
            store.create(DB, value, Map.of(), Optional.empty(), "test");
        }
    }

    @Test
    void texts_that_can_have_no_value_need_no_store_until_it_changes() {
        SpecTexts clean = texts("a word of some length " + "x".repeat(20_000));
        try (var check = new TextCheck(directory)) {
            assertThat(check.needsStore(clean)).isTrue();
            learn(check, clean);
            assertThat(check.needsStore(clean)).isFalse();
            assertThat(check.needsStore(texts("text before " + VALUE))).isTrue();
            assertThat(check.needsStore(texts(Base64.getEncoder().encodeToString(bytes("ab" + VALUE)))))
                    .isTrue();
            try (SecretStore store = open();
                    SecretValue other = value("8 bytes!")) {
                store.rotate(DB, other, Optional.empty(), "test");
            }
            assertThat(check.needsStore(clean)).isTrue();
            learn(check, clean);
            assertThat(check.needsStore(clean)).isFalse();
            assertThat(check.needsStore(texts("8 bytes!"))).isTrue();
            assertThat(check.needsStore(texts(VALUE))).isTrue(); // its first version is retained
        }
    }

    @Test
    void a_text_with_a_value_is_refused_also_when_the_check_is_closed() {
        var check = new TextCheck(directory);
        learn(check, texts("a word of some length"));
        check.close();
        assertThat(check.needsStore(texts("a word of some length"))).isTrue();
        assertThatThrownBy(() -> learn(check, texts("=" + VALUE))).hasMessageContaining("db@1");
    }

    @Test
    void a_store_that_is_not_there_cannot_be_asked_and_one_without_texts_need_not() {
        try (var check = new TextCheck(scratch.resolve("none"))) {
            assertThat(check.needsStore(texts("a word of some length"))).isTrue();
            assertThat(check.needsStore(SpecTexts.none())).isFalse();
        }
    }

    @Test
    void a_store_that_took_long_to_be_locked_is_asked_again_when_it_is_unlocked_or_changed() {
        SpecTexts texts = texts("a word of some length");
        try (var check = new TextCheck(directory)) {
            check.wasLocked(Duration.ZERO);
            assertThat(check.needsStore(texts)).isTrue();
            check.wasLocked(Duration.ofSeconds(30));
            assertThat(check.needsStore(texts)).isFalse();
            StoreKeys.unlock(directory, Optional::empty, Optional.of(Duration.ofMinutes(1)), "test");
            assertThat(check.needsStore(texts)).isTrue();
            check.wasLocked(Duration.ofSeconds(30));
            assertThat(check.needsStore(texts)).isFalse();
            try (SecretStore store = open();
                    SecretValue other = value("8 bytes!")) {
                store.rotate(DB, other, Optional.empty(), "test");
            }
            assertThat(check.needsStore(texts)).isTrue();
            StoreKeys.lock(directory, "test");
        }
    }

    @Test
    void nobody_waits_while_the_text_of_another_is_compared_with_the_store() throws Exception {
        SpecTexts clean = texts("a word of some length");
        try (var check = new TextCheck(directory);
                SecretStore store = open()) {
            check.requireClean(clean, store);
            var compared = new CompletableFuture<Throwable>();
            try (Fd lock = FileSystem.open(directory.resolve("lock").toString(), FileSystem.O_RDWR)) {
                assertThat(FileLocks.tryLock(lock)).isTrue();
                Thread.ofVirtual().start(() -> {
                    try {
                        check.requireClean(texts("=" + VALUE), store);
                        compared.complete(new AssertionError("not refused"));
                    } catch (EngineException e) {
                        compared.complete(e);
                    }
                });
                Thread.sleep(50); // it waits for the lock by then, or comes later
                assertThat(CompletableFuture.supplyAsync(() -> check.needsStore(clean))
                                .get(3, TimeUnit.SECONDS))
                        .isFalse();
                assertThat(compared).isNotDone();
            }
            assertThat(compared.get(10, TimeUnit.SECONDS)).hasMessageContaining("db@1");
        }
    }

    private void learn(TextCheck check, SpecTexts texts) {
        try (SecretStore store = open()) {
            check.requireClean(texts, store);
        }
    }

    private SecretStore open() {
        return SecretStore.open(directory, Optional::empty);
    }

    private static SpecTexts texts(String value) {
        return SpecTexts.of(ContainerSpec.onHost("true").environment("NAME", value), Optional.empty());
    }

    private static SecretValue value(String text) {
        return SecretValue.of(bytes(text));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
