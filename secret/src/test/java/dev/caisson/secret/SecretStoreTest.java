package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretStoreTest {
    private static final SecretName DB = new SecretName("db");
    private static final SecretName API = new SecretName("api");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    @Test
    void values_versions_and_labels_survive_the_store() {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of("tier", "gold"));
            rotate(store, DB, "two");
        }
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("two");
            assertThat(store.find(DB).labels()).containsExactly(Map.entry("tier", "gold"));
            assertThat(store.find(DB).versions())
                    .extracting(SecretVersion::number)
                    .containsExactly(1, 2);
            store.rollback(DB, 1, "test");
            assertThat(value(store, DB)).isEqualTo("one");
            rotate(store, DB, "three");
            assertThat(store.find(DB).current()).isEqualTo(3);
            assertThat(value(store, DB)).isEqualTo("three");
        }
    }

    @Test
    void all_versions_of_all_values_are_found_by_their_names_and_that_is_logged() {
        try (SecretStore store = made()) {
            create(store, DB, "first-value", Map.of());
            rotate(store, DB, "second-value");
            create(store, API, "tiny", Map.of());
            List<String> found = new ArrayList<>();
            byte[] text = "a first-value, b second-value, tiny".getBytes(StandardCharsets.UTF_8);
            try (StoredValues values = store.values("scan", "test")) {
                values.matcher().search(text, 0, text.length, (value, form, from, to) -> found.add(values.name(value)));
                assertThat(values.tooShort()).containsExactly("api@1");
            }
            assertThat(found).containsExactly("db@1", "db@2");
            assertThat(store.log().getLast()).satisfies(entry -> {
                assertThat(entry.action()).isEqualTo("scan");
                assertThat(entry.secret()).isEqualTo("*");
            });
        }
    }

    @Test
    void a_secret_is_made_once_and_is_gone_when_removed() {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
            assertCode(Code.SECRET_EXISTS, () -> create(store, DB, "two", Map.of()));
            assertThat(value(store, DB)).isEqualTo("one");
            store.remove(DB, "test");
            assertThat(directory().resolve("s/db")).doesNotExist();
            assertCode(Code.SECRET_UNKNOWN, () -> store.find(DB));
            assertCode(Code.SECRET_UNKNOWN, () -> rotate(store, DB, "two"));
            assertThat(store.list()).isEmpty();
        }
    }

    @Test
    void an_expired_version_is_not_handed_out_and_its_lifetime_is_that_of_the_next() throws InterruptedException {
        try (SecretStore store = made();
                SecretValue value = of("one")) {
            store.create(DB, value, Map.of(), Optional.of(Duration.ofMillis(1)), "test");
            Thread.sleep(2);
            assertCode(Code.SECRET_EXPIRED, () -> value(store, DB));
            SecretVersion next = rotate(store, DB, "two").currentVersion();
            assertThat(next.expires()).contains(next.created().plusMillis(1));
            store.rotate(DB, value, Optional.of(Duration.ofDays(1)), "test");
            assertThat(value(store, DB)).isEqualTo("one");
        }
    }

    @Test
    void who_may_have_a_secret_is_kept_and_a_denial_is_logged() {
        var access = new SecretAccess(List.of("app:1"), List.of(), Map.of("tier", "gold"));
        try (SecretStore store = made();
                SecretValue value = of("one")) {
            store.create(DB, value, new SecretTerms(Map.of(), Optional.empty(), access, Optional.empty()), "test");
            rotate(store, DB, "two");
        }
        try (SecretStore store = opened()) {
            assertThat(store.find(DB).access()).isEqualTo(access);
            assertCode(Code.SECRET_DENIED, () -> store.deliver(DB, wanted -> !wanted.equals(access), "box"));
            store.deliver(DB, access::equals, "box").close();
            store.restrict(DB, SecretAccess.ANY, "test");
            store.deliver(DB, SecretAccess::isAny, "box").close();
            assertThat(store.log())
                    .extracting(AccessEntry::action)
                    .containsExactly("init", "create", "rotate", "deny", "deliver", "restrict", "deliver");
        }
    }

    @Test
    void old_versions_go_and_their_files_with_them() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "1", Map.of());
            for (int i = 2; i <= SecretRecord.MOST_VERSIONS + 2; i++) {
                rotate(store, DB, Integer.toString(i));
            }
            assertThat(store.find(DB).versions().getFirst().number()).isEqualTo(3);
            try (Stream<Path> files = Files.list(directory().resolve("s/db"))) {
                assertThat(files).hasSize(SecretRecord.MOST_VERSIONS);
            }
        }
    }

    @Test
    void nothing_on_disk_holds_a_value_or_is_open_to_others() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "a-rather-long-canary-value", Map.of());
            value(store, DB);
        }
        try (Stream<Path> files = Files.walk(directory())) {
            for (Path file : files.toList()) {
                String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
                assertThat(mode).as(file.toString()).endsWith("------");
                if (Files.isRegularFile(file)) {
                    assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                            .doesNotContain("canary");
                }
            }
        }
        assertThat(Files.getPosixFilePermissions(key())).hasSize(1);
    }

    @Test
    void names_labels_and_sizes_are_bounded() {
        for (String bad : List.of("", ".", "..", "a/b", "-a", "a\n", "é", "a".repeat(64))) {
            assertThatThrownBy(() -> new SecretName(bad)).isInstanceOf(SecretException.class);
        }
        assertThatThrownBy(() -> SecretValue.of(new byte[SecretValue.MOST_BYTES + 1]))
                .isInstanceOf(SecretException.class);
        assertThatThrownBy(() -> SecretValue.of(new byte[0])).isInstanceOf(SecretException.class);
        try (SecretStore store = made()) {
            assertCode(Code.SECRET_INVALID, () -> create(store, DB, "x", Map.of("", "y")));
            assertThat(store.list()).isEmpty();
        }
    }

    @Test
    void a_value_shows_nothing_and_is_gone_when_closed() {
        SecretValue value = of("hidden");
        assertThat(value.toString()).doesNotContain("hidden");
        value.close();
        value.close();
        assertThatThrownBy(value::copy).isInstanceOf(IllegalStateException.class);
        try (SecretValue one = SecretValue.generate(40);
                SecretValue other = SecretValue.generate(40)) {
            assertThat(new String(one.copy(), StandardCharsets.US_ASCII)).matches("[A-Za-z0-9_-]{40}");
            assertThat(one.copy()).isNotEqualTo(other.copy());
        }
    }

    @Test
    void every_access_is_logged() {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
            store.read(DB, Optional.empty(), "deliver", "container abc").close();
            assertThat(store.log()).extracting(AccessEntry::action).containsExactly("init", "create", "deliver");
            AccessEntry last = store.log().getLast();
            assertThat(last.secret()).isEqualTo("db@1");
            assertThat(last.user()).isEqualTo("container abc");
        }
    }

    @Test
    void swapped_replayed_cut_and_changed_files_are_detected() throws IOException {
        byte[] replayed;
        try (SecretStore store = made()) {
            create(store, DB, "database", Map.of());
            create(store, API, "interface", Map.of());
            replayed = Files.readAllBytes(directory().resolve("s/db/1.age"));
            store.remove(DB, "test");
            create(store, DB, "database", Map.of());
        }
        Path db = directory().resolve("s/db/1.age");
        byte[] right = Files.readAllBytes(db);
        byte[] flipped = right.clone();
        flipped[flipped.length - 1] ^= 1;
        List<byte[]> wrong = List.of(
                Files.readAllBytes(directory().resolve("s/api/1.age")),
                replayed,
                java.util.Arrays.copyOf(right, right.length - 1),
                flipped,
                new byte[0]);
        for (byte[] content : wrong) {
            Files.write(db, content);
            try (SecretStore store = opened()) {
                assertCode(Code.SECRET_TAMPERED, () -> value(store, DB));
                assertThat(value(store, API)).isEqualTo("interface");
            }
        }
        Files.write(db, right);
        try (SecretStore store = opened()) {
            assertThat(value(store, DB)).isEqualTo("database");
        }
    }

    @Test
    void an_old_index_and_one_of_somebody_else_are_detected() throws IOException {
        Path index = directory().resolve("index.age");
        byte[] old;
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
            old = Files.readAllBytes(index);
            rotate(store, DB, "two");
        }
        byte[] right = Files.readAllBytes(index);
        Files.write(index, old);
        assertCode(Code.SECRET_TAMPERED, this::opened);
        // whoever knows the recipient can make a file for it
        String recipient = Files.readAllLines(directory().resolve("recipients")).getFirst();
        try (SecretValue content = of("0".repeat(64) + "\n{}")) {
            Files.write(index, AgeFile.encrypt(content, List.of(new Recipient(recipient))));
        }
        assertCode(Code.SECRET_TAMPERED, this::opened);
        Files.write(index, right);
        opened().close();
        try (Identity intruder = Identity.generate()) {
            Files.writeString(
                    directory().resolve("recipients"), intruder.recipient() + "\n", StandardOpenOption.APPEND);
        }
        assertCode(Code.SECRET_TAMPERED, this::opened);
    }

    @Test
    void a_log_that_was_changed_or_cut_is_detected() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
            value(store, DB);
            rotate(store, DB, "two");
        }
        Path log = directory().resolve("access.log");
        List<String> lines = Files.readAllLines(log);
        var wrong = new ArrayList<List<String>>();
        wrong.add(lines.subList(0, 2)); // the end is lost
        wrong.add(List.of());
        for (int left = 1; left < lines.size() - 1; left++) {
            var fewer = new ArrayList<>(lines);
            fewer.remove(left);
            wrong.add(fewer);
        }
        wrong.add(lines.stream().map(line -> line.replace("test", "tent")).toList());
        for (List<String> content : wrong) {
            Files.write(log, content);
            assertCode(Code.SECRET_TAMPERED, () -> {
                try (SecretStore store = opened()) {
                    store.log();
                }
            });
        }
        Files.write(log, lines);
        Files.writeString(log, "{\"sequence\":5,\"cut", StandardOpenOption.APPEND);
        try (SecretStore store = opened()) { // a line that a crash cut short is removed
            assertThat(store.log()).hasSize(lines.size());
        }
    }

    @Test
    void a_log_that_has_lost_its_end_is_not_written_to() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
            rotate(store, DB, "two");
        }
        Path log = directory().resolve("access.log");
        Files.write(log, Files.readAllLines(log).subList(0, 1));
        assertCode(Code.SECRET_TAMPERED, () -> {
            try (SecretStore store = opened()) {
                value(store, DB);
            }
        });
    }

    @Test
    void a_line_of_another_history_is_detected() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
        }
        Path log = directory().resolve("access.log");
        List<String> before = Files.readAllLines(log);
        try (SecretStore store = opened()) {
            value(store, DB);
        }
        List<String> one = Files.readAllLines(log);
        Files.write(log, before);
        try (SecretStore store = opened()) {
            value(store, DB);
            value(store, DB);
        }
        var mixed = new ArrayList<>(one);
        mixed.add(Files.readAllLines(log).getLast());
        Files.write(log, mixed);
        assertCode(Code.SECRET_TAMPERED, () -> {
            try (SecretStore store = opened()) {
                store.log();
            }
        });
    }

    @Test
    void a_store_that_others_may_read_is_not_used() throws IOException {
        try (SecretStore store = made()) {
            create(store, DB, "one", Map.of());
        }
        for (String name : List.of("", "index.age", "identity.age", "unlocker", "s", "s/db", "s/db/1.age")) {
            Path path = directory().resolve(name);
            var right = Files.getPosixFilePermissions(path);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-----"));
            assertCode(Code.SECRET_TAMPERED, () -> {
                try (SecretStore store = opened()) {
                    value(store, DB);
                }
            });
            Files.setPosixFilePermissions(path, right);
        }
        opened().close();
        Files.setPosixFilePermissions(key(), PosixFilePermissions.fromString("r--r-----"));
        assertCode(Code.SECRET_LOCKED, this::opened);
        Files.delete(key());
        assertCode(Code.SECRET_LOCKED, this::opened);
    }

    @Test
    void a_passphrase_unlocks_and_a_wrong_one_does_not() {
        SecretStore.make(
                directory(),
                new NewStore(new Unlocker.Passphrase(), List.of(), true),
                () -> Optional.of(of("right")),
                "test");
        SecretStore.open(directory(), () -> Optional.of(of("right"))).close();
        assertCode(Code.SECRET_LOCKED, () -> SecretStore.open(directory(), () -> Optional.of(of("wrong"))));
        assertCode(Code.SECRET_LOCKED, () -> SecretStore.open(directory(), Optional::empty));
    }

    @Test
    void a_command_unlocks() throws IOException {
        try (Identity identity = Identity.generate();
                SecretValue line = identity.line()) {
            Files.write(scratch.resolve("printed"), line.copy());
        }
        var command = new Unlocker.Command(
                List.of("/bin/cat", scratch.resolve("printed").toString()));
        SecretStore.make(directory(), new NewStore(command, List.of(), true), Optional::empty, "test");
        opened().close();
        Files.delete(scratch.resolve("printed"));
        assertCode(Code.SECRET_LOCKED, this::opened);
    }

    @Test
    void a_store_is_made_once_and_is_missing_before() {
        assertCode(Code.SECRET_STORE_MISSING, this::opened);
        made().close();
        assertCode(Code.SECRET_STORE_EXISTS, () -> made());
    }

    @Test
    void a_key_beside_the_store_is_refused_before_anything_is_made() throws IOException {
        var plan = new NewStore(new Unlocker.KeyFile(key()), List.of(), false);
        assertCode(Code.SECRET_INVALID, () -> SecretStore.make(directory(), plan, Optional::empty, "test"));
        try (Stream<Path> files = Files.list(scratch)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void many_writers_lose_nothing() throws Exception {
        made().close();
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var writers = new ArrayList<Callable<Object>>();
            for (int i = 0; i < 8; i++) {
                String name = "w" + i;
                writers.add(() -> {
                    try (SecretStore store = opened()) {
                        return create(store, new SecretName(name), name, Map.of());
                    }
                });
            }
            for (var done : pool.invokeAll(writers)) {
                done.get();
            }
        }
        try (SecretStore store = opened()) {
            assertThat(store.list()).hasSize(8);
            assertThat(store.log()).hasSize(9);
        }
    }

    private Path directory() {
        return scratch.resolve("store");
    }

    private Path key() {
        return scratch.resolve("key");
    }

    private SecretStore made() {
        SecretStore.make(
                directory(), new NewStore(new Unlocker.KeyFile(key()), List.of(), true), Optional::empty, "test");
        return opened();
    }

    private SecretStore opened() {
        return SecretStore.open(directory(), Optional::empty);
    }

    static SecretValue of(String text) {
        return SecretValue.of(text.getBytes(StandardCharsets.US_ASCII));
    }

    static SecretRecord create(SecretStore store, SecretName name, String text, Map<String, String> labels) {
        try (SecretValue value = of(text)) {
            return store.create(name, value, labels, Optional.empty(), "test");
        }
    }

    static SecretRecord rotate(SecretStore store, SecretName name, String text) {
        try (SecretValue value = of(text)) {
            return store.rotate(name, value, Optional.empty(), "test");
        }
    }

    static String value(SecretStore store, SecretName name) {
        try (SecretValue value = store.read(name, Optional.empty(), "read", "test")) {
            return new String(value.copy(), StandardCharsets.US_ASCII);
        }
    }

    private static void assertCode(Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.reason()).isEqualTo(code));
    }
}
