package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.caisson.engine.KeptContainer;
import dev.caisson.image.ImageReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Builds with real containers.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class BuilderTest {
    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "build");
    }

    @AfterEach
    void close() throws IOException {
        assertThat(KeptContainer.all(bed.options))
                .as("containers that a build has left")
                .isEmpty();
        for (Path place : List.of(
                bed.options.state().resolve("build"), bed.options.data().resolve("build"), WorkplaceTest.SHARED)) {
            if (Files.exists(place)) {
                try (var left = Files.list(place)) {
                    assertThat(left).as("files that a build has left").isEmpty();
                }
            }
        }
        bed.close();
    }

    @Test
    void a_stage_of_every_kind_of_step_becomes_an_image() throws Exception {
        bed.file("app/hello", "hi");
        BuildResult result = bed.build(
                "FROM busybox:1",
                "ARG GREETING=hello",
                "ENV A=1",
                "WORKDIR /srv",
                "COPY app .",
                "RUN echo \"$GREETING $A $BASE\" >from-run && rm /etc/group",
                "USER app",
                "RUN id -u >/tmp/who",
                "EXPOSE 80",
                "CMD [\"cat\", \"hello\"]");

        assertThat(bed.read(result, "srv/hello")).contains("hi");
        assertThat(bed.read(result, "srv/from-run")).contains("hello 1 1\n");
        assertThat(bed.read(result, "tmp/who")).contains("1000\n");
        assertThat(bed.read(result, "etc/group")).isEmpty();
        ConfigDocument config = bed.config(result);
        assertThat(config.settings().environment())
                .containsExactly(entry("PATH", "/bin"), entry("BASE", "1"), entry("A", "1"));
        assertThat(config.settings().workingDirectory()).isEqualTo("/srv");
        assertThat(config.settings().user()).isEqualTo("app");
        assertThat(config.settings().command()).containsExactly("cat", "hello");
        assertThat(config.diffIds()).hasSize(5);
        assertThat(config.history().stream().filter(line -> !line.emptyLayer())).hasSize(5);
        assertThat(bed.heard.begun)
                .containsExactly(
                        "[0 1/4] WORKDIR /srv",
                        "[0 2/4] COPY app .",
                        "[0 3/4] RUN echo \"$GREETING $A $BASE\" >from-run && rm /etc/group",
                        "[0 4/4] RUN id -u >/tmp/who");
        assertThat(bed.images.has(ImageReference.parse("built:1"))).isTrue();
        assertThat(bed.run(result, "pwd; cat hello")).isEqualTo("/srv\nhi");
    }

    @Test
    void a_command_that_fails_ends_the_build_with_its_line_and_status() throws Exception {
        BuildException failure = bed.failure("FROM busybox:1", "RUN echo said && exit 7");
        assertThat(failure.code()).isEqualTo("BUILD_RUN_FAILED");
        assertThat(failure.sentence()).startsWith("Dockerfile:2:1: ").contains("status 7");
        assertThat(failure.exitStatus()).isEqualTo(1);
        assertThat(bed.heard.output.toString()).isEqualTo("said\n");
        assertThat(bed.images.has(ImageReference.parse("built:1"))).isFalse();
    }

    @Test
    void a_command_that_is_not_there_is_told_with_its_line() throws Exception {
        BuildException failure = bed.failure("FROM busybox:1", "RUN [\"/no/such\"]");
        assertThat(failure.place()).isPresent();
        assertThat(failure.sentence()).contains("/no/such");
        assertThat(bed.failure("FROM scratch", "RUN x").code()).isEqualTo("BUILD_RUN_SCRATCH");
        assertThat(bed.failure("FROM busybox:1", "USER nobody", "RUN true").sentence())
                .contains("nobody");
    }

    @Test
    void a_run_has_the_protections_of_every_container() throws Exception {
        bed.build(
                "FROM busybox:1",
                "RUN grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/self/uid_map; ls /sys/class/net");
        String output = bed.heard.output.toString();
        assertThat(output).containsPattern("NoNewPrivs:\\s+1").containsPattern("Seccomp:\\s+2");
        assertThat(output).doesNotContain("000001ffffffffff").endsWith("lo\n");
        assertThat(output).containsPattern("\\n\\s+0\\s+[1-9]\\d+\\s+65536\\n");
    }

    @Test
    void the_same_build_takes_every_step_from_the_first_and_gives_the_same_image() throws Exception {
        bed.file("a", "1");
        String[] lines = {"FROM busybox:1", "WORKDIR /w", "COPY a /a", "RUN cat /a >/b", "ENV X=1", "RUN echo 2 >/c"};
        BuildResult first = bed.build(lines);
        assertThat(bed.heard.cached).isEmpty();
        BuildResult second = bed.build(lines);
        assertThat(bed.heard.cached).hasSize(4);
        assertThat(second.id()).isEqualTo(first.id());

        bed.file("a", "2");
        BuildResult third = bed.build(lines);
        assertThat(bed.heard.cached).containsExactly("[0 1/4] WORKDIR /w");
        assertThat(bed.read(third, "b")).contains("2");

        bed.file("a", "1");
        bed.build("FROM busybox:1", "WORKDIR /w", "COPY a /a", "RUN cat /a >/b", "ENV X=2", "RUN echo 2 >/c");
        assertThat(bed.heard.cached).hasSize(3);
    }

    @Test
    void a_build_without_the_cache_carries_out_every_step() throws Exception {
        BuildRequest request = bed.request("FROM busybox:1", "RUN cat /proc/sys/kernel/random/uuid >/id");
        BuildResult first = bed.build(request);
        BuildRequest without = new BuildRequest(
                request.dockerfile(),
                request.context(),
                request.ignore(),
                request.names(),
                request.arguments(),
                request.target(),
                Map.of("l", "v"),
                request.secrets(),
                request.network(),
                false,
                false,
                request.latest(),
                request.logins());
        BuildResult second = bed.build(without);
        assertThat(bed.heard.cached).isEmpty();
        assertThat(bed.read(second, "id")).isNotEqualTo(bed.read(first, "id"));
        assertThat(bed.config(second).settings().labels()).containsExactly(entry("l", "v"));
    }

    private static BuildRequest withoutCache(BuildRequest request) {
        return new BuildRequest(
                request.dockerfile(),
                request.context(),
                request.ignore(),
                request.names(),
                request.arguments(),
                request.target(),
                request.labels(),
                request.secrets(),
                request.network(),
                false,
                false,
                request.latest(),
                request.logins());
    }

    /// Another build has carried the first of two steps out again, or both builds did at the same time.
    @Test
    void a_result_that_stands_on_another_result_of_the_step_before_is_not_taken() throws Exception {
        String[] lines = {
            "FROM busybox:1", "RUN cat /proc/sys/kernel/random/uuid >/id", "RUN cat /id >/copy", "RUN echo 3 >/c"
        };
        BuildResult first = bed.build(lines);
        BuildResult other = bed.build(withoutCache(bed.request(lines[0], lines[1])));

        BuildResult third = bed.build(lines);

        assertThat(bed.read(third, "id"))
                .isEqualTo(bed.read(other, "id"))
                .isEqualTo(bed.read(third, "copy"))
                .isNotEqualTo(bed.read(first, "id"));
        assertThat(bed.heard.cached).hasSize(1);
        assertThat(bed.build(lines).id()).isEqualTo(third.id());
        assertThat(bed.heard.cached).hasSize(3);
    }

    @Test
    void stages_copy_from_each_other_and_from_images() throws Exception {
        BuildResult result = bed.build(
                "FROM busybox:1 AS base",
                "RUN echo base >/base",
                "FROM busybox:1 AS unused",
                "RUN exit 1",
                "FROM base AS builder",
                "RUN mkdir /out && echo 1 >/out/one && chown 1000:1001 /out/one && ln -s one /out/link",
                "FROM scratch",
                "COPY --from=builder /out /out",
                "COPY --from=0 /base /base",
                "COPY --from=busybox:1 /etc/passwd /passwd");
        assertThat(bed.read(result, "out/one")).contains("1\n");
        assertThat(bed.read(result, "out/link")).contains("1\n");
        assertThat(bed.read(result, "base")).contains("base\n");
        assertThat(bed.read(result, "passwd").orElseThrow()).startsWith("root:");
        assertThat(bed.config(result).diffIds()).hasSize(3);
        assertThat(bed.heard.begun).noneMatch(line -> line.startsWith("[unused"));
    }

    @Test
    void an_image_of_nothing_but_settings_is_one() throws Exception {
        BuildResult result = bed.build("FROM scratch", "LABEL a=b");
        assertThat(bed.config(result).settings().labels()).containsExactly(entry("a", "b"));
        assertThat(bed.config(result).diffIds()).hasSize(1);
    }

    @Test
    void stages_that_are_named_are_carried_out_again_and_those_on_top_of_them() throws Exception {
        String[] lines = {
            "FROM busybox:1 AS one", "RUN cat /proc/sys/kernel/random/uuid >/id",
            "FROM one AS two", "RUN cp /id /copy",
            "FROM busybox:1 AS three", "RUN echo 3 >/three",
            "FROM two", "COPY --from=three /three /three"
        };
        BuildRequest request = bed.request(lines);
        BuildResult first = bed.build(request);
        BuildResult second = bed.build(request.again(Set.of("ONE")));
        assertThat(bed.heard.cached).containsExactly("[three 1/1] RUN echo 3 >/three");
        assertThat(bed.read(second, "id")).isNotEqualTo(bed.read(first, "id")).isEqualTo(bed.read(second, "copy"));

        assertThat(bed.build(request).id()).isEqualTo(second.id()); // what was done again is what is taken
        bed.build(request.again(Set.of("3")));
        assertThat(bed.heard.cached).hasSize(3);
        assertThatThrownBy(() -> bed.build(request.again(Set.of("four"))))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("there is no stage four");
    }

    @Test
    void an_image_that_is_handed_out_is_on_no_list() throws Exception {
        BuildRequest request = bed.request("FROM busybox:1", "ENV A=1");
        BuildResult result = bed.build(new BuildRequest(
                        request.dockerfile(),
                        Optional.empty(),
                        request.ignore(),
                        List.of(),
                        request.arguments(),
                        request.target(),
                        request.labels(),
                        request.secrets(),
                        request.network(),
                        true,
                        false,
                        request.latest(),
                        request.logins())
                .listed(false));
        assertThat(result.image().name()).startsWith("caisson.local/build-cache:image-");
    }

    @Test
    void an_image_that_is_not_named_has_a_name_of_its_own() throws Exception {
        BuildRequest request = bed.request("FROM busybox:1", "ENV A=1");
        BuildResult result = bed.build(new BuildRequest(
                request.dockerfile(),
                Optional.empty(),
                request.ignore(),
                List.of(),
                request.arguments(),
                request.target(),
                request.labels(),
                request.secrets(),
                request.network(),
                true,
                false,
                request.latest(),
                request.logins()));
        assertThat(result.image().name()).startsWith("localhost/build:");
        assertThat(bed.images.find(result.image().name()).manifest())
                .isEqualTo(result.image().manifest());
    }

    @Test
    void triggers_of_a_base_are_carried_out() throws Exception {
        bed.base("trigger:1", "\"Env\":[\"PATH=/bin\"],\"OnBuild\":[\"COPY a /a\",\"RUN cat /a >/b\"]");
        bed.file("a", "triggered");
        BuildResult result = bed.build("FROM trigger:1", "RUN cat /b >/c");
        assertThat(bed.read(result, "c")).contains("triggered");
        assertThat(bed.config(result).settings().triggers()).isEmpty();
    }

    @Test
    void here_documents_are_scripts_and_programs() throws Exception {
        BuildResult result = bed.build(
                "FROM busybox:1",
                "RUN <<EOF",
                "echo one >/one",
                "echo two >/two",
                "EOF",
                "RUN <<PROG",
                "#!/bin/sh",
                "echo \"program $0\" >/three",
                "PROG",
                "COPY <<CONF /etc/app.conf",
                "base=$BASE",
                "CONF");
        assertThat(bed.read(result, "two")).contains("two\n");
        assertThat(bed.read(result, "three").orElseThrow()).startsWith("program /run/caisson-build/");
        assertThat(bed.read(result, "etc/app.conf")).contains("base=1\n");
        assertThat(bed.read(result, "run/caisson-build")).isEmpty();
        assertThat(bed.run(result, "ls -d /run/caisson-build 2>&1 || true")).contains("No such file");
    }
}
