package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Debian's `age` and this room read each other's files.
class AgePeerTest {
    private static final int CHUNK = 64 * 1024;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    @ParameterizedTest
    @ValueSource(ints = {1, CHUNK, CHUNK + 1, 3 * CHUNK})
    void each_reads_what_the_other_wrote(int size) throws Exception {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        Path plain = Files.write(scratch.resolve("plain"), content);
        Path ours = scratch.resolve("ours.age");
        Path theirs = scratch.resolve("theirs.age");
        try (Identity identity = Identity.generate();
                Identity second = Identity.generate();
                SecretValue value = SecretValue.of(content)) {
            Files.write(ours, AgeFile.encrypt(value, List.of(second.recipient(), identity.recipient())));
            assertThat(age("-d", "-i", keyFile(identity).toString(), ours.toString()))
                    .isEqualTo(content);

            String to = identity.recipient().text();
            age("-r", second.recipient().text(), "-r", to, "-o", theirs.toString(), plain.toString());
            try (SecretValue read = AgeFile.decrypt(Files.readAllBytes(theirs), identity)) {
                assertThat(read.copy()).isEqualTo(content);
            }
        }
    }

    @Test
    void a_key_of_age_keygen_is_an_identity() throws Exception {
        Path key = scratch.resolve("key");
        run("age-keygen", "-o", key.toString());
        String recipient = new String(run("age-keygen", "-y", key.toString()), StandardCharsets.US_ASCII).strip();
        try (SecretValue file = SecretValue.of(Files.readAllBytes(key));
                Identity identity = Identity.parse(file).orElseThrow()) {
            assertThat(identity.recipient().text()).isEqualTo(recipient);
        }
    }

    @Test
    void a_recovery_key_gets_a_value_back_without_caisson() throws Exception {
        Path key = scratch.resolve("recovery.key");
        run("age-keygen", "-o", key.toString());
        var recipient =
                new Recipient(new String(run("age-keygen", "-y", key.toString()), StandardCharsets.US_ASCII).strip());
        Path directory = scratch.resolve("store");
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("host.key")), List.of(recipient), true),
                Optional::empty,
                "test");
        try (SecretStore store = SecretStore.open(directory, Optional::empty);
                SecretValue value = SecretValue.of(new byte[] {0, 1, 2, 10})) {
            store.create(new SecretName("db"), value, Map.of(), Optional.empty(), "test");
        }
        assertThat(age(
                        "-d",
                        "-i",
                        key.toString(),
                        directory.resolve("s/db/1.age").toString()))
                .containsExactly(0, 1, 2, 10);

        Path identity = scratch.resolve("identity");
        Files.write(
                identity,
                age(
                        "-d",
                        "-i",
                        scratch.resolve("host.key").toString(),
                        directory.resolve("identity.age").toString()));
        assertThat(age(
                        "-d",
                        "-i",
                        identity.toString(),
                        directory.resolve("s/db/1.age").toString()))
                .containsExactly(0, 1, 2, 10);
    }

    /// age reads a passphrase from a terminal alone, which script(1) gives it.
    @Test
    void age_asks_for_the_passphrase_of_our_files() throws Exception {
        Path ours = scratch.resolve("ours.age");
        try (SecretValue value = SecretValue.of("the value".getBytes(StandardCharsets.US_ASCII));
                SecretValue passphrase = SecretValue.of("correct horse".getBytes(StandardCharsets.US_ASCII))) {
            Files.write(ours, AgeFile.encryptBy(value, List.of(new PassphraseKey(passphrase))));
        }
        Path plain = scratch.resolve("plain");
        Process process = new ProcessBuilder("script", "-qec", "age -d -o " + plain + " " + ours, "/dev/null")
                .redirectErrorStream(true)
                .start();
        try (var input = process.getOutputStream()) {
            input.write("correct horse\n".getBytes(StandardCharsets.US_ASCII));
            input.flush();
            process.getInputStream().readAllBytes();
        }
        assertThat(process.waitFor()).isZero();
        assertThat(plain).hasContent("the value");
    }

    private Path keyFile(Identity identity) throws IOException {
        try (SecretValue line = identity.line()) {
            return Files.write(scratch.resolve("identity.key"), line.copy());
        }
    }

    private static byte[] age(String... arguments) throws Exception {
        var command = new java.util.ArrayList<>(List.of("age"));
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }

    private static byte[] run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        byte[] output = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
        return output;
    }
}
