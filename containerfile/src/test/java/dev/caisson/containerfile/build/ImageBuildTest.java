package dev.caisson.containerfile.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageBuildTest {
    private static ImageBuild build(String text, Map<String, String> arguments, BaseImages images) {
        return ImageBuild.of(Dockerfile.parse(Source.of("Dockerfile", text)), arguments, images);
    }

    private static EffectiveImage last(String text) {
        ImageBuild build = build(text, Map.of(), BaseImages.NONE);
        return build.effective(build.finalStage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            FROM a                                              | root
            FROM a;USER 0                                       | root
            FROM a;USER 0:0                                     | root
            FROM a;USER 00                                      | root
            FROM a;USER root:root                               | root
            FROM a;USER 1000                                    | 1000
            FROM a;USER app:app                                 | app
            FROM a;USER app;USER root                           | root
            FROM a AS b;USER app;FROM b                         | app
            FROM a AS b;USER app;FROM c                         | root
            FROM a AS b;USER app;FROM b;USER 0                  | root
            ARG U=app;FROM a;ARG U;USER $U                      | app
            ARG U=app;FROM a;USER $U                            | root
            FROM a;ARG U=0;USER ${U}                            | root
            FROM a;ARG U;USER ${U:-1000}                        | 1000
            FROM a;ARG U;USER $U                                | root
            FROM a;ENV U=app;ARG U=0;USER $U                    | app
            FROM a AS b;ARG U=app;FROM b;USER $U                | app
            FROM a;RUN useradd -o -u 0 toor;USER toor           | root
            FROM a;RUN useradd --uid=10001 app;USER app         | app
            FROM scratch                                        | root
            FROM gcr.io/distroless/static:nonroot               | ''
            ARG B;FROM $B                                       | root
            """)
    void tells_the_final_stage_s_user(String text, String user) {
        RunAs runAs = last(text.replace(";", "\n")).runAs();

        String told = runAs instanceof RunAs.Other other ? other.user() : "root";
        assertThat(told).as(runAs.reason()).isEqualTo(user);
    }

    @Test
    void a_build_argument_wins_over_a_default() {
        ImageBuild build = build("FROM a\nARG U=app\nUSER $U\n", Map.of("U", "0"), BaseImages.NONE);

        assertThat(build.effective(build.finalStage()).runAs()).isInstanceOf(RunAs.Root.class);
    }

    @Test
    void takes_user_and_accounts_from_a_base_that_is_present() {
        ImageConfig config = new ImageConfig(
                Optional.empty(),
                "svc",
                Map.of("PATH", "/bin"),
                List.of(),
                List.of(),
                Optional.empty(),
                Map.of("svc", 0L));
        ImageBuild build = build("FROM base:1\n", Map.of(), reference -> Optional.of(config));

        RunAs runAs = build.effective(build.finalStage()).runAs();

        assertThat(runAs).isInstanceOf(RunAs.Root.class);
        assertThat(runAs.reason()).isEqualTo("USER svc has user id 0");
    }

    @Test
    void follows_stages_that_the_target_needs_and_no_others() {
        ImageBuild build = build("""
                FROM golang:1 AS build
                FROM node:1 AS unused
                FROM alpine:3 AS certs
                FROM scratch
                COPY --from=build /x /x
                RUN --mount=type=bind,from=certs,target=/c true
                COPY --from=nginx:1.27 /y /y
                """, Map.of(), BaseImages.NONE);

        assertThat(build.reachable(build.finalStage())).extracting(Stage::label).containsExactly("build", "certs", "3");
        assertThat(build.sources(build.finalStage()))
                .extracting(Word::value)
                .containsExactly("build", "certs", "nginx:1.27");
    }

    @Test
    void entrypoint_forgets_the_command_before_it() {
        EffectiveImage image = last("FROM a\nCMD [\"x\"]\nENTRYPOINT [\"y\"]\n");

        assertThat(image.command()).isEmpty();
        assertThat(image.entrypoint().orElseThrow().value())
                .extracting(Word::value)
                .containsExactly("y");
    }

    @Test
    void the_last_healthcheck_counts() {
        assertThat(last("FROM a\nHEALTHCHECK CMD curl x\nHEALTHCHECK NONE\n")
                        .health()
                        .orElseThrow()
                        .value())
                .isEqualTo(new HealthCheck.None());
        assertThat(last("FROM a AS b\nHEALTHCHECK CMD curl x\nFROM c\n").health())
                .isEmpty();
    }

    @Test
    void an_instruction_before_the_first_stage_is_an_error() {
        assertThatThrownBy(() -> last("RUN x\nFROM a\n")).hasMessageContaining("CF-206");
        assertThatThrownBy(() -> last("# nothing\n")).hasMessageContaining("CF-201");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ${A}            | one
            ${B:-two}       | two
            ${E:-two}       | two
            ${E-two}        | ''
            ${A:+yes}       | yes
            ${B:+yes}       | ''
            ${P#*/}         | b/c.tar.gz
            ${P##*/}        | c.tar.gz
            ${P%.*}         | a/b/c.tar
            ${P%%.*}        | a/b/c
            ${P/b/x}        | a/x/c.tar.gz
            ${P//a/x}       | x/b/c.txr.gz
            '$A'            | $A
            "$A"            | one
            \\$A            | $A
            ${B:-${A}x}     | onex
            $A$A            | oneone
            """, quoteCharacter = '^')
    void substitutes_as_the_builder_does(String text, String expected) {
        Map<String, String> variables = Map.of("A", "one", "E", "", "P", "a/b/c.tar.gz");

        assertThat(Substitution.expand(text.replace("\\\\", "\\"), '\\', variables::get)
                        .value())
                .isEqualTo(expected.equals("''") ? "" : expected);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            alpine,                        docker.io, library/alpine,
            alpine:3.20,                   docker.io, library/alpine, 3.20
            registry:5000/img,             registry:5000, img,
            registry:5000/a/b:1,           registry:5000, a/b, 1
            localhost/x,                   localhost, x,
            ghcr.io/a/b:v1,                ghcr.io, a/b, v1
            user/app,                      docker.io, user/app,
            """)
    void takes_image_names_apart(String text, String registry, String repository, String tag) {
        ImageReference reference = ImageReference.parse(text).orElseThrow();

        assertThat(reference.registry()).isEqualTo(registry);
        assertThat(reference.repository()).isEqualTo(repository);
        assertThat(reference.tag()).isEqualTo(Optional.ofNullable(tag));
    }

    @Test
    void a_variable_that_must_have_a_value_is_named_with_its_reason() {
        assertThat(Substitution.expand("${A:?give A}${B?}${C:?x}", '\\', Map.of("C", "1")::get)
                        .required())
                .containsExactly("A: give A", "B");
    }

    @Test
    void quotes_in_the_text_of_a_here_document_are_text() {
        assertThat(Substitution.expandText("'$A' \"${B:-\"x\"}\" \\$A", Map.of("A", "1")::get)
                        .value())
                .isEqualTo("'1' \"\"x\"\" $A");
    }
}
