package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    // ---- one of them

    private static final KeptFile.Origin ORIGIN = new KeptFile.Origin("host", List.of("true"), Map.of(), Instant.EPOCH);

    private KeptDirectory kept() {
        return new KeptDirectory(data, State.STANDARD);
    }

    private static KeptDirectory.Entry entry(String id, String name, boolean madeUp) {
        return new KeptDirectory.Entry(
                new ContainerId(id.repeat(64).substring(0, 64)),
                Optional.of(name).filter(text -> !text.isEmpty()),
                madeUp);
    }

    private static void assertRefused(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private List<String> openFiles() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(Files::isSymbolicLink)
                    .map(link -> {
                        try {
                            return Files.readSymbolicLink(link).toString();
                        } catch (IOException e) {
                            return ""; // another thread's, closed meanwhile
                        }
                    })
                    .filter(target -> target.startsWith(data.toString()))
                    .toList();
        }
    }

    @Test
    void one_is_found_by_its_id() throws IOException {
        KeptDirectory kept = kept();
        var first = entry("ab", "web", false);
        assertThat(kept.find(first.id())).isEmpty();
        var second = entry("ac", "ab", false);
        kept.make(first, ORIGIN).close();
        kept.make(second, ORIGIN).close();

        assertThat(kept.find(first.id())).contains(first);
        assertThat(kept.find(second.id())).contains(second);
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void one_is_found_with_all_that_its_maker_puts_into_it_or_not_at_all() throws IOException {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);

        assertThatThrownBy(() -> kept.make(one, ORIGIN, own -> {
                            KeptFile.write(own, "more", Map.of("a", 1L));
                            assertThat(kept.entries()).isEmpty();
                            throw new IllegalStateException("killed");
                        })
                        .close())
                .hasMessage("killed");

        assertThat(kept.entries()).isEmpty();
        kept.requireFree("web");
        kept.make(one, ORIGIN, own -> KeptFile.write(own, "more", Map.of("a", 1L)))
                .close();
        assertThat(kept.entries()).containsExactly(one);
        assertThat(kept.path().resolve(one.directory()).resolve("more")).hasContent("{\"a\":1}");
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void one_gets_another_name_that_nobody_has() throws IOException {
        KeptDirectory kept = kept();
        var first = entry("a", "quiet_one", true);
        kept.make(first, ORIGIN).close();
        kept.make(entry("b", "web", false), ORIGIN).close();

        assertRefused("NAME_IN_USE", () -> kept.rename(first, "web"));
        for (String bad : List.of("", "a b", "../x", "x/y", "-x", ".x", "x\n", "x".repeat(129))) {
            assertRefused("NAME_INVALID", () -> kept.rename(first, bad));
        }
        KeptDirectory.Entry renamed = kept.rename(first, "other");

        assertThat(renamed).isEqualTo(entry("a", "other", false));
        assertThat(kept.entries()).containsExactlyInAnyOrder(renamed, entry("b", "web", false));
        assertRefused("CONTAINER_UNKNOWN", () -> kept.rename(first, "third"));
        assertThat(openFiles()).isEmpty();
    }

    /// Whoever makes one holds it, and so does who takes it.
    @Test
    void one_is_held_by_one_process_until_it_lets_go() throws Exception {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        assertThat(kept.isRunning(one)).isFalse();
        assertRefused("CONTAINER_UNKNOWN", () -> kept.take(one).close());

        Fd made = kept.make(one, ORIGIN);
        assertThat(kept.isRunning(one)).isTrue();
        assertRefused("CONTAINER_RUNNING", () -> kept.take(one).close());
        assertRefused("CONTAINER_RUNNING", () -> kept.remove(one));
        var taken = new CompletableFuture<Fd>();
        Thread.ofVirtual().start(() -> taken.complete(kept.take(one)));
        Thread.sleep(100);
        assertThat(taken).isNotDone();
        made.close();
        try (Fd own = taken.get(10, TimeUnit.SECONDS)) {
            assertThat(kept.isRunning(one)).isTrue();
            assertThat(Files.readString(kept.path().resolve(one.directory()).resolve(KeptFile.ORIGIN)))
                    .contains("\"image\":\"host\"");
            assertThat(own.number()).isPositive();
        }
        assertThat(kept.isRunning(one)).isFalse();
        kept.remove(one);
        assertThat(kept.entries()).isEmpty();
        kept.remove(one);
        kept.discard(one);
        assertThat(kept.open(one)).isEmpty();
        assertThat(kept.path()).isEmptyDirectory();
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void who_holds_one_may_remove_it() throws IOException {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        try (Fd _ = kept.make(one, ORIGIN)) {
            kept.discard(one);
            assertThat(kept.path()).isEmptyDirectory();
        }
    }

    /// Whoever makes or removes one holds the directory meanwhile.
    @Test
    void one_is_made_and_removed_while_nobody_else_does() throws Exception {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        kept.make(one, ORIGIN).close();
        Fd whole = FileSystem.open(kept.path().toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        FileLocks.lock(whole);
        Thread removing = Thread.ofPlatform().start(() -> kept.remove(one));
        Thread making = Thread.ofPlatform()
                .start(() -> kept.make(entry("b", "more", false), ORIGIN).close());
        Thread.sleep(200);

        assertThat(kept.entries()).containsExactly(one);
        whole.close();
        removing.join(10_000);
        making.join(10_000);
        assertThat(kept.entries()).containsExactly(entry("b", "more", false));
    }

    // ---- how many

    private Path place(KeptDirectory.Entry entry, int age) throws IOException {
        Path made = Files.createDirectory(kept().path().resolve(entry.directory()));
        Files.setLastModifiedTime(made, FileTime.fromMillis(1_000_000_000_000L - age * 1000L));
        return made;
    }

    private static KeptDirectory.Entry numbered(int number, String name, boolean madeUp) {
        return new KeptDirectory.Entry(new ContainerId("%064x".formatted(number)), Optional.of(name + number), madeUp);
    }

    @Test
    void of_those_without_a_given_name_the_first_that_ended_go() throws IOException {
        KeptDirectory kept = kept();
        kept.make(entry("a", "web", false), ORIGIN).close();
        Files.setLastModifiedTime(kept.path().resolve(entry("a", "web", false).directory()), FileTime.fromMillis(0));
        for (int i = 0; i < KeptDirectory.MOST_NAMELESS - 1; i++) {
            place(numbered(i, "quiet", true), i);
        }
        Path unfinished = Files.createDirectory(kept.path().resolve(".x"));
        kept.make(entry("b", "more", false), ORIGIN).close();
        assertThat(kept.entries()).hasSize(KeptDirectory.MOST_NAMELESS + 1);
        assertThat(unfinished).doesNotExist();

        var oldest = numbered(1000, "quiet", true);
        place(oldest, 10_000);
        try (Fd _ = kept.take(oldest)) {
            kept.make(entry("c", "last", true), ORIGIN).close();
        }

        List<KeptDirectory.Entry> left = kept.entries();
        assertThat(left)
                .contains(oldest, entry("a", "web", false), entry("b", "more", false), entry("c", "last", true));
        assertThat(left).hasSize(KeptDirectory.NAMELESS + 3);
        assertThat(left).contains(numbered(98, "quiet", true)).doesNotContain(numbered(99, "quiet", true));
    }

    @Test
    void more_than_a_thousand_are_not_kept() throws IOException {
        KeptDirectory kept = kept();
        kept.make(entry("a", "web", false), ORIGIN).close();
        for (int i = 2; i < KeptDirectory.MOST; i++) {
            Files.createDirectory(kept.path().resolve(numbered(i, "n", false).directory()));
        }
        kept.make(entry("b", "last", false), ORIGIN).close();

        assertRefused(
                "TOO_MANY_KEPT",
                () -> kept.make(entry("c", "more", false), ORIGIN).close());

        assertThat(kept.entries()).hasSize(KeptDirectory.MOST);
        assertThat(openFiles()).isEmpty();
    }

    // ---- whom it is trusted with

    @ParameterizedTest
    @CsvSource({"0,0700,true", "0,0710,false", "0,0702,false", "0,0740,false", "0,0701,false", "1,0700,false"})
    void it_is_root_s_and_closed_to_others(int uid, String mode, boolean isTrusted) throws IOException {
        KeptDirectory kept = kept();
        kept.make(entry("a", "web", false), ORIGIN).close();
        for (Path made : List.of(
                kept.path(), kept.path().resolve(kept.entries().getFirst().directory()))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .isEqualTo("rwx------");
        }
        Files.setAttribute(kept.path(), "unix:uid", uid);
        Files.setAttribute(kept.path(), "unix:mode", Integer.parseInt(mode, 8));

        if (isTrusted) {
            assertThat(kept.entries()).hasSize(1);
        } else {
            assertRefused("DATA_UNSAFE", kept::entries);
            assertRefused(
                    "DATA_UNSAFE",
                    () -> kept.make(entry("b", "more", false), ORIGIN).close());
            assertThat(kept.isFree("web")).isTrue(); // as far as can be read
        }
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void a_file_in_its_place_is_no_directory() throws IOException {
        assertRefused(
                "DATA_UNUSABLE", new KeptDirectory(Files.createFile(data.resolve("file")), State.STANDARD)::entries);
        Files.createDirectories(data.resolve("elsewhere/caisson"));
        Files.createSymbolicLink(data.resolve("containers"), Path.of("elsewhere"));
        assertRefused("DATA_UNUSABLE", kept()::entries);
    }

    /// What was removed to make room has its name and its place no more.
    @Test
    void a_name_and_a_place_of_one_that_went_are_free_at_once() throws IOException {
        KeptDirectory kept = kept();
        kept.make(entry("a", "web", false), ORIGIN).close();
        for (int i = 0; i < KeptDirectory.MOST_NAMELESS; i++) {
            place(numbered(i, "quiet", true), i);
        }
        for (int i = 0; i < KeptDirectory.MOST - KeptDirectory.MOST_NAMELESS - 1; i++) {
            Files.createDirectory(
                    kept.path().resolve(numbered(i + 1000, "n", false).directory()));
        }
        var heir = entry("b", "quiet" + (KeptDirectory.MOST_NAMELESS - 1), false);
        kept.make(heir, ORIGIN).close();

        assertThat(kept.entries()).contains(heir).hasSize(KeptDirectory.MOST - 20 + 1);
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void one_is_there_until_it_is_removed_or_has_another_name() throws IOException {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        assertThat(kept.isThere(one)).isFalse();
        kept.make(one, ORIGIN).close();
        assertThat(kept.isThere(one)).isTrue();
        KeptDirectory.Entry renamed = kept.rename(one, "other");
        assertThat(kept.isThere(one)).isFalse();
        assertThat(kept.isThere(renamed)).isTrue();
        kept.remove(renamed);
        assertThat(kept.isThere(renamed)).isFalse();
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void only_one_that_is_gone_is_told_as_removed_when_it_is_renamed() {
        KeptDirectory kept = kept();
        kept.make(entry("a", "web", false), ORIGIN).close();

        assertRefused("CONTAINER_UNKNOWN", () -> kept.rename(entry("b", "none", false), "other"));
        assertThatThrownBy(() -> kept.rename(entry("a", "n".repeat(255), false), "other"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ENAMETOOLONG");
    }

    @Test
    void a_link_in_the_place_of_one_is_not_followed() throws IOException {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        kept.make(one, ORIGIN).close();
        var link = entry("b", "link", false);
        Files.createSymbolicLink(kept.path().resolve(link.directory()), Path.of(one.directory()));

        assertThatThrownBy(() -> kept.isThere(link)).hasMessageContaining("ELOOP");
        assertThatThrownBy(() -> kept.take(link).close()).hasMessageContaining("ELOOP");
        assertThat(openFiles()).isEmpty();
    }

    @Test
    void where_there_is_no_data_nothing_is_kept() {
        var none = new KeptDirectory(data.resolve("none"), State.STANDARD);
        assertThat(none.entries()).isEmpty();
        assertThat(none.isRunning(entry("a", "web", false))).isFalse();
        none.remove(entry("a", "web", false));
    }

    /// As of a removal that was killed.
    @Test
    void what_stands_in_the_way_of_a_removal_goes() throws IOException {
        KeptDirectory kept = kept();
        var one = entry("a", "web", false);
        kept.make(one, ORIGIN).close();
        Files.createDirectory(kept.path().resolve("." + one.directory()));

        kept.remove(one);

        assertThat(kept.path()).isEmptyDirectory();
    }
}
