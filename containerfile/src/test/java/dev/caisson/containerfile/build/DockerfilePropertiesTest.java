package dev.caisson.containerfile.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Seeds;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.DockerfileNode;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.ShellScript;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DockerfilePropertiesTest {
    private static final List<String> LINES = List.of(
            "FROM a:1 AS b",
            "FROM --platform=$BUILDPLATFORM b",
            "run apt-get update && \\",
            "  # comment",
            "",
            "   ",
            "  curl -fsSL https://x | sh",
            "ENV A=b C=\"d e\" \\",
            "ENV A b c",
            "COPY --from=b --chown=1:1 [\"x\", \"/y\"]",
            "RUN <<EOF",
            "EOF",
            "USER ${A:-0}",
            "\\",
            "HEALTHCHECK --interval=5s CMD curl -f x",
            "ONBUILD RUN x",
            "# escape=`",
            "CMD [\"a\",",
            "RUN sh -c 'echo \"$(id)\"; case $x in a) b;; esac'",
            "LABEL \u00e9=\uD83D\uDE00");

    private static final List<String> FRAGMENTS = List.of(
            "FROM ",
            "x",
            "\n",
            "RUN ",
            "$(",
            "`",
            "${",
            "}",
            ":-",
            "'",
            "\"",
            "\\",
            "<<",
            "E",
            "-",
            "[",
            "]",
            "{",
            "case ",
            "in ",
            ")",
            "(",
            ";;",
            "|",
            "&",
            "USER ",
            "ENV ",
            "=",
            "/",
            "#",
            "%",
            "*",
            "ARG ",
            "\uFEFF",
            "\r",
            "\t",
            " ",
            "HEALTHCHECK ",
            "CMD ",
            "ONBUILD ",
            "AS ",
            "\uD83D",
            "0",
            ">",
            "sh -c ");

    @Test
    void the_nodes_of_a_file_are_the_file() {
        Seeds.check(500, random -> assertNodesAreTheFile(dockerfile(random)));
    }

    private static void assertNodesAreTheFile(String text) {
        Source source = Source.of("Dockerfile", text);
        try {
            Dockerfile file = Dockerfile.parse(source);
            assertThat(file.render()).isEqualTo(text);
            int end = 0;
            for (DockerfileNode node : file.nodes()) {
                assertThat(node.extent().start()).isEqualTo(end);
                end = node.extent().end();
            }
        } catch (ContainerFileException e) {
            assertThat(e.place()).isPresent();
        }
    }

    @Test
    void positions_point_at_what_they_name() {
        Seeds.check(500, random -> assertPositions(dockerfile(random)));
    }

    private static void assertPositions(String text) {
        Dockerfile file;
        try {
            file = Dockerfile.parse(Source.of("Dockerfile", text));
        } catch (ContainerFileException e) {
            return;
        }
        for (Instruction instruction : file.instructions()) {
            assertThat(instruction.place().text())
                    .startsWithIgnoringCase(instruction.keyword().name());
            assertThat(instruction.extent().contains(instruction.place())).isTrue();
            for (var flag : instruction.flags()) {
                assertThat(flag.place().text()).startsWith("--");
            }
            LogicalText arguments = instruction.arguments();
            for (int at = 0; at < arguments.length(); at++) {
                assertThat(text.charAt(arguments.offset(at))).isEqualTo(arguments.charAt(at));
            }
            for (Word word : WordSplitter.split(arguments, file.escape())) {
                assertThat(word.place().text()).startsWith(word.raw().substring(0, 1));
            }
            for (ShellCommand command : ShellScript.commands(instruction)) {
                assertThat(instruction.extent().contains(command.place())).isTrue();
            }
        }
    }

    @Test
    void any_text_gives_a_model_or_a_coded_error_in_time() {
        Seeds.check(1000, random -> assertModelOrError(anything(random)));
    }

    private static void assertModelOrError(String text) {
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            try {
                Dockerfile file = Dockerfile.parse(Source.of("Dockerfile", text));
                ImageBuild build = ImageBuild.of(file, Map.of(), BaseImages.NONE);
                for (Stage stage : build.stages()) {
                    EffectiveImage image = build.effective(stage);
                    assertThat(image.runAs().reason()).isNotBlank();
                    image.steps().forEach(Step::commands);
                }
            } catch (ContainerFileException e) {
                assertThat(e.problem()).isNotBlank();
                assertThat(e.place()).isPresent();
            }
        });
    }

    /// A file of likely lines.
    private static String dockerfile(SplittableRandom random) {
        String end = Seeds.one(random, List.of("\n", "\r\n"));
        return String.join(end, Seeds.list(random, 0, 12, from -> Seeds.one(from, LINES))) + end;
    }

    private static String anything(SplittableRandom random) {
        String fragments = String.join("", Seeds.list(random, 0, 60, from -> Seeds.one(from, FRAGMENTS)));
        return switch (random.nextInt(3)) {
            case 0 -> fragments;
            case 1 -> "FROM a\n" + fragments;
            default -> Seeds.text(random, 200);
        };
    }
}
