package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Answers to the mistakes of somebody who writes a first Dockerfile.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class MistakesTest {
    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "mistakes");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "COPPY a /a | there is no instruction COPPY: write one of ADD, ARG, CMD, COPY, ENTRYPOINT",
                "COPY nothing /a | nothing is not in the build context: name a file that is there and that .dockerignore",
                "COPY --from=tools nothing /a | nothing is not in stage 0: name a file that is there",
                "COPY --from=127.0.0.1:1/x /a /b | 127.0.0.1:1/x is no stage before this one, and there is no image to be had: the registry at 127.0.0.1:1 cannot be reached",
                "EXPOSE http | port http is not PORT[-PORT][/tcp|udp|sctp]: write it as 80/tcp",
                "COPY a | COPY needs a source and a destination: name both",
            })
    void an_instruction_that_cannot_be_carried_out_is_named_with_what_to_do(String line, String sentence)
            throws Exception {
        assertThat(bed.failure("FROM busybox:1 AS tools", "FROM busybox:1", line)
                        .problem())
                .contains(sentence);
    }

    @Test
    void a_file_without_a_base_is_refused_with_what_to_write() throws Exception {
        assertThat(bed.failure("").problem())
                .isEqualTo("Dockerfile has no FROM: begin it with FROM and the name of an image");
        assertThat(bed.failure("RUN true", "FROM busybox:1").problem())
                .isEqualTo("only ARG may stand before the first FROM, not RUN: write FROM above it");
    }

    @Test
    void files_of_a_build_without_a_context_are_refused_with_how_to_give_one() {
        BuildRequest request = bed.request("FROM busybox:1", "COPY a.txt /");
        assertThatThrownBy(() -> bed.build(new BuildRequest(
                        request.dockerfile(),
                        Optional.empty(),
                        Optional.empty(),
                        request.names(),
                        request.arguments(),
                        request.target(),
                        request.labels(),
                        request.secrets(),
                        request.network(),
                        request.cached(),
                        request.pulled(),
                        request.latest(),
                        request.logins())))
                .hasMessageContaining("a.txt is not in the build context, which is empty: give the directory");
    }
}
