package dev.caisson.cli.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Each call has a label that only this test gives, so that it takes nothing of others.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SystemPruneCommandTest {
    @TempDir
    private Path directory;

    private final String name = "prune-" + ContainerId.random().shortForm();
    private final String image = "caisson-test/" + name + ":1";
    private final String label = "label=" + name;

    private static Answer ok(String... words) {
        Answer answer = Answer.caisson(words);
        assertThat(answer.status()).as(answer.err()).isZero();
        return answer;
    }

    @BeforeEach
    void make() throws Exception {
        Files.writeString(directory.resolve("file"), name);
        Path archive = directory.resolve("root.tar");
        assertThat(new ProcessBuilder("tar", "-C", directory.toString(), "-cf", archive.toString(), "file")
                        .start()
                        .waitFor())
                .isZero();
        ok("import", "--change", "LABEL " + name + "=1", archive.toString(), image);
        ok("create", "--name", name, "--label", name, image, "/file");
        ok("volume", "create", "--label", name, name);
    }

    @AfterEach
    void remove() {
        Answer.caisson("rm", "-f", name);
        Answer.caisson("rmi", image);
        Answer.caisson("volume", "rm", name);
    }

    private List<String> left() {
        return List.of(
                ok("ps", "-aq", "--filter", label).out().isEmpty() ? "" : "container",
                Answer.caisson("image", "inspect", image).status() == 0 ? "image" : "",
                ok("volume", "ls", "-q", "--filter", label).out().isEmpty() ? "" : "volume");
    }

    @Test
    void containers_go_first_so_that_their_images_are_free() {
        Answer pruned = ok("system", "prune", "-f", "--filter", label);
        assertThat(pruned.out()).contains("Deleted Containers:\n").doesNotContain("Deleted Images");
        assertThat(left()).as("its name keeps the image").containsExactly("", "image", "volume");

        pruned = ok("system", "prune", "-a", "-f", "--volumes", "--filter", label);
        assertThat(pruned.out()).contains("Deleted Images:\n" + image + "\n");
        assertThat(pruned.out().lines().filter(line -> line.startsWith("Total reclaimed space: ")))
                .hasSize(1);
        assertThat(left()).as("a volume with a name of its own stays").containsExactly("", "", "volume");
    }

    @Test
    void nothing_goes_without_an_answer_or_with_an_option_that_is_wrong() {
        Answer asked = ok("system", "prune", "-a", "--filter", label);
        assertThat(asked.out())
                .contains("WARNING! This will remove all stopped containers", "all images that no container has");

        assertThat(Answer.caisson("system", "prune", "-f", "--filter", label, "--filter", "name=x")
                        .err())
                .contains("--filter takes label, label! or until, not 'name'");
        assertThat(Answer.caisson("system", "prune", "-f", "--volumes", "--filter", "until=1h", "--filter", label)
                        .err())
                .contains("volumes are not chosen by time");
        assertThat(Answer.caisson("system", "prune", "-f", "--filter", label, "--filter", "until=soon")
                        .status())
                .isNotZero();
        assertThat(left()).containsExactly("container", "image", "volume");
    }
}
