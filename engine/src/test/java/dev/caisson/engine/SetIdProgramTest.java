package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A set-user-ID or set-group-ID program that no_new_privs left without effect is reported, whichever process
/// of the container executed it and however soon it ended.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SetIdProgramTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("set-id"), Path.of("/var/lib/caisson-test"));
    /// Of a program that lives until its ids are read: of one that was quicker nothing is said but that it was.
    private static final String COPY = "cp /usr/bin/sleep /srv/id && ";

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    @Test
    void a_child_that_has_ended_is_reported_of_a_program_that_succeeds() throws InterruptedException {
        RunResult result = engine.run(shell("su -c id </dev/null; exit 0").user("1000"));

        assertThat(result.exitCode()).isZero();
        assertThat(result.setIdPrograms()).isEqualTo(new SetIdPrograms(List.of("/usr/bin/su"), ""));
        assertThat(result.obstacles()).containsExactly(Obstacle.SET_ID_WITHOUT_EFFECT);
        assertThat(result.stdout() + result.stderr()).doesNotContain("caisson");
    }

    @Test
    void a_file_that_the_container_made_itself_is_reported_once() throws InterruptedException {
        String twice = "setpriv --reuid 1000 --clear-groups sh -c '/srv/id 1; /srv/id 1'";

        RunResult result = engine.run(shell(COPY + "chmod 4755 /srv/id && " + twice));

        assertThat(result.setIdPrograms()).as(result.toString()).isEqualTo(new SetIdPrograms(List.of("/srv/id"), ""));
    }

    @Test
    void a_set_group_id_program_is_reported_and_one_that_its_group_may_not_execute_is_not()
            throws InterruptedException {
        RunResult result = engine.run(shell(COPY + "cp /srv/id /srv/no && chgrp 5 /srv/id /srv/no"
                + " && chmod 2755 /srv/id && chmod 2705 /srv/no && /srv/id 1 && /srv/no 1"));

        assertThat(result.setIdPrograms().files()).as(result.toString()).containsExactly("/srv/id");
    }

    @Test
    void root_to_whom_it_makes_no_difference_is_told_nothing() throws InterruptedException {
        RunResult result = engine.run(shell("su -c id; su -s /bin/sh nobody -c id; exit 0"));

        assertThat(result.setIdPrograms()).as(result.toString()).isEqualTo(SetIdPrograms.NONE);
        assertThat(result.obstacles()).isEmpty();
    }

    @Test
    void programs_that_have_effect_are_not_watched() throws InterruptedException {
        RunResult result = engine.run(
                shell("cp /usr/bin/id /srv/id && chmod 4755 /srv/id; setpriv --reuid 1000 --clear-groups /srv/id")
                        .newPrivileges(true)
                        .allow(Allowance.NEW_PRIVILEGES));

        assertThat(result.stdout()).contains("euid=0");
        assertThat(result.setIdPrograms()).isEqualTo(SetIdPrograms.NONE);
    }

    @Test
    void one_of_exec_is_reported_at_the_end_of_the_container() throws InterruptedException {
        Container container = engine.start(shell("sleep 60"), Streams.capture());

        container.exec(Exec.of("sh", "-c", "su -c id </dev/null; exit 0").user("1000"));
        container.kill();

        assertThat(container.await().setIdPrograms().files()).containsExactly("/usr/bin/su");
    }

    @Test
    void a_name_is_shown_as_one_line() throws InterruptedException {
        String name = "$(printf 'a\\ncaisson: fake\\033[2J')";

        RunResult result = engine.run(
                shell("cd /srv && cp /usr/bin/sleep \"" + name + "\" && chgrp 5 * && chmod 2755 * && ./* 1"));

        assertThat(result.setIdPrograms().files()).as(result.toString()).hasSize(1);
    }

    @Test
    void more_than_32_are_counted_as_missing() throws InterruptedException {
        RunResult result = engine.run(shell("for i in $(seq 40); do cp /usr/bin/sleep /srv/$i;"
                + " chgrp 5 /srv/$i; chmod 2755 /srv/$i; done; for i in $(seq 40); do /srv/$i 2 & done; wait"));

        assertThat(result.setIdPrograms().files()).as(result.toString()).hasSize(32);
        assertThat(result.setIdPrograms().missing()).isEqualTo(SetIdPrograms.MORE);
    }

    @Test
    void a_container_that_executes_in_a_loop_neither_hangs_nor_hides_the_end() throws InterruptedException {
        RunResult result = engine.run(
                shell("i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done;" + " su -c id </dev/null; exit 0")
                        .user("1000"));

        assertThat(result.setIdPrograms()).isEqualTo(new SetIdPrograms(List.of("/usr/bin/su"), ""));
    }

    @Test
    void a_flood_of_new_files_ends_the_watch_of_that_container_alone() throws InterruptedException {
        Container quiet = engine.start(shell("sleep 5; su -c id </dev/null").user("1000"), Streams.capture());

        RunResult flood = engine.run(
                shell(
                        "cd /srv; for i in $(seq 4000); do printf '#!/bin/true\\n' >$i; chmod +x $i; done; for i in *; do ./$i; done"));

        assertThat(flood.exitCode()).isZero();
        assertThat(quiet.await().setIdPrograms()).isEqualTo(new SetIdPrograms(List.of("/usr/bin/su"), ""));
    }

    @Test
    void more_containers_than_a_user_may_have_queues_are_watched() throws InterruptedException {
        var all = new ArrayList<Container>();
        for (int i = 0; i < 150; i++) {
            all.add(engine.start(shell("sleep 30; su -c id </dev/null").user("1000"), Streams.capture()));
        }

        for (Container one : all) {
            one.exec(Exec.of("pkill", "sleep"));
        }

        for (Container one : all) {
            assertThat(one.await().setIdPrograms().files()).containsExactly("/usr/bin/su");
        }
    }
}
