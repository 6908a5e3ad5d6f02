package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.EngineLease;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.engine.Engine;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `caisson secret canary`, and the search that it relies on.
@Tag("root")
class SecretCanaryTest {
    @TempDir
    private Path directory;

    @BeforeEach
    void make() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Answer secret(String... words) {
        var out = new StringWriter();
        var err = new StringWriter();
        var variables = Map.of(
                "CAISSON_DATA", directory.resolve("data").toString(),
                "CAISSON_STATE", directory.resolve("state").toString());
        String[] all = new String[words.length + 1];
        all[0] = "secret";
        System.arraycopy(words, 0, all, 1, words.length);
        int status = new GivenCaller(variables, new byte[0]) {
            @Override
            public EngineLease engine() {
                Engine engine = Engine.open(directories());
                return new EngineLease(engine, engine::close);
            }
        }.run(() -> Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, all));
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void nothing_is_found_but_what_was_leaked_on_purpose() {
        String key = directory.resolve("key").toString();
        assertThat(secret("canary").err()).contains("SECRET_STORE_MISSING");
        assertThat(secret("init", "--key-file", key, "--same-disk").status()).isZero();
        Answer answer = secret("canary");
        assertThat(answer.out())
                .as(answer.err())
                .doesNotContain("leak ", "MISSED")
                .contains("caught   a variable of a process", "caught   a plain file")
                .contains("caught   an argument of a process", "was found in 0 places");
        assertThat(answer.status()).as(answer.err()).isZero();
        assertThat(secret("ls", "-q").out()).isEmpty();
    }

    @Test
    void the_search_finds_each_form_in_new_files_alone() throws IOException {
        Instant since = Instant.now().minusSeconds(10);
        try (SecretValue value = SecretValue.generate(43);
                var search = new CanarySearch(value, since)) {
            Path below = Files.createDirectories(directory.resolve("a/b"));
            byte[] bytes = value.copy();
            Files.write(below.resolve("plain"), bytes);
            Files.writeString(
                    below.resolve("hex"), "x".repeat(3 << 20) + HexFormat.of().formatHex(bytes));
            Path old = Files.write(below.resolve("old"), bytes);
            Files.setLastModifiedTime(old, FileTime.from(since.minusSeconds(1)));
            Files.createSymbolicLink(below.resolve("link"), old);
            assertThat(search.files(directory))
                    .containsExactlyInAnyOrder(
                            below.resolve("plain") + " has it, as it is",
                            below.resolve("hex") + " has it, in hexadecimal digits");
            assertThat(search.files(directory.resolve("none"))).isEmpty();
            try (var stream = search.stream()) {
                for (byte one :
                        ("Basic " + new String(bytes, StandardCharsets.US_ASCII)).getBytes(StandardCharsets.US_ASCII)) {
                    stream.write(one);
                }
                assertThat(stream.forms()).hasSize(1);
            }
        }
    }
}
