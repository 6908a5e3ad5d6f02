package dev.caisson.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Digest;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/// Layers of a pull are bars that are drawn in their place on a terminal, and one line each elsewhere.
class PullProgressTest {
    private static final Digest FIRST = new Digest("a".repeat(64));
    private static final Digest SECOND = new Digest("b".repeat(64));
    private static final String CLEARED = "\r\u001b[K";

    private final StringWriter out = new StringWriter();

    private String drawn() {
        String text = out.toString();
        out.getBuffer().setLength(0);
        return text;
    }

    @Test
    void a_terminal_has_a_bar_for_each_layer_that_is_drawn_in_its_place() {
        PullListener progress = new PullProgress(new PrintWriter(out), true);
        progress.layer(0, FIRST, 500, 1000, false);
        assertThat(drawn())
                .isEqualTo(CLEARED + "aaaaaaaaaaaa: Downloading [" + "=".repeat(15) + ">" + " ".repeat(15)
                        + "] 500B/1kB\n");

        progress.layer(1, SECOND, 10, 10, true);
        assertThat(drawn())
                .startsWith("\u001b[1A" + CLEARED + "aaaaaaaaaaaa: Downloading [")
                .endsWith(CLEARED + "bbbbbbbbbbbb: Already exists\n");

        progress.layer(0, FIRST, 1000, 1000, false);
        assertThat(drawn())
                .isEqualTo("\u001b[2A" + CLEARED + "aaaaaaaaaaaa: Pull complete\n" + CLEARED
                        + "bbbbbbbbbbbb: Already exists\n");
    }

    @Test
    void elsewhere_each_layer_has_one_line_once_it_is_there() {
        PullListener progress = new PullProgress(new PrintWriter(out), false);
        progress.layer(0, FIRST, 500, 1000, false);
        assertThat(drawn()).isEmpty();
        progress.layer(0, FIRST, 1000, 1000, false);
        progress.layer(0, FIRST, 1000, 1000, false);
        assertThat(drawn()).isEqualTo("aaaaaaaaaaaa: Pull complete\n");
    }
}
