package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StagePlannerTest {
    private static String code(String... lines) {
        try {
            Plans.steps(lines);
            return "none";
        } catch (CaissonException e) {
            return e.code();
        }
    }

    @Test
    void variables_of_one_env_see_those_of_before_it() {
        Settings after = Plans.settings("FROM scratch", "ENV A=1 B=${A:-none}", "ENV C=$B$A", "ENV D old form $A");
        assertThat(after.environment())
                .containsExactly(entry("A", "1"), entry("B", "none"), entry("C", "none1"), entry("D", "old form 1"));
    }

    @Test
    void variables_of_the_base_are_seen() {
        Settings base = Settings.scratch().environment(Map.of("PATH", "/bin"));
        assertThat(Plans.steps(base, Map.of(), "FROM x", "ENV PATH=/app:$PATH")
                        .getLast()
                        .after()
                        .environment())
                .containsExactly(entry("PATH", "/app:/bin"));
    }

    @Test
    void an_argument_is_seen_from_its_line_on_and_hidden_by_env() {
        Settings after = Plans.settings(
                "ARG G=global",
                "FROM scratch",
                "ENV BEFORE=$G",
                "ARG G",
                "ENV AFTER=$G",
                "ARG A=arg",
                "ENV A=env",
                "ENV SEEN=$A");
        assertThat(after.environment())
                .containsExactly(
                        entry("BEFORE", ""), entry("AFTER", "global"), entry("A", "env"), entry("SEEN", "env"));
    }

    @Test
    void a_given_argument_wins_over_its_default() {
        assertThat(Plans.steps(Settings.scratch(), Map.of("A", "given"), "FROM scratch", "ARG A=x", "LABEL l=$A")
                        .getLast()
                        .after()
                        .labels())
                .containsExactly(entry("l", "given"));
    }

    @Test
    void a_variable_that_must_be_given_is_refused_without_a_value() {
        assertThat(code("FROM scratch", "ARG A", "ENV B=\"${A:?give A}\"")).isEqualTo("BUILD_ARGUMENT");
        assertThat(code("FROM scratch", "ARG A=1", "ENV B=\"${A:?give A}\"")).isEqualTo("none");
    }

    @Test
    void the_platform_is_known_where_it_is_declared() {
        Settings after = Plans.settings("FROM scratch", "ENV A=$TARGETARCH", "ARG TARGETARCH", "ENV B=$TARGETARCH");
        assertThat(after.environment())
                .containsExactly(entry("A", ""), entry("B", Platform.running().architecture()));
    }

    @ParameterizedTest
    @CsvSource({"/a, /a", "/a/../b, /b", "/../.., /", "a, /a", "/a|b, /a/b", "/a|../c, /c", "/a|/b|c, /b/c", "$X/y, /y"
    })
    void a_working_directory_is_joined_with_the_one_before(String written, String result) {
        var lines = new ArrayList<>(List.of("FROM scratch"));
        for (String path : written.split("\\|", -1)) {
            lines.add("WORKDIR " + path);
        }
        BuildStep last = Plans.steps(lines.toArray(String[]::new)).getLast();
        assertThat(last.after().workingDirectory()).isEqualTo(result);
        assertThat(last.operation()).isEqualTo(new Operation.Directory(result, ""));
    }

    @Test
    void ports_are_written_out() {
        assertThat(Plans.settings("FROM scratch", "EXPOSE 80 53/UDP 8000-8002/tcp")
                        .ports())
                .containsExactly("80/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp");
        assertThat(Plans.settings("FROM scratch", "ENV P='1 2'", "EXPOSE $P").ports())
                .containsExactly("1/tcp", "2/tcp");
    }

    @ParameterizedTest
    @CsvSource({
        "EXPOSE 0, BUILD_PORT",
        "EXPOSE 70000, BUILD_PORT",
        "EXPOSE 9-8, BUILD_PORT",
        "EXPOSE 80/ftp, BUILD_PORT",
        "EXPOSE x, BUILD_PORT",
        "STOPSIGNAL nothing at all, BUILD_SIGNAL",
        "STOPSIGNAL SIGFOO, BUILD_SIGNAL",
        "STOPSIGNAL 65, BUILD_SIGNAL",
        "STOPSIGNAL RTMAX+1, BUILD_SIGNAL",
        "SHELL /bin/bash, BUILD_SHELL",
        "SHELL [], BUILD_SHELL",
        "USER $NOBODY, BUILD_USER",
        "VOLUME $NOTHING, BUILD_PATH",
        "HEALTHCHECK true, BUILD_HEALTHCHECK",
        "HEALTHCHECK NONE x, BUILD_HEALTHCHECK",
        "HEALTHCHECK CMD, BUILD_HEALTHCHECK",
        "HEALTHCHECK --interval=5 CMD x, BUILD_HEALTHCHECK",
        "HEALTHCHECK --interval=1us CMD x, BUILD_HEALTHCHECK",
        "HEALTHCHECK --retries=-1 CMD x, BUILD_HEALTHCHECK",
        "HEALTHCHECK --x=1 CMD x, BUILD_FLAG",
        "ONBUILD FROM x, BUILD_ONBUILD",
        "ONBUILD MAINTAINER x, BUILD_ONBUILD",
        "ONBUILD ONBUILD RUN x, CF-204",
        "ENV A, CF-204",
        "ENV =x, BUILD_NAME",
        "LABEL a=1 b, CF-204",
        "ENV A=${B, CF-208",
        "NOTHING x, CF-202"
    })
    void a_line_that_means_nothing_is_refused(String line, String code) {
        assertThat(code("FROM scratch", line)).isEqualTo(code);
    }

    @Test
    void an_error_names_the_line() {
        try {
            Plans.steps("FROM scratch", "", "EXPOSE 80 x");
            throw new AssertionError("not refused");
        } catch (BuildException e) {
            assertThat(e.sentence()).startsWith("Dockerfile:3:11: port x is not");
            assertThat(e.exitStatus()).isEqualTo(1);
        }
    }

    @Test
    void entry_point_and_command_have_two_forms() {
        Settings after = Plans.settings("FROM scratch", "ENTRYPOINT [\"/a\", \"$B\"]", "CMD c \\", "  d");
        assertThat(after.entrypoint()).containsExactly("/a", "$B");
        assertThat(after.command()).containsExactly("/bin/sh", "-c", "c   d");
        assertThat(Plans.settings("FROM scratch", "SHELL [\"/bin/bash\", \"-ec\"]", "CMD x")
                        .command())
                .containsExactly("/bin/bash", "-ec", "x");
        assertThat(Plans.settings("FROM scratch", "CMD x", "CMD").command()).isEmpty();
    }

    @Test
    void an_entry_point_forgets_the_command_of_the_base_alone() {
        Settings base = Settings.scratch().inherited(List.of(), List.of("base"));
        assertThat(Plans.steps(base, Map.of(), "FROM x", "ENTRYPOINT e")
                        .getLast()
                        .after()
                        .command())
                .isEmpty();
        assertThat(Plans.steps(base, Map.of(), "FROM x", "CMD own", "ENTRYPOINT e")
                        .getLast()
                        .after()
                        .command())
                .endsWith("own");
        assertThat(Plans.steps(base, Map.of(), "FROM x", "USER u")
                        .getLast()
                        .after()
                        .command())
                .containsExactly("base");
    }

    @Test
    void a_health_check_is_read_with_its_times() {
        Settings.Health check = Plans.settings(
                        "FROM scratch",
                        "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2h --start-interval=1.5s --retries=4 CMD curl -f x || exit 1")
                .health()
                .orElseThrow();
        assertThat(check.test()).containsExactly("CMD-SHELL", "curl -f x || exit 1");
        assertThat(check.interval()).isEqualTo(90_000_000_000L);
        assertThat(check.timeout()).isEqualTo(500_000_000L);
        assertThat(check.startPeriod()).isEqualTo(7_200_000_000_000L);
        assertThat(check.startInterval()).isEqualTo(1_500_000_000L);
        assertThat(check.retries()).isEqualTo(4);
        assertThat(Plans.settings("FROM scratch", "HEALTHCHECK CMD [\"a\", \"b\"]")
                        .health()
                        .orElseThrow()
                        .test())
                .containsExactly("CMD", "a", "b");
        assertThat(Plans.settings("FROM scratch", "HEALTHCHECK none")
                        .health()
                        .orElseThrow()
                        .test())
                .containsExactly("NONE");
    }

    @Test
    void triggers_are_kept_and_carried_out_by_the_next_build() {
        Settings base = Plans.settings("FROM scratch", "ONBUILD ENV A=1", "onbuild run x \\", " y");
        assertThat(base.triggers()).containsExactly("ENV A=1", "run x  y");

        List<BuildStep> next = Plans.steps(base, Map.of(), "FROM base", "ENV B=$A");

        assertThat(next).hasSize(3);
        assertThat(((Operation.Run) next.get(1).operation()).command()).containsExactly("/bin/sh", "-c", "x  y");
        assertThat(next.getLast().after().environment()).containsExactly(entry("A", "1"), entry("B", "1"));
        assertThat(next.getLast().after().triggers()).isEmpty();
        assertThat(next.getFirst().place().line()).isEqualTo(1);
    }

    @Test
    void a_base_cannot_bring_a_trigger_that_no_file_may_have() {
        Settings base = Settings.scratch().trigger("FROM evil");
        assertThat(codeOn(base)).isEqualTo("BUILD_ONBUILD");
        assertThat(codeOn(Settings.scratch().trigger("ONBUILD RUN x"))).isEqualTo("BUILD_ONBUILD");
    }

    private static String codeOn(Settings base) {
        try {
            Plans.steps(base, Map.of(), "FROM base");
            return "none";
        } catch (CaissonException e) {
            return e.code();
        }
    }

    @Test
    void what_history_says_has_the_arguments_of_a_run() {
        List<BuildStep> steps = Plans.steps(
                "FROM scratch", "ARG V=1", "RUN make $V", "COPY a b /c/", "ENV A=b", "WORKDIR x", "CMD [\"y\"]");
        assertThat(steps.stream().map(BuildStep::createdBy))
                .containsExactly(
                        "ARG V=1",
                        "RUN |1 V=1 /bin/sh -c make $V # buildkit",
                        "COPY a b /c/ # buildkit",
                        "ENV A=b",
                        "WORKDIR /x",
                        "CMD [\"y\"]");
    }

    @Test
    void what_history_says_has_the_flags_of_a_copy() {
        List<BuildStep> steps = Plans.steps(
                "FROM scratch",
                "ARG U=7",
                "COPY --chown=$U:8 --chmod=0750 a /b",
                "ADD --chmod=u=rwX --link a /b",
                "COPY --parents --from=x a /b");
        assertThat(steps.stream().map(BuildStep::createdBy).skip(1))
                .containsExactly(
                        "COPY --chown=7:8 --chmod=0750 a /b # buildkit",
                        "ADD --chmod=u=rwX a /b # buildkit",
                        "COPY --parents a /b # buildkit");
    }

    @Test
    void ports_of_all_stages_are_counted_together() {
        var lines = new ArrayList<String>();
        for (int i = 0; i < 4; i++) {
            lines.add((i == 0 ? "FROM scratch" : "FROM s" + (i - 1)) + " AS s" + i);
            lines.add("EXPOSE 1-65535");
        }
        StageGraph graph = Plans.graph(java.util.Map.of(), java.util.Optional.empty(), lines.toArray(String[]::new));
        var counts = new ArrayList<Integer>();
        graph.needed().forEach(stage -> {
            graph.beginPorts(stage);
            graph.countPorts(stage, 65_535);
            graph.beginPorts(stage); // a stage that is planned again counts once
            counts.add(graph.countPorts(stage, 65_535));
        });
        assertThat(counts).containsExactly(65_535, 2 * 65_535, 3 * 65_535, 4 * 65_535);
    }

    @Test
    void many_ports_of_several_instructions_are_refused() {
        var lines =
                new ArrayList<>(List.of("FROM scratch", "EXPOSE 1-65535", "EXPOSE 1-65535/udp", "EXPOSE 1-65535/sctp"));
        assertThat(code(lines.toArray(String[]::new))).isEqualTo("none");
        lines.add("EXPOSE 1-9");
        assertThat(code(lines.toArray(String[]::new))).isEqualTo("BUILD_SIZE");
    }

    @Test
    void a_huge_value_of_variables_that_double_is_refused() {
        var lines = new ArrayList<>(List.of("FROM scratch", "ENV A=0123456789"));
        for (int i = 0; i < 30; i++) {
            lines.add("ENV A=$A$A");
        }
        assertThat(code(lines.toArray(String[]::new))).isEqualTo("CF-208");
    }

    private static String[] lines(int count, java.util.function.IntFunction<String> line) {
        var lines = new java.util.ArrayList<String>(List.of("FROM scratch"));
        for (int i = 0; i < count; i++) {
            lines.add(line.apply(i));
        }
        return lines.toArray(String[]::new);
    }

    private static long usedMemory() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void the_settings_after_many_instructions_take_no_more_memory_than_their_text() {
        String[] lines = lines(4_000, i -> "LABEL l" + i + "=x\nONBUILD RUN " + i);
        long before = usedMemory();

        List<BuildStep> steps = Plans.steps(lines);

        assertThat(usedMemory() - before).isLessThan(64L << 20);
        assertThat(steps.getLast().after().labels()).hasSize(4_000);
        assertThat(steps.getLast().after().triggers()).hasSize(4_000);
    }

    @Test
    void a_port_that_is_there_is_not_added_again() {
        Settings after = Plans.settings("FROM scratch", "EXPOSE 80-82", "EXPOSE 82 81/tcp 83");
        assertThat(after.ports()).containsExactly("80/tcp", "81/tcp", "82/tcp", "83/tcp");
    }

    @Test
    void a_stage_has_a_bounded_number_of_instructions_layers_and_variables() {
        assertThat(refusal(lines(10_001, i -> "ENV A=" + i))).isEqualTo("BUILD_SIZE");
        assertThat(Plans.settings(lines(10_000, i -> "ENV A=" + i)).environment())
                .containsExactly(entry("A", "9999"));
        assertThat(refusal(lines(1_001, i -> "ENV A" + i + "=1"))).isEqualTo("BUILD_SIZE");
        assertThat(Plans.settings(lines(1_000, i -> "ENV A" + i + "=1")).environment())
                .hasSize(1_000);
        assertThat(refusal(lines(501, i -> "RUN x"))).isEqualTo("BUILD_SIZE");
        assertThat(Plans.steps(lines(500, i -> "RUN x"))).hasSize(500);
    }

    private static String refusal(String... lines) {
        try {
            return Plans.steps(lines).isEmpty() ? "no step" : "none";
        } catch (BuildException e) {
            return e.code();
        }
    }
}
