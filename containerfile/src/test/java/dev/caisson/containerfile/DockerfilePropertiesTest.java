package dev.caisson.containerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.caisson.containerfile.DockerfileNode.Instruction;
import java.time.Duration;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class DockerfilePropertiesTest {
    @Property(tries = 500)
    void the_nodes_of_a_file_are_the_file(@ForAll("dockerfiles") String text) {
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

    @Property(tries = 500)
    void positions_point_at_what_they_name(@ForAll("dockerfiles") String text) {
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

    @Property(tries = 1000)
    void any_text_gives_a_model_or_a_coded_error_in_time(@ForAll("anything") String text) {
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

    @Provide
    Arbitrary<String> dockerfiles() {
        Arbitrary<String> line = Arbitraries.of(
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
        return line.list()
                .ofMaxSize(12)
                .flatMap(lines -> Arbitraries.of("\n", "\r\n").map(end -> String.join(end, lines) + end));
    }

    @Provide
    Arbitrary<String> anything() {
        Arbitrary<String> fragments = Arbitraries.of(
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
                        "sh -c ")
                .list()
                .ofMaxSize(60)
                .map(parts -> String.join("", parts));
        return Arbitraries.oneOf(
                fragments,
                fragments.map(text -> "FROM a\n" + text),
                Arbitraries.strings().ofMaxLength(200));
    }
}
