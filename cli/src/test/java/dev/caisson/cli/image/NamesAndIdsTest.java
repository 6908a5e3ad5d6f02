package dev.caisson.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images by several names, by none and by their ids. Needs Debian's busybox-static.
@Tag("root")
class NamesAndIdsTest {
    @TempDir
    private Path directory;

    private String ok(String... arguments) {
        Answer answer = Answer.caisson(arguments);
        assertThat(answer.status())
                .as("%s: %s", List.of(arguments), answer.err())
                .isZero();
        return answer.out();
    }

    @BeforeEach
    void an_archive() throws IOException, InterruptedException {
        Path bin = Files.createDirectories(directory.resolve("root/bin"));
        Files.copy(Path.of("/bin/busybox"), bin.resolve("busybox"));
        Files.createLink(bin.resolve("sh"), bin.resolve("busybox"));
        Files.writeString(directory.resolve("root/word"), "word\n");
        Process tar = new ProcessBuilder("tar", "-C", directory + "/root", "-cf", directory + "/root.tar", ".")
                .inheritIO()
                .start();
        assertThat(tar.waitFor()).isZero();
        ok("import", "-c", "CMD [\"sh\",\"-c\",\"test -e /word\"]", directory + "/root.tar", "ids-base:1");
    }

    @AfterEach
    void remove() {
        Answer.caisson("rm", "-f", "ids-made");
        for (String name : ok("images", "--format", "{{.Repository}}:{{.Tag}}", "-f", "reference=ids-*")
                .lines()
                .toList()) {
            Answer.caisson("rmi", "-f", name);
        }
    }

    private String id(String name) {
        return ok("images", "-q", "--no-trunc", name).strip();
    }

    @Test
    void an_image_is_run_created_mounted_and_built_on_by_its_id() throws IOException {
        String id = id("ids-base:1");
        String twelve = id.substring("sha256:".length(), "sha256:".length() + 12);

        for (String way : List.of(id, twelve, "sha256:" + twelve, id.substring("sha256:".length()))) {
            ok("run", "--rm", way);
            ok("run", "--rm", "--pull", "never", way);
        }
        ok(
                "run",
                "--rm",
                "--mount",
                "type=image,src=" + twelve + ",dst=/other",
                "ids-base:1",
                "sh",
                "-c",
                "test -e /other/word");

        ok("create", "--name", "ids-made", twelve);
        ok("start", "-a", "ids-made");
        ok("start", "-a", "ids-made");
        assertThat(Answer.caisson("rmi", "ids-base:1").err()).contains("IMAGE_IN_USE", "ids-made");

        Path context = Files.createDirectory(directory.resolve("context"));
        Files.writeString(
                context.resolve("Dockerfile"),
                "FROM " + twelve + "\nCOPY --from=" + id + " /word /copy\nCMD [\"sh\",\"-c\",\"test -e /copy\"]\n",
                StandardCharsets.UTF_8);
        String built = ok("build", "-q", context.toString()).strip();
        ok("run", "--rm", built);
    }

    @Test
    void digits_that_are_no_id_and_too_few_of_one_are_a_name() {
        String id = id("ids-base:1").substring("sha256:".length());
        for (String name : List.of("0".repeat(12), id.substring(0, 11))) {
            Answer refused = Answer.caisson("run", "--rm", "--pull", "never", name);
            assertThat(refused.status()).isEqualTo(125);
            assertThat(refused.err()).hasLineCount(1).contains("NOT_FOUND", name);
        }
    }

    @Test
    void a_name_goes_before_an_id() {
        String twelve = id("ids-base:1").substring("sha256:".length(), "sha256:".length() + 12);
        ok("import", "-c", "CMD [\"sh\",\"-c\",\"exit 7\"]", directory + "/root.tar", "ids-other:1");
        ok("tag", "ids-other:1", twelve);
        try {
            assertThat(Answer.caisson("run", "--rm", twelve).status()).isEqualTo(7);
        } finally {
            ok("rmi", twelve + ":latest");
        }
    }

    @Test
    void an_image_whose_other_name_moved_away_is_not_dangling() {
        ok("import", "-c", "LABEL other=yes", directory + "/root.tar", "ids-other:1");
        ok("tag", "ids-base:1", "ids-moves:1");
        ok("tag", "ids-other:1", "ids-moves:1");

        assertThat(ok("images", "-q", "--no-trunc", "-f", "dangling=true")).doesNotContain(id("ids-base:1"));
        assertThat(ok("images", "-q", "--no-trunc", "-f", "dangling=false")).contains(id("ids-base:1"));

        String id = id("ids-base:1");
        ok("tag", "ids-other:1", "ids-base:1");
        assertThat(ok("images", "-q", "--no-trunc", "-f", "dangling=true")).contains(id);
        ok("rmi", "-f", id);
    }

    @Test
    void a_name_without_a_tag_stands_for_all_tags_in_an_archive() throws Exception {
        ok("tag", "ids-base:1", "ids-base:2");
        ok("import", "-c", "LABEL other=yes", directory + "/root.tar", "ids-base:3");
        ok("save", "-o", directory + "/saved.tar", "ids-base");
        assertThat(manifest("saved.tar")).contains("\"ids-base:1\"", "\"ids-base:2\"", "\"ids-base:3\"");

        ok("save", "-o", directory + "/one.tar", "ids-base:2");
        assertThat(manifest("one.tar")).contains("\"ids-base:2\"").doesNotContain("ids-base:1", "ids-base:3");

        Answer refused = Answer.caisson("save", "-o", directory + "/none.tar", "ids-none");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).hasLineCount(1).contains("IMAGE_UNKNOWN", "ids-none");
    }

    private String manifest(String archive) throws IOException {
        Process tar =
                new ProcessBuilder("tar", "-xOf", directory.resolve(archive).toString(), "manifest.json").start();
        return new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
