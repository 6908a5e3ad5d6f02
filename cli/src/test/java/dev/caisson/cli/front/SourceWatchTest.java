package dev.caisson.cli.front;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceWatchTest {
    @TempDir
    private Path clone;

    private Path source;
    private SourceWatch sources;

    @BeforeEach
    void watch() throws IOException {
        source = write("room/src/main/java/Room.java");
        write("room/pom.xml");
        write("native/init.c");
        write("tools/build");
        write(".mvn/jvm.config");
        write("caisson");
        sources = SourceWatch.of(clone);
    }

    @AfterEach
    void close() {
        sources.close();
    }

    private Path write(String name) throws IOException {
        Path file = clone.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, name);
    }

    private interface Change {
        void make() throws IOException;
    }

    private void lookAndFindNothing() {
        sources.looked(sources.toLook().orElseThrow());
        assertThat(sources.toLook()).isEmpty();
    }

    private void asksForALookAfter(String what, Change change) throws IOException {
        change.make();
        assertThat(sources.toLook()).as(what).isPresent();
        assertThat(sources.toLook()).as("until somebody has looked").isPresent();
        lookAndFindNothing();
    }

    @Test
    void each_change_of_a_source_asks_for_one_look() throws IOException {
        lookAndFindNothing();

        asksForALookAfter("content", () -> Files.writeString(source, "more", StandardOpenOption.APPEND));
        asksForALookAfter("a time", () -> Files.setLastModifiedTime(source, FileTime.fromMillis(1)));
        asksForALookAfter("a new file", () -> write("room/src/main/java/Other.java"));
        asksForALookAfter(
                "a file in the place of another",
                () -> Files.move(write("room/src/main/java/New.java"), source, StandardCopyOption.REPLACE_EXISTING));
        asksForALookAfter("a file that is gone", () -> Files.delete(source));
        for (String name : new String[] {"caisson", "pom.xml", "room/pom.xml", "native/init.c", "tools/build"}) {
            asksForALookAfter(name, () -> write(name));
        }
        asksForALookAfter(".mvn", () -> write(".mvn/maven.config"));
    }

    @Test
    void directories_that_were_made_later_are_watched() throws IOException {
        lookAndFindNothing();

        asksForALookAfter("a directory", () -> Files.createDirectories(clone.resolve("room/src/main/deep/deeper")));
        asksForALookAfter("a file in it", () -> write("room/src/main/deep/deeper/A.java"));
        asksForALookAfter("a room", () -> write("second/src/main/java/B.java"));
        asksForALookAfter("a file in that", () -> write("second/src/main/java/B.java"));
        asksForALookAfter("a directory that was moved there", () -> {
            Path made = Files.createDirectories(clone.resolve(".made/inner"));
            Files.writeString(made.resolve("C.java"), "C");
            Files.move(made, clone.resolve("room/src/main/inner"));
        });
        asksForALookAfter("a file of that", () -> write("room/src/main/inner/C.java"));
    }

    @Test
    void what_is_no_source_asks_for_nothing() throws IOException {
        write("room/target/classes/Room.class");
        write(".caisson/current");
        lookAndFindNothing();

        write("room/target/classes/Room.class");
        write(".caisson/current");
        write(".git");
        write("room/src/main/java/.Room.java.swp");

        assertThat(sources.toLook()).isEmpty();
    }

    @Test
    void a_change_during_a_look_asks_for_the_next() throws IOException {
        OptionalLong first = sources.toLook();

        Files.writeString(source, "changed");
        OptionalLong second = sources.toLook();
        sources.looked(first.orElseThrow());

        assertThat(sources.toLook())
                .as("the first front end may have looked before")
                .isPresent();
        sources.looked(second.orElseThrow());
        assertThat(sources.toLook()).isEmpty();
    }

    @Test
    void more_changes_than_the_kernel_keeps_are_changes() throws IOException {
        int most = Integer.parseInt(Files.readString(Path.of("/proc/sys/fs/inotify/max_queued_events"))
                .strip());
        lookAndFindNothing();

        for (int i = 0; i <= most; i++) { // a change that is the same as the last one is not queued
            Files.setLastModifiedTime(i % 2 == 0 ? source : clone.resolve("caisson"), FileTime.fromMillis(i));
        }

        asksForALookAfter("too many changes", () -> {});
    }

    @Test
    void a_source_that_may_change_from_elsewhere_is_always_looked_at() throws IOException {
        Path elsewhere = Files.createDirectories(clone.resolve(".elsewhere"));
        Path file = Files.writeString(elsewhere.resolve("L.java"), "L");
        lookAndFindNothing();

        Files.createLink(clone.resolve("room/src/main/java/L.java"), file);
        sources.looked(sources.toLook().orElseThrow());

        assertThat(sources.toLook()).as("a second name").isPresent();
        try (SourceWatch again = SourceWatch.of(clone)) {
            Files.delete(clone.resolve("room/src/main/java/L.java"));
            Files.createSymbolicLink(clone.resolve("room/src/main/java/L.java"), file);
            again.looked(again.toLook().orElseThrow());
            assertThat(again.toLook()).as("a symbolic link").isPresent();
        }
    }

    @Test
    void a_clone_that_is_gone_is_always_looked_at() {
        try (SourceWatch nowhere = SourceWatch.of(clone.resolve("nowhere"))) {
            nowhere.looked(nowhere.toLook().orElseThrow());
            assertThat(nowhere.toLook()).isPresent();
        }
    }
}
