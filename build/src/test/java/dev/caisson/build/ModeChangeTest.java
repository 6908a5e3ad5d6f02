package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModeChangeTest {
    private static final List<String> MODES = List.of(
            "u+x,go-w",
            "u=rwX,go=rX",
            "a-x",
            "+x",
            "=r",
            "g=u",
            "o=g,u-w",
            "u=rws,g+s",
            "o+t",
            "u+t",
            "-s",
            "ug+rw-x",
            "o=",
            "a+X",
            "u=o+w",
            "uo=g-r",
            "0640");
    private static final List<String> BEFORE = List.of("0", "644", "750", "4711", "2607", "7777");

    @TempDir
    private Path directory;

    @Test
    void modes_mean_what_they_mean_to_chmod() throws IOException, InterruptedException {
        var ours = new ArrayList<String>();
        var script = new StringBuilder("umask 0; cd " + directory + "; >f; mkdir d\n");
        for (String mode : MODES) {
            for (String before : BEFORE) {
                ours.add(shown(mode, before, false));
                script.append("chmod ")
                        .append(before)
                        .append(" f; chmod -- ")
                        .append(mode)
                        .append(" f; ");
                if (before.length() < 4) { // chmod(1) keeps some bits of directories that have them
                    ours.add(shown(mode, before, true));
                    script.append("chmod 00")
                            .append("0".repeat(3 - before.length()))
                            .append(before)
                            .append(" d; chmod -- ")
                            .append(mode)
                            .append(" d; stat -c %a f d\n");
                } else {
                    script.append("stat -c %a f\n");
                }
            }
        }
        Process shell = new ProcessBuilder("sh", "-c", script.toString())
                .redirectErrorStream(true)
                .start();
        List<String> theirs = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(shell.waitFor()).isZero();
        assertThat(ours).hasSizeGreaterThan(100).isEqualTo(theirs);
    }

    private static String shown(String mode, String before, boolean directory) {
        return Integer.toOctalString(
                ModeChange.parse(mode).orElseThrow().apply(Integer.parseInt(before, 8), directory));
    }
}
