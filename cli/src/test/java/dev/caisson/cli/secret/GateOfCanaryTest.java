package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.EngineLease;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.engine.Engine;
import dev.caisson.engine.HostNetworks;
import dev.caisson.network.Networks;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The gate of `caisson secret canary`.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GateOfCanaryTest {
    @TempDir
    private Path directory;

    @BeforeEach
    void make() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private GivenCaller caller() {
        Map<String, String> variables = Map.of(
                "CAISSON_DATA", directory.resolve("data").toString(),
                "CAISSON_STATE", directory.resolve("state").toString());
        return new GivenCaller(variables, new byte[0]) {
            @Override
            public EngineLease engine() {
                Engine engine = Engine.open(directories());
                return new EngineLease(engine, engine::close);
            }
        };
    }

    private Answer secret(String... words) {
        var out = new StringWriter();
        var err = new StringWriter();
        String[] all = new String[words.length + 1];
        all[0] = "secret";
        System.arraycopy(words, 0, all, 1, words.length);
        int status = caller().run(() -> Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, all));
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void a_container_that_sends_a_value_by_a_gate_has_it_nowhere_and_one_that_is_given_it_is_caught() {
        String key = directory.resolve("key").toString();
        assertThat(secret("init", "--key-file", key, "--same-disk").status()).isZero();
        Answer answer = secret("canary");
        assertThat(answer.out())
                .as(answer.err())
                .doesNotContain("leak ", "MISSED", "skipped")
                .contains(
                        "caught   the memory of a container that has it", "caught   a file of a container that has it")
                .contains("was found in 0 places");
        assertThat(answer.status()).as(answer.err()).isZero();
        try (Networks networks = HostNetworks.open(caller().directories())) {
            assertThat(networks.list()).noneMatch(network -> network.name().startsWith("canary"));
        }
    }
}
