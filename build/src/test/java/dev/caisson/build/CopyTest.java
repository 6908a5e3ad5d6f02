package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Copies out of a context above the files of an image, without any container.
class CopyTest extends Copying {
    // ---- what goes where

    @Test
    void a_file_becomes_the_destination_or_goes_into_a_directory() throws IOException {
        file("a");
        Files.createDirectory(image.resolve("there"));
        assertThat(layer("COPY a /b")).containsExactly("0 644 0:0 b =a");
        assertThat(layer("COPY a /x/y")).containsExactly("5 755 0:0 x/", "0 644 0:0 x/y =a");
        assertThat(layer("COPY a /x/")).containsExactly("5 755 0:0 x/", "0 644 0:0 x/a =a");
        assertThat(layer("COPY a /there")).last().isEqualTo("0 644 0:0 there/a =a");
        assertThat(layer("COPY a /")).containsExactly("0 644 0:0 a =a");
    }

    @Test
    void a_directory_gives_its_content() throws IOException {
        file("d/one");
        file("d/e/two");
        Files.setPosixFilePermissions(context.resolve("d"), PosixFilePermissions.fromString("rwxr-x---"));
        assertThat(layer("COPY d /x"))
                .containsExactly(
                        "5 755 0:0 x/", "5 755 0:0 x/e/", "0 644 0:0 x/e/two =d/e/two", "0 644 0:0 x/one =d/one");
        assertThat(layer("COPY . /x/")).contains("0 644 0:0 x/d/one =d/one");
        assertThat(layer("COPY d /"))
                .containsExactly("5 755 0:0 e/", "0 644 0:0 e/two =d/e/two", "0 644 0:0 one =d/one");
    }

