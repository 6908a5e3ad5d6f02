package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Secrets that are read from their source again.
class BoundSecretsTest {
    private static final SecretName DB = new SecretName("db");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    @SuppressWarnings("NullAway.Init") // set before each test
    private SecretStore store;

    @BeforeEach
    void make() {
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(scratch.resolve("store"), new NewStore(key, List.of(), true), Optional::empty, "test");
        open();
    }

    private void open() {
        store = SecretStore.open(scratch.resolve("store"), Optional::empty);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Path source(String text) throws IOException {
        Path file = scratch.resolve("source");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    private static BoundSource from(String text, boolean orLast) {
        return new BoundSource(text, Optional.empty(), Optional.empty(), Optional.empty(), orLast);
    }

    private SecretRecord create(String text, Optional<Duration> lifetime, BoundSource source) {
        try (SecretValue value = SecretStoreTest.of(text)) {
            return store.create(
                    DB, value, new SecretTerms(Map.of(), lifetime, SecretAccess.ANY, Optional.of(source)), "test");
        }
    }

    private BoundSecrets.Outcome refresh() {
        return new BoundSecrets(store, _ -> {
                    throw new IOException("no server is asked here");
                })
                .refresh(DB, access -> true, "container web");
    }

    @Test
    void a_value_that_has_changed_at_the_source_is_a_new_version_and_one_that_has_not_is_none() throws IOException {
        BoundSource source = from("file:" + source("one"), false);
        create("one", Optional.empty(), source);
        assertThat(refresh()).isEqualTo(new BoundSecrets.Outcome.Same());
        assertThat(store.find(DB).current()).isEqualTo(1);
        source("two");
        assertThat(refresh()).isEqualTo(new BoundSecrets.Outcome.Changed());
        store.close();
        open();
        assertThat(value(store, DB)).isEqualTo("two");
        assertThat(store.find(DB).source()).contains(source);
        assertThat(store.log()).anySatisfy(entry -> {
            assertThat(entry.action()).isEqualTo("rotate");
            assertThat(entry.secret()).isEqualTo("db@2");
            assertThat(entry.user()).isEqualTo("container web");
        });
    }

    @Test
    void a_source_that_cannot_be_read_is_refused_or_leaves_the_last_value_if_that_is_allowed() throws IOException {
        create("one", Optional.empty(), from("file:" + source("one"), false));
        Files.delete(scratch.resolve("source"));
        assertRefused("ENOENT");
        try (SecretValue value = SecretStoreTest.of("one")) {
            store.rotate(DB, value, Optional.empty(), Optional.of(from("command:/bin/false", true)), "test");
        }
        assertThat(refresh())
                .isInstanceOfSatisfying(
                        BoundSecrets.Outcome.Last.class,
                        last -> assertThat(last.reason()).contains("db", "status 1"));
        assertThat(value(store, DB)).isEqualTo("one");
    }

    private void assertRefused(String why) {
        assertThatThrownBy(this::refresh)
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.reason()).isEqualTo(Code.SECRET_SOURCE))
                .hasMessageContaining(why)
                .hasMessageContaining("the secret db");
    }

    @Test
    void an_expired_version_is_read_again_and_never_handed_out_as_the_last_value() throws Exception {
        create("one", Optional.of(Duration.ofMillis(200)), from("file:" + source("one"), true));
        Thread.sleep(201);
        assertThat(refresh()).isEqualTo(new BoundSecrets.Outcome.Changed());
        assertThat(store.find(DB).currentVersion().expires()).isPresent();
        Files.delete(scratch.resolve("source"));
        Thread.sleep(201);
        assertRefused("ENOENT");
    }

    @Test
    void nothing_is_read_for_one_who_may_not_have_it() throws IOException {
        create("one", Optional.empty(), from("file:" + source("two"), false));
        assertThat(new BoundSecrets(store, _ -> {
                            throw new IOException("no server is asked here");
                        })
                        .refresh(DB, access -> false, "test"))
                .isEqualTo(new BoundSecrets.Outcome.Same());
        assertThat(value(store, DB)).isEqualTo("one");
    }

    @Test
    void a_value_of_its_own_ends_the_binding_and_a_rollback_of_a_bound_secret_is_refused() throws IOException {
        create("one", Optional.empty(), from("file:" + source("two"), false));
        refresh();
        assertThatThrownBy(() -> store.rollback(DB, 1, "test")).hasMessageContaining("bound to a source");
        SecretStoreTest.rotate(store, DB, "own");
        assertThat(store.find(DB).source()).isEmpty();
        assertThat(refresh()).isEqualTo(new BoundSecrets.Outcome.Same());
        assertThat(value(store, DB)).isEqualTo("own");
    }

    @Test
    void a_source_with_its_token_is_read_back_from_the_index() {
        var source = new BoundSource(
                "vault://vault.example.com/secret/data/app#password",
                Optional.of(Path.of("/etc/token")),
                Optional.empty(),
                Optional.of(Path.of("/etc/ca.pem")),
                true);
        create("one", Optional.empty(), source);
        store.close();
        open();
        assertThat(store.find(DB).source()).contains(source);
        assertThat(refresh()).isInstanceOf(BoundSecrets.Outcome.Last.class); // nobody vouches for the server
    }

    @Test
    void a_source_that_makes_no_sense_is_refused_and_not_repeated() {
        for (String text : List.of("canary", "file:canary", "command:canary x", "vault://canary")) {
            assertThatThrownBy(() -> from(text, false))
                    .isInstanceOfSatisfying(
                            SecretException.class, e -> assertThat(e.reason()).isEqualTo(Code.SECRET_INVALID))
                    .hasMessageNotContaining("canary");
        }
        assertThatThrownBy(() -> new BoundSource(
                        "file:/a", Optional.of(Path.of("/b")), Optional.empty(), Optional.empty(), false))
                .hasMessageContaining("--token-file");
        assertThatThrownBy(() -> from("x".repeat(4097), false)).hasMessageContaining("4096");
    }
}
