package dev.caisson.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.engine.EngineOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every attack of the suite, on this machine.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DosSuiteTest {
    private static final EngineOptions OPTIONS = new EngineOptions(
            Path.of("/run/caisson-test-dos-" + ProcessHandle.current().pid()), Path.of("/var/lib/caisson-test"));

    private static DosSuite suite;

    @BeforeAll
    static void open() {
        assumeTrue(DosSuite.isPossible(), "attackers are written in Perl");
        suite = new DosSuite(OPTIONS);
    }

    @AfterAll
    static void close() throws IOException {
        suite.close();
        try (Stream<Path> files = Files.walk(OPTIONS.state())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    static List<Attack> attacks() {
        return Attacks.all().stream().filter(attack -> !attack.isOnNetwork()).toList();
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void the_host_holds(Attack attack) throws Exception {
        assumeTrue(suite.missing(attack).isEmpty(), "nothing bounds a writable layer on this disk");
        Outcome outcome = suite.run(attack);

        assertThat(outcome.failures()).as(outcome.seen()).isEmpty();
    }
}