    @Test
    void a_directory_that_is_there_keeps_what_it_is() throws IOException {
        file("d/one");
        file("d/sub/two");
        Files.createDirectories(image.resolve("x/sub"));
        Files.setPosixFilePermissions(image.resolve("x"), PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(image.resolve("x/sub"), PosixFilePermissions.fromString("rwx------"));
        assertThat(layer("COPY d /x/"))
                .contains(
                        "5 700 0:0 x/", "5 755 0:0 x/sub/"); // the one below takes the source's mode, as BuildKit does
    }

    @Test
    void wildcards_are_docker_s() throws IOException {
        file("a1.txt");
        file("a2.txt");
        file("b.txt");
        file("sub/a3.txt");
        assertThat(layer("COPY a*.txt /x/"))
                .containsExactly("5 755 0:0 x/", "0 644 0:0 x/a1.txt =a1.txt", "0 644 0:0 x/a2.txt =a2.txt");
        assertThat(layer("COPY a?.txt /x/")).hasSize(3);
        assertThat(layer("COPY [ab]*.txt /x/")).hasSize(4);
        assertThat(layer("COPY [^a]*.txt /x/")).hasSize(2);
        assertThat(layer("COPY */*.txt /x/")).contains("0 644 0:0 x/a3.txt =sub/a3.txt");
        assertThat(layer("COPY **/a*.txt /x/")).hasSize(4);
        assertThat(code("COPY z*.txt /x/")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY a*.txt /x")).isEqualTo("BUILD_COPY_ARGUMENTS");
    }

    @Test
    void what_is_ignored_is_not_there() throws IOException {
        file("keep");
        file("secret");
        file("logs/one.log");
        file("logs/important.log");
        file("node_modules/x/y");
        ignore = Optional.of(Source.of(".dockerignore", "secret\nlogs\n!logs/important.log\nnode_modules\n"));
        assertThat(layer("COPY . /"))
                .containsExactly(
                        "0 644 0:0 keep =keep", "5 755 0:0 logs/", "0 644 0:0 logs/important.log =logs/important.log");
        assertThat(code("COPY secret /")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY sec* /")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY node_modules /n")).isEqualTo("BUILD_COPY_MISSING");
    }

    @Test
    void a_link_does_not_lead_to_what_is_ignored() throws IOException {
        file("secret");
        Files.createSymbolicLink(context.resolve("link"), Path.of("secret"));
        ignore = Optional.of(Source.of(".dockerignore", "secret\n"));
        assertThat(code("COPY link /")).isEqualTo("BUILD_COPY_MISSING");
    }

    @Test
    void excludes_are_left_out() throws IOException {
        file("d/a.o");
        file("d/a.c");
        file("d/t/b.c");
        assertThat(layer("COPY --exclude=*.o --exclude=t d /x"))
                .containsExactly("5 755 0:0 x/", "0 644 0:0 x/a.c =d/a.c");
    }

    @Test
    void parents_keep_the_path_of_the_source() throws IOException {
        file("a/b/c.txt");
        file("a/d.txt");
        assertThat(layer("COPY --parents a/b/c.txt a/d.txt /x/"))
                .containsExactly(
                        "5 755 0:0 x/",
                        "5 755 0:0 x/a/",
                        "5 755 0:0 x/a/b/",
                        "0 644 0:0 x/a/b/c.txt =a/b/c.txt",
                        "0 644 0:0 x/a/d.txt =a/d.txt");
        assertThat(layer("COPY --parents a/./b/*.txt /x/")).last().isEqualTo("0 644 0:0 x/b/c.txt =a/b/c.txt");
    }

    @Test
    void owner_and_mode_are_changed() throws IOException {
        file("d/one");
        assertThat(layer("COPY --chown=app --chmod=0640 d /x/y"))
                .containsExactly("5 755 1000:1001 x/", "5 755 1000:1001 x/y/", "0 640 1000:1001 x/y/one =d/one");
        assertThat(layer("COPY --chown=7 d/one /o")).containsExactly("0 644 7:7 o =d/one");
        assertThat(layer("COPY --chown=app:www d/one /o")).containsExactly("0 644 1000:33 o =d/one");
        assertThatThrownBy(() -> layer("COPY --chown=nobody d/one /o")).hasMessageContaining("nobody");
    }

    @Test
    void set_uid_bits_are_kept_and_given() throws IOException {
        file("a");
        assertThat(layer("COPY --chmod=4755 a /a")).containsExactly("0 4755 0:0 a =a");
    }

    @Test
    void a_mode_may_say_what_changes() throws IOException {
        file("d/one");
        assertThat(layer("COPY --chmod=go-rw,+X d /x")).containsExactly("5 755 0:0 x/", "0 600 0:0 x/one =d/one");
        assertThat(layer("COPY --chmod=u+x d/one /o")).containsExactly("0 744 0:0 o =d/one");
        assertThat(key("COPY --chmod=u+x d /x")).isNotEqualTo(key("COPY --chmod=u-x d /x"));
    }

    @Test
    void a_here_document_is_a_file() throws IOException {
        byte[] tar = archive("COPY <<one <<two /x/\n1\none\n2\ntwo");
        assertThat(LayerList.of(tar)).containsExactly("5 755 0:0 x/", "0 644 0:0 x/one =1\n", "0 644 0:0 x/two =2\n");
        assertThat(LayerList.of(archive("COPY <<EOF /etc/motd\nhello\nEOF")))
                .last()
                .isEqualTo("0 644 0:0 etc/motd =hello\n");
    }

    // ---- links and hostile trees

    @Test
    void a_link_that_is_named_is_followed_and_one_below_a_directory_is_copied() throws IOException {
        file("d/real");
        Files.createSymbolicLink(context.resolve("d/link"), Path.of("real"));
        Files.createSymbolicLink(context.resolve("to-d"), Path.of("d"));
        file("top");
        Files.createSymbolicLink(Files.createDirectory(context.resolve("e")).resolve("up"), Path.of("../top"));
        assertThat(layer("COPY e/up /x")).containsExactly("0 644 0:0 x =top");
        assertThat(layer("COPY d/link /x")).containsExactly("0 644 0:0 x =d/real");
        assertThat(layer("COPY d/li* /x")).containsExactly("0 644 0:0 x =d/real");
        assertThat(layer("COPY to-d /x"))
                .containsExactly("5 755 0:0 x/", "2 777 0:0 x/link ->real", "0 644 0:0 x/real =d/real");
    }

    @Test
    void no_link_leads_out_of_the_context() throws IOException {
        Files.writeString(directory.resolve("outside"), "host");
        Files.createSymbolicLink(context.resolve("up"), Path.of("../outside"));
        Files.createSymbolicLink(context.resolve("absolute"), directory.resolve("outside"));
        Files.createSymbolicLink(context.resolve("root"), Path.of("/"));
        Files.createSymbolicLink(context.resolve("self"), Path.of("self"));
        assertThat(code("COPY up /x")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY absolute /x")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY root/etc/hostname /x")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY root*/etc/host* /x/")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY ../outside /x")).isEqualTo("BUILD_COPY_MISSING");
        assertThat(code("COPY self /x")).isEqualTo("BUILD_LINKS");
        assertThat(layer("COPY . /x/")).contains("2 777 0:0 x/up ->../outside"); // as a link, which is harmless
    }

    @Test
    void a_link_of_the_image_leads_no_file_out_of_it() throws IOException {
        file("a");
        Files.createSymbolicLink(image.resolve("abs"), directory); // in the image, that path is not there
        Files.createSymbolicLink(image.resolve("up"), Path.of("../../../../etc"));
        Files.createSymbolicLink(image.resolve("app"), Path.of("/srv/app"));
        Files.createSymbolicLink(image.resolve("file"), Path.of("/etc/target"));
        Files.createSymbolicLink(
                Files.createDirectories(image.resolve("deep/er")).resolve("link"), Path.of("/etc"));
        assertThat(layer("COPY a /deep/er/link/a")).containsExactly("5 755 0:0 etc/", "0 644 0:0 etc/a =a");
        assertThat(layer("COPY a /up/a")).containsExactly("5 755 0:0 etc/", "0 644 0:0 etc/a =a");
        assertThat(layer("COPY a /app/"))
                .containsExactly("5 755 0:0 srv/", "5 755 0:0 srv/app/", "0 644 0:0 srv/app/a =a");
        assertThat(layer("COPY a /abs/x")).noneMatch(line -> line.contains(" abs"));
        assertThat(layer("COPY a /file")).containsExactly("5 755 0:0 etc/", "0 644 0:0 etc/target =a");
        try (var left = Files.list(directory)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("context", "image");
        }
    }

    @Test
    void a_link_that_a_copy_itself_brings_is_not_written_through() throws IOException {
        Files.createSymbolicLink(context.resolve("x"), Path.of("/etc"));
        file("d/x/passwd");
        Files.createDirectory(context.resolve("l"));
        Files.move(context.resolve("x"), context.resolve("l/x"));
        assertThat(code("COPY l d /")).isEqualTo("BUILD_COPY_CONFLICT");
    }

    @Test
    void directories_and_files_do_not_replace_each_other() throws IOException {
        file("d/etc");
        file("e/f/g");
        Files.writeString(image.resolve("f"), "");
        assertThat(code("COPY d /")).isEqualTo("BUILD_COPY_CONFLICT");
        assertThat(code("COPY e /")).isEqualTo("BUILD_COPY_CONFLICT");
        assertThat(code("COPY d/etc /f/x")).isEqualTo("BUILD_COPY_CONFLICT");
    }

    @Test
    void what_is_no_file_is_refused_and_never_opened() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", context.resolve("pipe").toString())
                        .start()
                        .waitFor())
                .isZero();
        assertThat(code("COPY . /")).isEqualTo("BUILD_COPY_KIND");
        assertThat(code("COPY pipe /")).isEqualTo("BUILD_COPY_KIND");
        ignore = Optional.of(Source.of(".dockerignore", "pipe\n"));
        file("a");
        assertThat(layer("COPY . /")).containsExactly("0 644 0:0 a =a");
    }

    @Test
    void a_name_that_would_delete_in_a_layer_is_refused() throws IOException {
        file(".wh.bin");
        file("d/.wh..wh..opq");
        file("e/.wh.sub/f");
        file("a");
        assertThat(code("COPY .wh.bin /")).isEqualTo("LAYER_NAME");
        assertThat(code("COPY d /d")).isEqualTo("LAYER_NAME");
        assertThat(code("COPY e /")).isEqualTo("LAYER_NAME");
        assertThat(code("COPY a /.wh.etc/a")).isEqualTo("LAYER_NAME");
        assertThat(code("COPY a /x/.wh.a")).isEqualTo("LAYER_NAME");
        assertThat(layer("COPY .wh.bin /bin")).containsExactly("0 644 0:0 bin =.wh.bin");
    }

    @Test
    void names_of_any_bytes_are_copied() throws IOException {
        file("line\nbreak");
        file("-n");
        file("sp ace");
        assertThat(layer("COPY . /x/"))
                .contains("0 644 0:0 x/line\nbreak =line\nbreak", "0 644 0:0 x/-n =-n", "0 644 0:0 x/sp ace =sp ace");
    }

    @Test
    void a_hundred_thousand_files_are_copied() throws IOException {
        for (int sub = 0; sub < 100; sub++) {
            Path below = Files.createDirectory(context.resolve("d" + sub));
            for (int i = 0; i < 1000; i++) {
                Files.createFile(below.resolve("f" + i));
            }
        }
        assertThat(layer("COPY . /x/")).hasSize(100_101);
    }

    @Test
    void a_file_that_changes_after_its_digest_was_taken_ends_the_build() throws IOException {
        file("a");
        BuildStep step = Plans.steps("FROM scratch", "COPY a /a").getLast();
        var copy = new CopyStep(
                (Operation.Copy) step.operation(),
                step.place(),
                tree(context, "the build context"),
                List.of(),
                this::unpacked);
        Files.writeString(context.resolve("a"), "b");
        LayerBuilder layer = copy.layer(tree(image, "the image"), NOW);
        assertThatThrownBy(() -> LayerList.bytes(layer, Optional.empty()))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_CHANGED"));
        Files.delete(context.resolve("a"));
        Files.createSymbolicLink(context.resolve("a"), Path.of("/etc/passwd"));
        assertThatThrownBy(() -> LayerList.bytes(layer, Optional.empty()))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_CHANGED"));
    }

    // ---- keys and times

    @Test
    void the_key_is_of_names_content_and_modes_and_not_of_times() throws IOException {
        file("d/a");
        String first = key("COPY d /x");
        Files.setLastModifiedTime(context.resolve("d/a"), java.nio.file.attribute.FileTime.fromMillis(1));
        assertThat(key("COPY d /x")).isEqualTo(first);
        assertThat(key("COPY d /y")).isNotEqualTo(first);
        assertThat(key("COPY --chown=1 d /x")).isNotEqualTo(first);
        assertThat(key("COPY --chmod=700 d /x")).isNotEqualTo(first);
        Files.setPosixFilePermissions(context.resolve("d/a"), PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(key("COPY d /x")).isNotEqualTo(first);
        Files.setPosixFilePermissions(context.resolve("d/a"), PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(key("COPY d /x")).isEqualTo(first);
        Files.writeString(context.resolve("d/a"), "other");
        assertThat(key("COPY d /x")).isNotEqualTo(first);
        Files.writeString(context.resolve("d/a"), "d/a");
        Files.move(context.resolve("d/a"), context.resolve("d/b"));
        assertThat(key("COPY d /x")).isNotEqualTo(first);
    }

    @Test
    void no_file_is_younger_than_the_latest_time_that_is_wanted() throws IOException {
        file("a");
        BuildStep step = Plans.steps("FROM scratch", "COPY a /x/a").getLast();
        FileTree from = tree(context, "the build context");
        FileTree below = tree(image, "the image");
        var copy = new CopyStep((Operation.Copy) step.operation(), step.place(), from, List.of(), this::unpacked);
        byte[] one = LayerList.bytes(copy.layer(below, Instant.now()), Optional.of(NOW));
        Files.setLastModifiedTime(context.resolve("a"), java.nio.file.attribute.FileTime.from(NOW.plusSeconds(1000)));
        byte[] two = LayerList.bytes(copy.layer(below, Instant.now().plusSeconds(5)), Optional.of(NOW));
        assertThat(two).isEqualTo(one);
    }
}
