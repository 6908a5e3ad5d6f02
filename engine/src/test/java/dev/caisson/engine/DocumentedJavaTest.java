package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The Java of the documents is whole: it compiles as it stands, and the README's program prints what it should.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DocumentedJavaTest {
    private static final Path ROOT = Path.of(System.getProperty("caisson.root"));
    private static final Pattern BLOCK = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern TYPE = Pattern.compile("(?m)^(?:public )?(?:final )?(?:class|record) (\\w+)");

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "docs/embedding.md"})
    void every_block_compiles(String document) throws Exception {
        List<String> blocks = blocks(document);
        assertThat(blocks).isNotEmpty();
        for (String block : blocks) {
            assertThat(compile(block)).as(block).isEmpty();
        }
    }

    @Test
    @Tag("root")
    void the_program_of_the_readme_prints_its_sum() throws Exception {
        String block = blocks("README.md").getFirst();
        assertThat(compile(block)).isEmpty();
        assertThat(run("java", "--enable-native-access=ALL-UNNAMED", "-cp", directory + ":" + classPath(), type(block)))
                .isEqualTo("45\n");
    }

    private static List<String> blocks(String document) throws IOException {
        return BLOCK.matcher(Files.readString(ROOT.resolve(document)))
                .results()
                .map((MatchResult block) -> block.group(1))
                .toList();
    }

    private static String type(String block) {
        Matcher type = TYPE.matcher(block);
        assertThat(type.find()).as(block).isTrue();
        return type.group(1);
    }

    private String compile(String block) throws Exception {
        Path source = Files.writeString(directory.resolve(type(block) + ".java"), block);
        return run(
                "javac",
                "-Xlint:all,-processing",
                "-proc:none",
                "-d",
                directory.toString(),
                "-cp",
                classPath(),
                source.toString());
    }

    private static String classPath() {
        return EngineProcess.classPath();
    }

    private static String run(String tool, String... arguments) throws Exception {
        var command = new java.util.ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", tool).toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
