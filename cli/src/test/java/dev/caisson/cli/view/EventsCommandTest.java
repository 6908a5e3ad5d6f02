package dev.caisson.cli.view;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.EventJournal;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `events` tells of containers in the background, in Docker's words.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class EventsCommandTest {
    private static final String ACTIONS = "{{.Action}}";

    private final String name = "events-" + ContainerId.random().shortForm();
    private final String began = Long.toString(Instant.now().getEpochSecond());

    @AfterEach
    void remove() {
        caisson("rm", "-f", name, name + "-2");
    }

    private String events(String format, String... filters) {
        var words = new java.util.ArrayList<>(
                java.util.List.of("events", "--since", began, "--until", "0s", "--format", format));
        for (String filter : filters) {
            words.add("--filter");
            words.add(filter);
        }
        return caisson(words.toArray(String[]::new)).out();
    }

    @Test
    void a_life_is_told_from_create_to_destroy() {
        String id = caisson("create", "--name", name, "-l", "team=core", "host", "--", "sh", "-c", "exit 3")
                .out()
                .strip();
        caisson("start", name);
        caisson("wait", name);
        assertThat(events(ACTIONS, "container=" + name)).isEqualTo("create\nstart\ndie\n");
        caisson("start", name);
        caisson("wait", name);
        caisson("rename", name, name + "-2");
        caisson("rm", name + "-2");

        assertThat(events(ACTIONS, "container=" + id)).isEqualTo("create\nstart\ndie\nstart\ndie\nrename\ndestroy\n");
        assertThat(events("{{.Actor.Attributes.exitCode}}", "container=" + id, "event=die"))
                .isEqualTo("3\n3\n");
        assertThat(events("{{.Actor.Attributes.oldName}}", "container=" + id, "event=rename"))
                .isEqualTo("/" + name + "\n");
        assertThat(events("{{.Actor.ID}}", "label=team=core", "event=create")).contains(id);
        assertThat(events("json", "container=" + id, "event=create"))
                .startsWith("{\"status\":\"create\",\"id\":\"" + id + "\",\"from\":\"host\",\"Type\":\"container\"");
        assertThat(events(ACTIONS, "container=" + id, "label=team=other")).isEmpty();
        assertThat(caisson("events", "--since", began, "--until", "0s", "-f", "container=" + id, "-f", "event=create")
                        .out())
                .matches("\\d{4}-\\d\\d-\\d\\dT[0-9:]{8}\\.\\d{9}\\S+ container create " + id + " \\(image=host, name="
                        + name + ", team=core\\)\n");
    }

    @Test
    void an_end_is_told_with_the_name_that_the_container_had_then() {
        String id = caisson("create", "--name", name, "host", "--", "sh", "-c", "exit 3")
                .out()
                .strip();
        caisson("start", name);
        caisson("wait", name);

        caisson("rename", name, name + "-2");

        String told = "create NAME\nstart NAME\ndie NAME\nrename NAME-2\n".replace("NAME", name);
        String names = "{{.Action}} {{.Actor.Attributes.name}}";
        assertThat(events(names, "container=" + id)).isEqualTo(told);
        caisson("rm", name + "-2");
        assertThat(events(names, "container=" + id)).isEqualTo(told + "destroy " + name + "-2\n");
    }

    @Test
    void the_end_of_a_left_program_is_told_once_with_the_name_that_its_container_had_then() throws Exception {
        String id = caisson("run", "-d", "--name", name, "host", "sleep", "1000")
                .out()
                .strip();
        caisson("exec", "-d", name, "sh", "-c", "exit 5");
        String[] words = {"{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}", "container=" + id};
        for (int times = 0;
                times < 600 && events(words[0], words[1], "event=exec_die").isEmpty();
                times++) {
            Thread.sleep(100);
        }

        caisson("rename", name, name + "-2");
        caisson("rename", name + "-2", name);
        caisson("rename", name, name + "-2");

        assertThat(events(words[0], words[1], "event=exec_die")).isEqualTo(name + " 5\n");
    }

    @Test
    void what_is_done_to_one_that_runs_is_told() {
        caisson("run", "-d", "--name", name, "host", "sleep", "1000");
        caisson("pause", name);
        caisson("unpause", name);
        caisson("update", "--pids-limit", "100", name);
        caisson("kill", "-s", "USR1", name);
        caisson("stop", "-t", "0", name);
        caisson("rm", name);

        assertThat(events(ACTIONS, "container=" + name).lines().toList())
                .containsExactlyInAnyOrder(
                        "create", "start", "pause", "unpause", "update", "kill", "kill", "die", "stop", "destroy");
        assertThat(events("{{.Actor.Attributes.signal}}", "container=" + name, "event=kill"))
                .isEqualTo("10\n9\n");
    }

    /// One that is killed before its program runs has no end to be told.
    private static void awaitSleep(String container) throws InterruptedException {
        for (int times = 0; times < 600 && !caisson("top", container).out().contains(" sleep 1000"); times++) {
            Thread.sleep(10);
        }
    }

    @Test
    void a_restart_and_a_removal_by_force_are_told_with_what_they_do() throws InterruptedException {
        String id = caisson("run", "-d", "--name", name, "host", "sleep", "1000")
                .out()
                .strip();
        awaitSleep(name);
        caisson("restart", "-t", "0", name);
        awaitSleep(name);
        caisson("rm", "-f", name);

        // an end has the time of its millisecond's beginning, in which the signal may have been sent
        assertThat(events(ACTIONS, "container=" + id).lines())
                .containsExactlyInAnyOrder(
                        "create", "start", "kill", "die", "stop", "start", "restart", "kill", "die", "destroy");
    }

    @Test
    void a_follower_hears_of_an_end_that_no_command_caused() throws Exception {
        caisson("run", "-d", "--name", name, "host", "--", "sh", "-c", "sleep 1; exit 4");

        Answer heard = caisson(
                "events",
                "--until",
                Long.toString(Instant.now().getEpochSecond() + 5),
                "-f",
                "container=" + name,
                "--format",
                "{{.Action}} {{.Actor.Attributes.exitCode}}");

        assertThat(heard).isEqualTo(new Answer(0, "die 4\n", ""));
    }

    @Test
    void a_follower_hears_of_what_happens_after_the_clock_was_set_back() throws Exception {
        Process follower = new ProcessBuilder(
                        CommandProcess.words("events", "-f", "container=" + name, "--format", ACTIONS))
                .start();
        try (var heard = follower.inputReader()) {
            for (int times = 0; times < 600 && !heard.ready(); times++) { // until it has begun to follow
                note(Instant.now().minusSeconds(7200), "pause");
                Thread.sleep(100);
            }
            assertThat(heard.ready()).isTrue();
            assertThat(heard.readLine()).isEqualTo("pause");
        } finally {
            follower.destroyForcibly();
        }
    }

    /// Notes an event as a command does.
    private void note(Instant time, String action) {
        EventJournal.append(
                CommandProcess.state(),
                "{\"seconds\":%d,\"nanos\":0,\"action\":\"%s\",\"id\":\"%s\",\"attributes\":{\"name\":\"%s\"}}"
                        .formatted(
                                time.getEpochSecond(),
                                action,
                                ContainerId.random().value(),
                                name));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "events --filter team=core|--filter takes container, event, image, label, network, scope, type or volume",
                "events --filter type=daemon|there are no events of others",
                "events --since yesterday|--since",
                "events --until 0s --format {{.Actoin}}|Actoin",
                "events --format {{.Action|unclosed action",
            })
    void what_makes_no_sense_is_refused(String words, String reason) {
        caisson("create", "--name", name, "host", "true");
        Answer answer = caisson((words + " --since " + began + " --until 0s")
                .replaceFirst(" --until 0s(?=.*--until)", "")
                .replaceFirst("( --since yesterday) .*", "$1")
                .split(" ", -1));

        assertThat(answer.status()).isNotZero();
        assertThat(answer.err()).contains(reason);
    }
}
