package dev.caisson.cli.caller;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class CallerProgramsTest {
    private static final Path HERE = Path.of("/");

    @Test
    void programs_have_no_variable_that_the_launcher_takes_away_from_a_jvm() throws IOException {
        String script = Files.readString(Path.of("../tools/environment.bash"));
        String list = script.substring(script.indexOf("for name in"), script.indexOf("; do"));
        var variables = new HashMap<String, String>(Map.of("PATH", "/bin", "HOME", "/root"));
        Pattern.compile("\\$\\{!(\\w+)@\\}|\\b([A-Z][A-Z_]+)\\b")
                .matcher(list)
                .results()
                .map(CallerProgramsTest::name)
                .forEach(name -> variables.put(name, "x"));
        assertThat(variables).containsKeys("LD_X", "_JX", "TZDIR", "CLASSPATH").hasSizeGreaterThan(18);

        assertThat(CallerPrograms.of(variables, HERE).variables()).containsOnlyKeys("PATH", "HOME");
    }

    private static String name(MatchResult found) {
        return found.group(1) == null ? found.group(2) : found.group(1) + "X";
    }

    @Test
    void a_variable_of_other_bytes_than_utf_8_is_left_out() {
        String other = dev.caisson.linux.ByteText.of(new byte[] {(byte) 0xe4});

        assertThat(CallerPrograms.of(Map.of("A", other, "B", "ä"), HERE).variables())
                .containsExactly(Map.entry("B", "ä"));
    }
}
