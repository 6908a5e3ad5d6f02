package dev.caisson.containerfile.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Heredoc;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DockerfileParserTest {
    private static Dockerfile parse(String text) {
        return Dockerfile.parse(Source.of("Dockerfile", text));
    }

    private static Instruction only(String text) {
        List<Instruction> instructions = parse(text).instructions();
        assertThat(instructions).hasSize(1);
        return instructions.getFirst();
    }

    @Test
    void joins_lines_at_the_escape_character_and_drops_comments_between() {
        Instruction run = only("RUN apt-get update && \\\n  # why\n\n  apt-get install -y \\  \n  curl\n");

        assertThat(run.arguments().text()).isEqualTo("apt-get update &&   apt-get install -y   curl");
        assertThat(run.comments())
                .singleElement()
                .satisfies(comment -> assertThat(comment.line()).isEqualTo(2));
        assertThat(run.place().endLine()).isEqualTo(5);
        int curl = run.arguments().text().indexOf("curl");
        assertThat(run.arguments().place(curl, curl + 4)).hasToString("Dockerfile:5:3");
    }

    @Test
    void a_doubled_escape_character_does_not_continue_a_line() {
        assertThat(parse("RUN echo a\\\\\nUSER x\n").instructions()).hasSize(2);
    }

    @Test
    void the_escape_directive_frees_the_backslash() {
        Dockerfile file = parse("# escape=`\nFROM a\nCOPY x `\n  c:\\\n");

        assertThat(file.escape()).isEqualTo('`');
        assertThat(file.instructions().get(1).arguments().text()).isEqualTo("x   c:\\");
    }

    @Test
    void a_comment_ends_the_directives() {
        assertThat(parse("# hello\n# escape=`\nFROM a\n").escape()).isEqualTo('\\');
        assertThat(parse("# syntax=docker/dockerfile:1\n#escape = ` \nFROM a\n").escape())
                .isEqualTo('`');
    }

    @Test
    void reads_heredocs_to_their_terminators() {
        Instruction run = only("RUN <<EOF cat - <<-\"END\" > /x\nline ${A}\nEOF\n\ttabbed\n\tEND\n");

        assertThat(run.heredocs()).extracting(Heredoc::name).containsExactly("EOF", "END");
        assertThat(run.heredocs()).extracting(Heredoc::expands).containsExactly(true, false);
        assertThat(run.heredocs().get(0).body().text()).isEqualTo("line ${A}\n");
        assertThat(run.heredocs().get(1).body().text()).isEqualTo("tabbed\n");
        assertThat(run.extent().endLine()).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RUN cat <<<word\n", "RUN echo \"a <<EOF b\"\n", "RUN x=$((1<<2))\n", "CMD <<EOF\n"})
    void what_only_looks_like_a_heredoc_is_none(String text) {
        assertThat(only(text).heredocs()).isEmpty();
    }

    @Test
    void takes_flags_off_the_front() {
        Instruction copy = only("COPY --from=build --chown=1:1 --link --chmod=\"u=rw,g=r\" a b /c/\n");

        assertThat(copy.flag("from")).contains("build");
        assertThat(copy.flag("link")).contains("");
        assertThat(copy.flag("chmod")).contains("u=rw,g=r");
        assertThat(copy.arguments().text()).isEqualTo("a b /c/");
        assertThat(copy.flags().get(1).place()).hasToString("Dockerfile:1:19");
    }

    @Test
    void an_exec_form_is_a_json_array_of_strings_and_nothing_less() {
        assertThat(only("CMD [\"a\", \"b\\u0041\\n\"]\n").json().orElseThrow())
                .extracting(Word::value)
                .containsExactly("a", "bA\n");
        assertThat(only("CMD ['a', 'b']\n").json()).isEmpty();
        assertThat(only("CMD [\"a\" \"b\"]\n").json()).isEmpty();
        assertThat(only("CMD [\"a\"] && x\n").json()).isEmpty();
        assertThat(only("RUN [ -f /x ] && y\n").json()).isEmpty();
    }

    @Test
    void onbuild_holds_an_instruction() {
        Instruction onBuild = only("ONBUILD COPY --chown=a:b . /src\n");

        assertThat(onBuild.trigger().orElseThrow().keyword()).isEqualTo(Keyword.COPY);
        assertThat(onBuild.trigger().orElseThrow().flag("chown")).contains("a:b");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            FRM a                          | CF-202 | 1:1
            'FROM a\nRUN'                  | CF-204 | 2:1
            '# escape=x\nFROM a'           | CF-203 | 1:1
            'FROM a\nRUN <<E\nx\n'         | CF-205 | 2:5
            'FROM a\nONBUILD ONBUILD RUN x'| CF-204 | 2:9
            '# check=a\n# check=b\nFROM a' | CF-203 | 2:1
            """)
    void what_no_builder_takes_is_an_error_with_its_place(String text, String code, String at) {
        assertThatThrownBy(() -> parse(text.replace("\\n", "\n")))
                .isInstanceOfSatisfying(ContainerFileException.class, e -> {
                    assertThat(e.error().code()).isEqualTo(code);
                    assertThat(e.place().orElseThrow()).hasToString("Dockerfile:" + at);
                });
    }

    @Test
    void bytes_survive_that_are_no_utf8() {
        byte[] bytes = "FROM a\r\n# caf\u00e9\r\nLABEL a=\u00ff\n".getBytes(StandardCharsets.ISO_8859_1);

        assertThat(Source.of("Dockerfile", bytes).bytes()).isEqualTo(bytes);
        assertThat(Dockerfile.parse(Source.of("Dockerfile", bytes)).render().getBytes(StandardCharsets.ISO_8859_1))
                .isEqualTo(bytes);
    }

    @Test
    void a_byte_order_mark_is_passed_over() {
        Dockerfile file = parse("\uFEFF# escape=`\nFROM a\n");

        assertThat(file.escape()).isEqualTo('`');
        assertThat(file.instructions().getFirst().place().line()).isEqualTo(2);
    }
}
