package dev.caisson.containerfile.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.Source;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShellScriptTest {
    private static List<ShellCommand> commands(String script) {
        return ShellScript.commands(LogicalText.of(Source.of("script", script), 0, script.length()));
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "=>", quoteCharacter = '^', textBlock = """
            a && b || c; d & e                               => a b c d e
            if [ -f x ]; then a; elif b; then c; else d; fi  => [ a b c d
            for x in a b c; do y $x; done                    => y
            case "$x" in a|b) c;; *) d;; esac                => c d
            (cd /x && make) > /log 2>&1                      => cd make
            FOO=1 BAR=2 make install                         => make
            sudo -u app env A=b curl -k x                    => curl
            echo "a; b && c" 'd | e'                         => echo
            x=$(wget -qO- y) && z                            => wget none z
            sh -c 'a && curl b' && c                         => sh c a curl
            a | b | c                                        => a b c
            f() { a; }; f                                    => a f
            a # comment ; b                                  => a
            echo a#b ; c                                     => echo c
            """)
    void finds_the_simple_commands(String script, String names) {
        assertThat(commands(script).stream().map(ShellCommand::name).map(name -> name.isEmpty() ? "none" : name))
                .containsExactly(names.split(" ", -1));
    }

    @Test
    void a_pipe_links_commands() {
        List<ShellCommand> commands = commands("curl -fsSL https://x/y | sudo bash -s -- z");

        assertThat(commands.get(1).pipedFrom()).contains(commands.get(0));
        assertThat(commands.get(0).hasOption("-L")).isTrue();
        assertThat(commands.get(0).hasOption("-k")).isFalse();
        assertThat(commands.get(1).wrappedIn("sudo")).isTrue();
    }

    @Test
    void a_here_document_of_the_shell_is_data() {
        assertThat(commands("cat <<EOF > /x\nrm -rf /\nEOF\nls\n"))
                .extracting(ShellCommand::name)
                .containsExactly("cat", "ls");
    }

    @Test
    void the_body_of_a_run_heredoc_is_a_script_only_for_a_shell() {
        Dockerfile file = Dockerfile.parse(Source.of(
                "Dockerfile",
                "FROM a\nRUN <<EOF\nb\nc\nEOF\nRUN python3 <<EOF\nimport d\nEOF\nRUN bash -e <<EOF\nf\nEOF\n"));

        assertThat(file.instructions().stream()
                        .skip(1)
                        .flatMap(run -> ShellScript.commands(run).stream())
                        .map(ShellCommand::name)
                        .filter(name -> !name.isEmpty()))
                .containsExactly("b", "c", "python3", "bash", "f");
    }

    @Test
    void reads_option_values_in_every_form() {
        for (String script : List.of("useradd -u 0 x", "useradd -u0 x", "useradd --uid 0 x", "useradd --uid=0 x")) {
            assertThat(commands(script).getFirst().optionValue("-u", "--uid"))
                    .as(script)
                    .contains("0");
        }
    }
}
