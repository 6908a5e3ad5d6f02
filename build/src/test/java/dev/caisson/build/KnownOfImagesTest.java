package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.image.Emulation;
import dev.caisson.image.ImageTree;
import dev.caisson.image.Platform;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A build takes nothing that it remembers of one image for another one's, and builds images of other machines without
/// running any of their programs.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class KnownOfImagesTest {
    private static final Platform OTHER = Platform.parse("linux/mips64le");

    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new BuildBed(directory, "known");
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
    }

    @Test
    void the_things_that_were_asked_for_last_are_remembered() {
        var known = new KnownOfImages<String, Integer>(2);
        known.remember("a", 1);
        known.remember("b", 2);
        assertThat(known.find("a")).contains(1);
        known.remember("c", 3);
        assertThat(known.find("a")).contains(1);
        assertThat(known.find("b")).isEmpty();
    }

    @Test
    void a_directory_of_one_result_of_a_step_is_not_taken_for_another_s() throws Exception {
        String[] lines = {
            "FROM busybox:1",
            "RUN --mount=type=cache,target=/c if mkdir /c/first; then mkdir -p /srv/x; else echo >/second; fi",
            "WORKDIR /srv/x"
        };
        BuildResult first = bed.build(lines);
        assertThat(has(first, "srv/x")).isTrue();
        assertThat(bed.build(lines).id()).isEqualTo(first.id());
        assertThat(bed.heard.cached).hasSize(2);

        BuildResult second = bed.build(bed.request(lines).again(Set.of("0")));

        assertThat(bed.read(second, "second")).isPresent();
        assertThat(has(second, "srv/x")).isTrue();
    }

    /// Looks at the image's files alone: a container makes its working directory.
    private boolean has(BuildResult result, String path) {
        try (ImageTree tree = bed.images.tree(LayerStore.image(result.image()))) {
            return tree.hasDirectory(path);
        }
    }

    @Test
    void an_image_for_another_machine_that_only_copies_needs_no_interpreter() throws Exception {
        assumeThat(Emulation.obstacleHere(OTHER)).isPresent();
        bed.file("a", "copied");
        BuildResult result = bed.build(bed.request(
                        "FROM --platform=$BUILDPLATFORM busybox:1 AS made",
                        "RUN echo $TARGETARCH >/arch",
                        "FROM scratch",
                        "WORKDIR /srv",
                        "COPY a .",
                        "COPY --from=made /arch /srv/",
                        "CMD [\"/srv/a\"]")
                .platform(OTHER));
        assertThat(bed.read(result, "srv/a")).contains("copied");
        assertThat(bed.images.describe(result.image()).config().platform()).isEqualTo(OTHER);
    }

    @Test
    void the_first_run_for_another_machine_is_refused_before_anything_is_fetched() throws Exception {
        assumeThat(Emulation.obstacleHere(OTHER)).isPresent();
        BuildException refused =
                bed.failure(bed.request("FROM 127.0.0.1:1/nobody:1", "COPY a .", "RUN true", "RUN false")
                        .platform(OTHER));
        assertThat(refused.code()).isEqualTo("BUILD_PLATFORM");
        assertThat(refused.place().orElseThrow().text()).isEqualTo("RUN true");
        assertThat(bed.heard.begun).isEmpty();
    }
}
