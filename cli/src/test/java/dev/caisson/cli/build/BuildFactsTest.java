package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.text.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The files that a build tells of its image in, and options of Docker's that say what is so anyway.
@Timeout(120)
class BuildFactsTest {
    @TempDir
    private Path directory;

    @Test
    @Tag("root")
    void a_file_gets_the_digests_and_names_as_docker_writes_them() throws Exception {
        Files.writeString(directory.resolve("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
        Path facts = directory.resolve("facts.json");
        Path id = directory.resolve("id");
        try {
            Answer built = Answer.caisson(
                    "build",
                    "--load",
                    "--provenance=false",
                    "--sbom=false",
                    "-t",
                    "facts:1",
                    "-t",
                    "127.0.0.1:5000/facts:2",
                    "--metadata-file",
                    facts.toString(),
                    "--iidfile",
                    id.toString(),
                    directory.toString());
            assertThat(built.status()).as(built.err()).isZero();

            Map<String, ?> told = Json.parseObject(Files.readString(facts), Json.Limits.DEFAULT);
            assertThat(told.get("containerimage.config.digest")).isEqualTo(Files.readString(id));
            assertThat(told.get("image.name")).isEqualTo("docker.io/library/facts:1,127.0.0.1:5000/facts:2");
            String digest = String.valueOf(told.get("containerimage.digest"));
            assertThat(Answer.caisson("images", "--digests", "--format", "{{.Digest}}", "facts:1")
                            .out()
                            .strip())
                    .isEqualTo(digest);
            assertThat(String.valueOf(told.get("containerimage.descriptor")))
                    .contains(digest, "application/vnd.oci.image.manifest.v1+json");
        } finally {
            Answer.caisson("rmi", "facts:1", "127.0.0.1:5000/facts:2");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--build-context=a=b",
                "--builder=b",
                "--push",
                "--check",
                "--call=check",
                "--allow=network.host",
                "--resource=memory=1g"
            })
    void an_option_of_docker_that_is_not_here_is_refused_by_name(String option) {
        Answer refused = Answer.caisson("build", option, directory.toString());
        assertThat(refused.status()).isEqualTo(125);
        assertThat(refused.err()).startsWith("caisson: OPTION_REFUSED: " + option.replaceFirst("=.*", ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--attest=type=sbom", "--provenance=version=v0.2", "--cache-to=type=gha", "--sbom=true"})
    void a_value_that_is_not_known_is_refused_by_name(String option) {
        Answer refused = Answer.caisson("build", option, directory.toString());
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).startsWith("caisson: OPTION_REFUSED: " + option.replaceFirst("=.*", ""));
    }
}
