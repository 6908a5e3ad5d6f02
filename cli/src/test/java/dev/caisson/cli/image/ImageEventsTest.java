package dev.caisson.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Events of images and volumes, what `image prune --filter` chooses, and the lists of `system df -v`.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ImageEventsTest {
    @TempDir
    private Path directory;

    private final String name = "caisson-test/events-" + ContainerId.random().shortForm();
    private final String volume = "events-" + ContainerId.random().shortForm();
    private final String began = Long.toString(Instant.now().getEpochSecond());

    @AfterEach
    void remove() {
        Answer.caisson("rmi", name + ":1", name + ":2");
        Answer.caisson("volume", "rm", volume);
    }

    private static Answer ok(String... words) {
        Answer answer = Answer.caisson(words);
        assertThat(answer.status()).as(answer.err()).isZero();
        return answer;
    }

    private List<String> events(String format, String... filters) {
        var words = new ArrayList<>(List.of("events", "--since", began, "--until", "0s", "--format", format));
        for (String filter : filters) {
            words.addAll(List.of("--filter", filter));
        }
        return ok(words.toArray(String[]::new)).out().lines().toList();
    }

    private void imported(String tag, String... more) throws IOException, InterruptedException {
        Files.writeString(directory.resolve("file"), name + tag);
        Path archive = directory.resolve("root.tar");
        Process tar = new ProcessBuilder("tar", "-C", directory.toString(), "-cf", archive.toString(), "file").start();
        assertThat(tar.waitFor()).isZero();
        var words = new ArrayList<>(List.of("import"));
        words.addAll(List.of(more));
        words.addAll(List.of(archive.toString(), name + ":" + tag));
        ok(words.toArray(String[]::new));
    }

    @Test
    void a_life_of_an_image_is_told_in_dockers_words() throws Exception {
        imported("1", "--change", "LABEL team=core");
        String id =
                ok("image", "inspect", "--format", "{{.Id}}", name + ":1").out().strip();
        ok("tag", name + ":1", name + ":2");
        Path archive = directory.resolve("image.tar");
        ok("save", "-o", archive.toString(), name + ":2");
        ok("rmi", name + ":1", name + ":2");
        ok("load", "-i", archive.toString());

        String line = "{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}";
        assertThat(events(line, "type=image", "label=team=core"))
                .containsExactly(
                        "image import " + id + " " + name + ":1",
                        "image tag " + id + " " + name + ":2",
                        "image save " + id + " " + name + ":2",
                        "image untag " + id + " " + name + ":1",
                        "image untag " + id + " " + name + ":2",
                        "image delete " + id + " " + id,
                        "image load " + id + " " + name + ":2");
        assertThat(events("{{.Action}}", "image=" + name + ":1")).containsExactly("import", "untag");
        assertThat(events("{{.Action}}", "type=container", "label=team=core")).isEmpty();
        assertThat(ok(
                                "events",
                                "--since",
                                began,
                                "--until",
                                "0s",
                                "--filter",
                                "image=" + name + ":1",
                                "--filter",
                                "event=tag")
                        .out())
                .isEmpty();
    }

    @Test
    void an_image_that_is_built_is_told_and_the_results_of_its_steps_are_not() throws Exception {
        Files.writeString(directory.resolve("file"), name);
        Files.writeString(directory.resolve("Dockerfile"), "FROM scratch\nCOPY file /one\nCOPY file /two\n");
        ok("build", "-q", "-t", name + ":1", directory.toString());
        assertThat(events("{{.Action}} {{.Actor.Attributes.name}}", "type=image"))
                .contains("tag " + name + ":1")
                .noneMatch(event -> event.contains("caisson.local/"));
    }

    @Test
    void a_life_of_a_volume_is_told() {
        ok("volume", "create", volume);
        ok("volume", "rm", volume);
        assertThat(events("{{.Type}} {{.Action}} {{.Actor.Attributes.driver}}", "volume=" + volume))
                .containsExactly("volume create local", "volume destroy local");
        assertThat(events("{{.Action}}", "type=image", "volume=" + volume)).isEmpty();
    }

    @Test
    void a_prune_takes_what_is_old_and_has_the_label_or_not() throws Exception {
        imported("1", "--change", "LABEL " + volume + "=1");
        for (String condition : List.of("until=1h", "label=" + volume + "=2", "label!=" + volume)) {
            ok("image", "prune", "-a", "-f", "--filter", "label=" + volume, "--filter", condition);
            assertThat(ok("image", "inspect", "--format", "{{.RepoTags}}", name + ":1")
                            .out())
                    .as(condition)
                    .contains(name);
        }
        Answer pruned = ok("image", "prune", "-a", "-f", "--filter", "label=" + volume + "=1", "--filter", "until=0s");
        assertThat(pruned.out()).contains("Deleted Images:\n" + name + ":1\n");
        assertThat(events("{{.Action}}", "label=" + volume)).containsExactly("import", "untag", "delete");

        assertThat(Answer.caisson("image", "prune", "-f", "--filter", "size=1").err())
                .contains("--filter takes label, label! or until, not 'size'");
        assertThat(Answer.caisson("image", "prune", "-f", "--filter", "until=1h", "--filter", "until=2h")
                        .err())
                .contains("may be given once");
    }

    @Test
    void the_lists_of_disk_use_are_one_object() {
        ok("volume", "create", volume);
        String json = ok("system", "df", "-v", "--format", "json").out();
        assertThat(json).startsWith("{\"Images\":[").contains("\"Name\":\"" + volume + "\"", "\"Snapshots\":[");
        assertThat(ok("system", "df", "-v", "--format", "{{range .Volumes}}{{.Name}} {{.Links}};{{end}}")
                        .out())
                .contains(volume + " 0;");
        assertThat(Answer.caisson("system", "df", "-v", "--format", "table {{.Name}}")
                        .err())
                .contains("-v has a table of each kind");
    }
}
