package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.caisson.build.Operation.Origin;
import dev.caisson.build.Operation.RunNetwork;
import dev.caisson.build.RunMount.Cache;
import dev.caisson.build.RunMount.Secret;
import dev.caisson.error.CaissonException;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunPlannerTest {
    private static RunMount mount(String text) {
        return Plans.run("FROM scratch AS first", "FROM scratch", "WORKDIR /w", "ARG N=7", "RUN --mount=" + text + " x")
                .mounts()
                .getFirst();
    }

    private static String code(String line) {
        try {
            Plans.steps("FROM scratch", line);
            return "none";
        } catch (CaissonException e) {
            return e.code();
        }
    }

    @Test
    void both_forms_of_a_command_are_read() {
        assertThat(Plans.run("FROM scratch", "RUN echo $A && \\", "  echo b").command())
                .containsExactly("/bin/sh", "-c", "echo $A &&   echo b");
        assertThat(Plans.run("FROM scratch", "RUN [\"/x\", \"$A\"]").command()).containsExactly("/x", "$A");
        assertThat(Plans.run("FROM scratch", "RUN [not json").command()).containsExactly("/bin/sh", "-c", "[not json");
        assertThat(Plans.run("FROM scratch", "SHELL [\"/b\", \"-e\"]", "RUN x").command())
                .containsExactly("/b", "-e", "x");
    }

    @Test
    void a_here_document_alone_is_the_script() {
        assertThat(Plans.run("FROM scratch", "RUN <<EOF", "echo $A", "exit 0", "EOF")
                        .command())
                .containsExactly("/bin/sh", "-c", "echo $A\nexit 0\n");
        assertThat(Plans.run("FROM scratch", "RUN <<-'EOF'", "\techo a", "\tEOF")
                        .command())
                .containsExactly("/bin/sh", "-c", "echo a\n");
    }

    @Test
    void a_here_document_of_a_command_is_left_to_the_shell() {
        assertThat(Plans.run("FROM scratch", "RUN cat <<A >/a && cat <<B >/b", "one", "A", "two", "B")
                        .command())
                .containsExactly("/bin/sh", "-c", "cat <<A >/a && cat <<B >/b\none\nA\ntwo\nB\n");
    }

    @Test
    void a_here_document_with_an_interpreter_is_a_program() {
        Operation.Run run = Plans.run("FROM scratch", "RUN <<EOF", "#!/usr/bin/python3", "print(1)", "EOF");
        assertThat(run.script())
                .contains(new Operation.Script("/run/caisson-build/EOF", "#!/usr/bin/python3\nprint(1)\n"));
        assertThat(run.command()).containsExactly("/run/caisson-build/EOF");
    }

    @Test
    void the_program_has_variables_of_env_and_arg_and_proxies_that_make_no_other_image() {
        Operation.Run run = (Operation.Run) Plans.steps(
                        Settings.scratch(),
                        Map.of("HTTP_PROXY", "http://p", "UNKNOWN", "x"),
                        "FROM scratch",
                        "ARG A=1",
                        "ENV E=2",
                        "RUN x")
                .getLast()
                .operation();
        assertThat(run.environment()).containsOnly(entry("A", "1"), entry("E", "2"), entry("HTTP_PROXY", "http://p"));
        assertThat(run.keyEnvironment()).containsOnly(entry("A", "1"), entry("E", "2"));
    }

    @Test
    void user_and_directory_are_those_of_before() {
        Operation.Run run = Plans.run("FROM scratch", "USER a:b", "WORKDIR /w", "RUN x");
        assertThat(run.user()).isEqualTo("a:b");
        assertThat(run.workingDirectory()).isEqualTo("/w");
        assertThat(Plans.run("FROM scratch", "RUN x").workingDirectory()).isEqualTo("/");
    }

    @Test
    void a_cache_is_known_by_its_id_or_its_target() {
        assertThat(mount("type=cache,target=/var/cache/apt,sharing=locked,mode=0700,uid=$N,gid=8"))
                .isEqualTo(new Cache("/var/cache/apt", "/var/cache/apt", false, Cache.Sharing.LOCKED));
        assertThat(mount("type=cache,id=go,dst=cache,ro"))
                .isEqualTo(new Cache("go", "/w/cache", true, Cache.Sharing.SHARED));
    }

    @Test
    void a_bind_shows_the_context_a_stage_or_an_image() {
        assertThat(mount("target=/src")).isEqualTo(new RunMount.Bind(new Origin.Context(), "/", "/src"));
        assertThat(mount("type=bind,from=first,source=a,target=/b"))
                .isEqualTo(new RunMount.Bind(new Origin.Stage(0), "a", "/b"));
        assertThat(((RunMount.Bind) mount("type=bind,from=debian:13,target=/b")).origin())
                .isInstanceOf(Origin.Image.class);
    }

    @Test
    void a_secret_has_a_place_of_its_own() {
        assertThat(mount("type=secret,id=npm")).isEqualTo(new Secret("npm", "/run/secrets/npm", false, 0400, 0, 0));
        assertThat(mount("type=secret,target=/root/.npmrc,required"))
                .isEqualTo(new Secret(".npmrc", "/root/.npmrc", true, 0400, 0, 0));
    }

    @Test
    void a_tmpfs_has_a_size() {
        assertThat(mount("type=tmpfs,target=/t,size=1m")).isEqualTo(new RunMount.Tmpfs("/t", Optional.of("1m")));
    }

    @Test
    void the_network_can_be_taken_away() {
        assertThat(Plans.run("FROM scratch", "RUN --network=none x").network()).isEqualTo(RunNetwork.NONE);
        assertThat(Plans.run("FROM scratch", "RUN --security=sandbox x").network())
                .isEqualTo(RunNetwork.DEFAULT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "RUN --network=host x | BUILD_NETWORK",
                "RUN --security=insecure x | BUILD_SECURITY",
                "RUN --privileged x | BUILD_FLAG",
                "RUN --mount=type=ssh,source=x x | BUILD_MOUNT",
                "RUN --mount=type=ssh,target=/ x | BUILD_MOUNT",
                "RUN --mount=type=ssh,mode=9 x | BUILD_MOUNT",
                "RUN --mount=type=nfs,target=/x x | BUILD_MOUNT",
                "RUN --mount=type=cache x | BUILD_MOUNT",
                "RUN --mount=type=cache,target=/ x | BUILD_MOUNT",
                "RUN --mount=type=cache,target=/x,from=y x | BUILD_MOUNT",
                "RUN --mount=type=cache,target=/x,sharing=all x | BUILD_MOUNT",
                "RUN --mount=type=cache,target=/x,mode=9 x | BUILD_MOUNT",
                "RUN --mount=type=cache,target=/x,uid=70000 x | BUILD_MOUNT",
                "RUN --mount=type=secret x | BUILD_MOUNT",
                "RUN --mount=type=secret,id=t,env=TOKEN x | BUILD_MOUNT",
                "RUN --mount=type=bind,target=/x,rw x | BUILD_MOUNT",
                "RUN --mount=type=secret,id=a,id=b x | BUILD_MOUNT",
                "RUN --mount=type=bind,target=/x,from=$A x | BUILD_MOUNT",
                "RUN --mount=type=tmpfs,target=/x,mode=1 x | BUILD_MOUNT",
                "RUN [] | BUILD_COMMAND",
                "RUN <<EOF | CF-205"
            })
    void what_no_run_can_have_is_refused(String line, String code) {
        assertThat(code(line)).isEqualTo(code);
    }
}
