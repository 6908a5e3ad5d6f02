package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.Source;
import dev.caisson.engine.Workspaces;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a `RUN` sees beside its image, in real containers.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class RunMountsTest {
    private static final String TOKEN = "token-8f3a61c2";

    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "mounts");
    }

    @AfterEach
    void close() throws IOException {
        Workspaces workspaces = Workspaces.of(bed.options);
        workspaces.list().forEach(workspace -> workspaces.remove(workspace.name()));
        bed.close();
    }

    private BuildRequest with(Map<String, SecretSource> secrets, String... lines) {
        BuildRequest request = bed.request(lines);
        return new BuildRequest(
                request.dockerfile(),
                request.context(),
                request.ignore(),
                request.names(),
                request.arguments(),
                request.target(),
                request.labels(),
                secrets,
                request.network(),
                request.cached(),
                request.pulled(),
                request.latest(),
                request.logins());
    }

    private static Map<String, SecretSource> secret(String content) {
        return Map.of("t", new SecretSource.Content(content.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void a_secret_is_read_by_its_user_and_is_nowhere_afterwards() throws Exception {
        BuildResult result = bed.build(with(
                secret(TOKEN),
                "FROM busybox:1",
                "RUN --mount=type=secret,id=t wc -c </run/secrets/t >/count && stat -c %a:%u /run/secrets/t",
                "USER app",
                "RUN --mount=type=secret,id=t,target=/tmp/s,uid=1000 grep -c token /tmp/s",
                "RUN --mount=type=secret,id=t cat /run/secrets/t 2>&1 || echo refused"));
        assertThat(bed.heard.output.toString())
                .startsWith("400:0\n1\n")
                .endsWith("refused\n")
                .doesNotContain(TOKEN);
        assertThat(bed.read(result, "count")).contains(TOKEN.length() + "\n");
        assertThat(bed.run(result, "ls -d /run/secrets /tmp/s 2>&1; true")).doesNotContain("\n/run/secrets\n");
        assertThat(bed.read(result, "run/secrets/t")).isEmpty();
        assertThat(new String(bed.images.config(result.image()), StandardCharsets.UTF_8))
                .doesNotContain(TOKEN);
        assertThat(holding(bed.options.data())).isEmpty();
        assertThat(holding(bed.options.state())).isEmpty();
    }

    @Test
    void the_output_of_a_build_has_no_value() throws Exception {
        BuildResult result = bed.build(
                with(
                        secret(TOKEN),
                        "FROM busybox:1",
                        "RUN --mount=type=secret,id=t cat /run/secrets/t; echo; base64 /run/secrets/t; cat /run/secrets/t >&2"));
        assertThat(result.image()).isNotNull();
        assertThat(bed.heard.output.toString())
                .matches("(?s).*\\[secret:t]\n\\[secret:t].*")
                .doesNotContain(TOKEN, TOKEN.substring(0, 8));
    }

    /// The files below a directory that hold the secret. Layers are compressed, so the trees are looked at too.
    private static Stream<Path> holding(Path top) throws IOException {
        try (Stream<Path> files = Files.walk(top)) {
            return files
                    .filter(Files::isRegularFile)
                    .filter(file -> {
                        try {
                            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(TOKEN);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList()
                    .stream();
        }
    }

    @Test
    void another_secret_makes_no_other_key() throws Exception {
        String[] lines = {"FROM busybox:1", "RUN --mount=type=secret,id=t true"};
        StoredImage first = bed.build(with(secret("one"), lines)).image();
        StoredImage second = bed.build(with(secret("two"), lines)).image();
        assertThat(bed.heard.cached).hasSize(1);
        assertThat(second.manifest()).isEqualTo(first.manifest());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "type=cache,id=one,target=/c | type=cache,id=two,target=/c",
                "type=cache,id=one,target=/c | type=cache,id=one,target=/d",
                "type=secret,id=one | type=secret,id=two,target=/run/secrets/one",
                "type=secret,id=one | type=secret,id=one,target=/other",
                "type=ssh,id=one | type=ssh,id=two",
                "type=tmpfs,target=/c | type=tmpfs,target=/d",
                "type=tmpfs,target=/c | type=cache,target=/c",
            })
    void another_name_place_or_kind_of_a_mount_makes_another_key(String first, String second) throws Exception {
        Map<String, SecretSource> secrets =
                Map.of("one", new SecretSource.Content(new byte[1]), "two", new SecretSource.Content(new byte[1]));
        bed.build(with(secrets, "FROM busybox:1", "RUN --mount=" + first + " true"));
        bed.build(with(secrets, "FROM busybox:1", "RUN --mount=" + second + " true"));
        assertThat(bed.heard.cached).isEmpty();
        bed.build(with(secrets, "FROM busybox:1", "RUN --mount=" + second + " true"));
        assertThat(bed.heard.cached).hasSize(1);
    }

    @Test
    void a_secret_that_is_required_must_be_given_and_another_may_be_missing() throws Exception {
        bed.build("FROM busybox:1", "RUN --mount=type=secret,id=t test ! -e /run/secrets/t");
        BuildException failure =
                bed.failure("FROM busybox:1", "RUN --mount=type=secret,id=t,required cat /run/secrets/t");
        assertThat(failure.code()).isEqualTo("BUILD_SECRET");
        assertThat(failure.sentence()).contains("--secret id=t,src=FILE");
        SecretSource missing = new SecretSource.File(directory.resolve("none"), "none");
        assertThat(bed.failure(with(Map.of("t", missing), "FROM busybox:1", "RUN --mount=type=secret,id=t true"))
                        .code())
                .isEqualTo("BUILD_SECRET");
        SecretSource device = new SecretSource.File(Path.of("/dev/zero"), "/dev/zero");
        assertThat(bed.failure(with(Map.of("t", device), "FROM busybox:1", "RUN --mount=type=secret,id=t true"))
                        .sentence())
                .contains("it is no file");
    }

    @Test
    void a_cache_is_found_again_and_is_in_no_image() throws Exception {
        String[] lines = {
            "FROM busybox:1",
            "ARG N=1",
            "RUN --mount=type=cache,target=/cache,sharing=locked echo $N >>/cache/all; cat /cache/all"
        };
        bed.build(lines);
        assertThat(bed.heard.output.toString()).isEqualTo("1\n");
        lines[1] = "ARG N=2";
        BuildResult second = bed.build(lines);
        assertThat(bed.heard.output.toString()).isEqualTo("1\n2\n");
        assertThat(bed.read(second, "cache/all")).isEmpty();
        bed.build("FROM busybox:1", "USER app", "RUN --mount=type=cache,target=/cache echo 3 >/cache/of-app");
        bed.build("FROM busybox:1", "RUN --mount=type=cache,target=/other,id=/cache cat /other/of-app");
        assertThat(bed.heard.output.toString()).isEqualTo("3\n");
        assertThat(bed.failure("FROM busybox:1", "RUN --mount=type=cache,target=/cache,ro touch /cache/x")
                        .code())
                .isEqualTo("BUILD_RUN_FAILED");
    }

    @Test
    void mounts_follow_links_of_the_image_and_leave_nothing_there() throws Exception {
        bed.file("f", "1");
        BuildResult result = bed.build(
                "FROM busybox:1",
                "RUN mkdir -p /run /var && ln -s /run /var/run && ln -s ../../not/there /var/none",
                "RUN --mount=type=cache,target=/var/run/c/d touch /run/c/d/x",
                "RUN --mount=type=tmpfs,target=/var/run/t grep ' /run/t tmpfs' /proc/mounts",
                "RUN --mount=type=tmpfs,target=/var/none/t touch /var/none/t/x && test -e /not/there/t/x",
                "RUN --mount=type=bind,source=f,target=/var/run/b/f cat /run/b/f",
                "RUN --mount=type=tmpfs,target=/var/run/kept/t echo 1 >/run/kept/own");
        assertThat(bed.run(result, "find /run /not; cat /run/kept/own"))
                .isEqualTo("/run\n/run/kept\n/run/kept/own\n1\n");
    }

    @Test
    void links_of_the_image_that_lead_round_are_told_with_the_line() throws Exception {
        BuildException failure = bed.failure(
                "FROM busybox:1", "RUN ln -s /b /a && ln -s /a /b", "RUN --mount=type=tmpfs,target=/a/t true");
        assertThat(failure.code()).isEqualTo("BUILD_LINKS");
        assertThat(failure.sentence()).contains("Dockerfile:3");
    }

    @Test
    void memory_is_there_for_one_command() throws Exception {
        BuildResult result = bed.build(
                "FROM busybox:1",
                "RUN --mount=type=tmpfs,target=/t,size=1m echo x >/t/x && grep ' /t tmpfs' /proc/mounts");
        assertThat(bed.heard.output.toString()).contains("size=1024k");
        assertThat(bed.read(result, "t/x")).isEmpty();
        assertThat(bed.failure(
                                "FROM busybox:1",
                                "RUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/x bs=1M count=2")
                        .code())
                .isEqualTo("BUILD_RUN_FAILED");
    }

    @Test
    void files_of_the_context_and_of_stages_are_shown_and_not_kept() throws Exception {
        bed.file("src/main", "1");
        bed.file("hidden", "2");
        BuildRequest request = bed.request(
                "FROM busybox:1 AS tools",
                "RUN mkdir /tools && echo tool >/tools/t",
                "FROM busybox:1",
                "RUN --mount=target=/ctx cat /ctx/src/main && test ! -e /ctx/hidden && ! touch /ctx/x 2>/dev/null",
                "RUN --mount=type=bind,from=tools,source=/tools/t,target=/tool cat /tool",
                "RUN --mount=type=bind,from=busybox:1,source=/etc,target=/e cat /e/group");
        BuildRequest ignoring = new BuildRequest(
                request.dockerfile(),
                request.context(),
                Optional.of(Source.of(".dockerignore", "hidden\n")),
                request.names(),
                request.arguments(),
                request.target(),
                request.labels(),
                request.secrets(),
                request.network(),
                request.cached(),
                request.pulled(),
                request.latest(),
                request.logins());
        BuildResult result = bed.build(ignoring);
        assertThat(bed.heard.output.toString())
                .startsWith("1")
                .contains("tool\n")
                .endsWith("app:x:1001:\n");
        assertThat(bed.run(result, "ls -d /ctx /tool /e 2>/dev/null; true")).isEmpty();
        bed.file("src/main", "3");
        bed.build(ignoring);
        assertThat(bed.heard.cached).hasSize(1);
    }
}
