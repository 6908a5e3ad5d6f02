package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.build.Base;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.image.Platform;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StageGraphTest {
    private static final Platform ARM = new Platform("linux", "arm", "v7");

    private static List<String> needed(Optional<String> target, String... lines) {
        return Plans.graph(Map.of(), target, lines).needed().stream()
                .map(Stage::label)
                .toList();
    }

    private static String code(String... lines) {
        try {
            Plans.graph(Map.of(), Optional.empty(), lines);
            return "none";
        } catch (BuildException e) {
            return e.code();
        }
    }

    @Test
    void stages_that_the_target_does_not_need_are_skipped() {
        String[] lines = {
            "FROM scratch AS base",
            "FROM base AS test",
            "FROM base AS tools",
            "FROM scratch AS other",
            "COPY --from=tools /a /a",
            "FROM base",
            "COPY --from=other /a /a"
        };
        assertThat(needed(Optional.empty(), lines)).containsExactly("base", "tools", "other", "4");
        assertThat(needed(Optional.of("test"), lines)).containsExactly("base", "test");
        assertThat(needed(Optional.of("OTHER"), lines)).containsExactly("base", "tools", "other");
        assertThat(needed(Optional.of("0"), lines)).containsExactly("base");
    }

    @Test
    void a_mount_from_a_stage_needs_it() {
        assertThat(needed(
                        Optional.empty(),
                        "FROM scratch AS a",
                        "FROM scratch AS b",
                        "FROM scratch",
                        "RUN --mount=type=bind,from=b,target=/b true"))
                .containsExactly("b", "2");
    }

    @Test
    void an_unknown_target_is_refused_with_the_stages_there_are() {
        assertThatThrownBy(() -> needed(Optional.of("x"), "FROM scratch AS a", "FROM a"))
                .hasMessageContaining("its stages are a, 1")
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_TARGET"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "docker/dockerfile:1",
                "docker/dockerfile:1.7",
                "docker/dockerfile:1.7-labs",
                "docker.io/docker/dockerfile:1",
                "docker/dockerfile",
                "docker/dockerfile:latest"
            })
    void the_usual_front_end_is_accepted(String name) {
        assertThat(code("# syntax=" + name, "FROM scratch")).isEqualTo("none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"docker/dockerfile:2", "evil/dockerfile:1", "docker/dockerfile-upstream", "gcr.io/x:1"})
    void another_front_end_is_refused_by_name(String name) {
        assertThatThrownBy(() -> Plans.graph(Map.of(), Optional.empty(), "# syntax=" + name, "FROM scratch"))
                .hasMessageContaining(name)
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_SYNTAX"));
    }

    @Test
    void a_copy_from_its_own_or_a_later_stage_is_refused() {
        assertThat(code("FROM scratch AS a", "COPY --from=a /x /y")).isEqualTo("BUILD_CYCLE");
        assertThat(code("FROM scratch AS a", "COPY --from=b /x /y", "FROM a AS b"))
                .isEqualTo("BUILD_CYCLE");
        assertThat(code("FROM scratch AS a", "COPY --from=0 /x /y")).isEqualTo("BUILD_CYCLE");
        assertThat(code("FROM scratch AS a", "COPY --from=7 /x /y")).isEqualTo("BUILD_STAGE_UNKNOWN");
        assertThat(code("FROM scratch", "RUN --mount=from=0,target=/x true")).isEqualTo("BUILD_CYCLE");
    }

    @Test
    void a_foreign_platform_is_refused_only_where_it_is_needed() {
        assertThat(code("FROM --platform=windows/amd64 x")).isEqualTo("BUILD_PLATFORM");
        assertThat(code("FROM --platform=$BUILDPLATFORM x")).isEqualTo("none");
        assertThat(code("FROM --platform=linux/s390x x AS a", "RUN true", "FROM scratch"))
                .isEqualTo("none");
        assertThat(code("FROM --platform=$NOTHING x")).isEqualTo("BUILD_PLATFORM");
    }

    private static StageGraph forArm(String... lines) {
        return StageGraph.of(
                Dockerfile.parse(Source.of("Dockerfile", String.join("\n", lines) + "\n")),
                Map.of(),
                Optional.empty(),
                new StageGraph.Platforms(
                        ARM,
                        platform -> platform.architecture().equals("s390x")
                                ? Optional.of("no interpreter")
                                : Optional.empty()));
    }

    private static Platform platform(StageGraph graph, int stage) {
        return graph.platform(graph.stage(stage));
    }

    @Test
    void stages_are_for_the_image_s_platform_or_for_that_of_their_from_or_of_their_base() {
        StageGraph graph = forArm(
                "FROM --platform=$BUILDPLATFORM x AS tools",
                "FROM tools AS more",
                "FROM x AS files",
                "FROM --platform=$TARGETPLATFORM x AS named",
                "FROM files");
        assertThat(platform(graph, 0)).isEqualTo(Platform.running());
        assertThat(platform(graph, 1)).isEqualTo(Platform.running());
        assertThat(platform(graph, 2)).isEqualTo(ARM);
        assertThat(platform(graph, 3)).isEqualTo(ARM);
        assertThat(platform(graph, 4)).isEqualTo(ARM);
    }

    @Test
    void arguments_say_what_is_built_on_and_what_for() {
        Scope scope = forArm("FROM scratch").scope(Settings.scratch());
        for (String name : List.of("TARGETPLATFORM", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "BUILDARCH")) {
            scope.declare(name, null);
        }
        assertThat(scope.arguments())
                .containsEntry("TARGETPLATFORM", "linux/arm/v7")
                .containsEntry("TARGETARCH", "arm")
                .containsEntry("TARGETVARIANT", "v7")
                .containsEntry("BUILDPLATFORM", Platform.running().toString())
                .containsEntry("BUILDARCH", Platform.running().architecture());
    }

    @Test
    void a_stage_whose_platform_does_not_run_here_or_is_not_its_base_s_is_refused() {
        assertThatThrownBy(() -> forArm("FROM --platform=linux/s390x x", "COPY a b", "RUN true"))
                .hasMessageContaining("no interpreter")
                .isInstanceOfSatisfying(
                        BuildException.class,
                        e -> assertThat(e.place().orElseThrow().text()).isEqualTo("RUN true"));
        assertThatThrownBy(() -> forArm("FROM x AS a", "FROM --platform=$BUILDPLATFORM a"))
                .hasMessageContaining("stage a is for linux/arm/v7, not for " + Platform.running());
    }

    @Test
    void a_stage_that_runs_nothing_needs_no_interpreter() {
        assertThat(forArm("FROM --platform=linux/s390x x", "WORKDIR /a", "COPY b .", "ONBUILD RUN true")
                        .needed())
                .hasSize(1);
        StageGraph graph = forArm("FROM --platform=linux/s390x x", "COPY a b");
        Settings triggering = Settings.scratch().trigger("COPY c d").trigger("RUN true");
        assertThatThrownBy(() -> new StagePlanner(graph, graph.target(), triggering).plan())
                .hasMessageContaining("no interpreter")
                .isInstanceOfSatisfying(
                        BuildException.class,
                        e -> assertThat(e.place().orElseThrow().text()).startsWith("FROM"));
    }

    @Test
    void what_is_copied_from_an_image_is_of_the_stage_s_platform() {
        StageGraph graph = forArm("FROM scratch", "COPY --from=x a b");
        var copy = (Operation.Copy) new StagePlanner(graph, graph.target(), Settings.scratch())
                .plan()
                .getLast()
                .operation();
        assertThat(copy.origin())
                .isInstanceOfSatisfying(
                        Operation.Origin.Image.class,
                        image -> assertThat(image.platform()).isEqualTo(ARM));
    }

    @Test
    void files_of_another_machine_are_no_results_for_this_one() {
        assertThat(Snapshot.scratch(ARM).key())
                .isNotEqualTo(Snapshot.scratch(Platform.running()).key());
        assertThat(new String(Snapshot.scratch(ARM).document().toJson(), StandardCharsets.UTF_8))
                .contains("\"architecture\":\"arm\",\"variant\":\"v7\",\"os\":\"linux\"");
    }

    @Test
    void the_base_is_named_by_an_argument_of_before_the_first_from() {
        String[] lines = {"ARG VERSION=13", "ARG IMAGE=debian:${VERSION}-slim", "FROM $IMAGE"};
        assertThat(base(Map.of(), lines)).isEqualTo("docker.io/library/debian:13-slim");
        assertThat(base(Map.of("VERSION", "12"), lines)).isEqualTo("docker.io/library/debian:12-slim");
        assertThat(base(Map.of("IMAGE", "alpine"), lines)).isEqualTo("docker.io/library/alpine");
        assertThat(code("ARG IMAGE", "FROM $IMAGE")).isEqualTo("BUILD_BASE");
        assertThat(code("FROM scratch AS x", "ARG IMAGE=debian", "FROM $IMAGE")).isEqualTo("BUILD_BASE");
        assertThat(code("FROM Not/An/Image")).isEqualTo("BUILD_BASE");
    }

    private static String base(Map<String, String> given, String... lines) {
        Base base = Plans.graph(given, Optional.empty(), lines).target().base();
        return ((Base.Image) base).reference().toString();
    }

    @Test
    void the_only_options_of_from_are_known() {
        assertThat(code("FROM --pull scratch")).isEqualTo("BUILD_FLAG");
        assertThat(code("FROM --platform=linux/amd64 --platform=linux/amd64 scratch"))
                .isEqualTo("BUILD_FLAG");
    }

    @Test
    void arguments_that_nothing_declares_are_reported() {
        StageGraph graph = Plans.graph(
                Map.of("A", "1", "B", "2", "HTTP_PROXY", "x", "TARGETARCH", "amd64"),
                Optional.empty(),
                "ARG A",
                "FROM scratch");
        assertThat(graph.unused()).containsExactly("B");
    }
}
