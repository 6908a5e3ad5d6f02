package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `./check` runs every execution of tests that a pom declares, in the module that declares it.
@Timeout(60)
class CheckTest {
    private static final Path ROOT = Path.of(System.getProperty("caisson.root"));
    private static final Pattern PLUGIN =
            Pattern.compile("<artifactId>maven-surefire-plugin</artifactId>.*?</plugin>", Pattern.DOTALL);
    private static final Pattern EXECUTION = Pattern.compile("<execution>.*?<id>([^<]*)</id>", Pattern.DOTALL);

    private static List<String> plan() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(ROOT.resolve("tools/run-tests").toString(), "--list")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return printed.lines().map(String::strip).toList();
    }

    private static List<Path> modules() throws IOException {
        var modules = new ArrayList<Path>();
        for (Path parent : List.of(ROOT, ROOT.resolve("integrations"))) {
            try (Stream<Path> all = Files.list(parent)) {
                all.filter(module -> Files.isDirectory(module.resolve("src/test"))
                                && Files.exists(module.resolve("pom.xml")))
                        .map(ROOT::relativize)
                        .sorted()
                        .forEach(modules::add);
            }
        }
        return modules;
    }

    @Test
    void every_module_with_tests_is_run_once() throws Exception {
        List<String> run = plan().stream()
                .flatMap(line -> Stream.of(line.replaceFirst(":.*", "").split(" ", -1)))
                .sorted()
                .toList();

        assertThat(run)
                .containsExactlyElementsOf(
                        modules().stream().map(Path::toString).sorted().toList());
    }

    @Test
    void every_execution_of_tests_that_a_pom_has_is_run_in_its_module_alone() throws Exception {
        int executions = 0;
        for (Path module : modules()) {
            String pom = Files.readString(ROOT.resolve(module).resolve("pom.xml"));
            List<String> ids = PLUGIN.matcher(pom)
                    .results()
                    .flatMap(plugin -> EXECUTION.matcher(plugin.group()).results())
                    .map(execution -> execution.group(1))
                    .toList();
            if (!ids.isEmpty()) {
                assertThat(plan())
                        .filteredOn(line -> line.startsWith(module + ":"))
                        .singleElement()
                        .satisfies(line -> assertThat(line.split(" ", -1))
                                .contains("default-test")
                                .containsAll(ids));
            }
            executions += ids.size();
        }
        assertThat(executions).isGreaterThanOrEqualTo(2);
    }

    @Test
    void tests_with_a_network_of_their_own_are_run_where_a_module_has_some() throws Exception {
        List<String> own = new ArrayList<>();
        for (Path module : modules()) {
            if (Files.readString(ROOT.resolve(module).resolve("pom.xml")).contains("<caisson.test.netns>test<")) {
                own.add(module.toString());
            }
        }

        assertThat(own).isNotEmpty();
        assertThat(plan())
                .filteredOn(line -> line.contains(" netns"))
                .extracting(line -> line.replaceFirst(":.*", ""))
                .containsExactlyElementsOf(own);
    }
}
