package dev.caisson.cli.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DiskUseCommandTest {
    private static final String SIZES = "{{.Size}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}}";

    @TempDir
    private Path directory;

    private final String name = "caisson-test/df-" + ContainerId.random().shortForm();
    private final String container = "df-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        Answer.caisson("rm", "-f", container);
        Answer.caisson("rmi", name + ":1", name + ":2", name + ":3");
    }

    private static String ok(String... words) {
        Answer answer = Answer.caisson(words);
        assertThat(answer.status()).as(answer.err()).isZero();
        return answer.out();
    }

    /// A root directory with one file.
    private void imported(String tag, int bytes, String... change) throws IOException, InterruptedException {
        Path root = Files.createDirectories(directory.resolve(tag));
        Files.write(root.resolve("file"), new byte[bytes]);
        Path archive = directory.resolve(tag + ".tar");
        assertThat(new ProcessBuilder("tar", "--mtime=@0", "-C", root.toString(), "-cf", archive.toString(), ".")
                        .start()
                        .waitFor())
                .isZero();
        if (change.length == 0) {
            ok("import", archive.toString(), name + ":" + tag);
        } else {
            ok("import", "--change", change[0], archive.toString(), name + ":" + tag);
        }
    }

    private static String images(String template) {
        return ok("system", "df", "--format", "{{if eq .Type \"Images\"}}" + template + "{{end}}")
                .strip();
    }

    private String of(String tag) {
        return ok(
                        "system",
                        "df",
                        "-v",
                        "--format",
                        "{{range .Images}}{{if eq .Repository \"" + name + "\"}}{{if eq .Tag \"" + tag + "\"}}" + SIZES
                                + "{{end}}{{end}}{{end}}")
                .strip();
    }

    @Test
    void images_count_once_whatever_their_names_and_are_active_when_a_container_has_them() throws Exception {
        int before = Integer.parseInt(images("{{.TotalCount}}"));
        int active = Integer.parseInt(images("{{.Active}}"));

        imported("1", 100_000);
        ok("tag", name + ":1", name + ":2");
        assertThat(images("{{.TotalCount}} {{.Active}}")).isEqualTo((before + 1) + " " + active);

        ok("create", "--name", container, name + ":1", "/file");
        assertThat(images("{{.TotalCount}} {{.Active}}")).isEqualTo((before + 1) + " " + (active + 1));
        assertThat(ok("system", "df", "-v")).contains("SHARED SIZE", name);
    }

    @Test
    void what_images_share_is_told_apart_from_what_is_theirs_alone() throws Exception {
        imported("1", 100_000);
        assertThat(of("1")).matches("[0-9.]+k?B 0B [0-9.]+k?B 0");

        imported("3", 100_000, "LABEL a=b"); // the same layer
        ok("create", "--name", container, name + ":3", "/file");

        assertThat(of("3")).as("compressed and unpacked").matches("10[0-9.]+kB 10[0-9.]+kB [0-9.]+B 1");
        assertThat(of("1")).matches("10[0-9.]+kB 10[0-9.]+kB [0-9.]+B 0");
    }
}
