package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.EngineLease;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueForm;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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

    private Map<String, String> variables() {
        return Map.of(
                "CAISSON_DATA", directory.resolve("data").toString(),
                "CAISSON_STATE", directory.resolve("state").toString(),
                "CAISSON_NETWORK", "none");
    }

    private Answer secret(String... words) {
        var out = new StringWriter();
        var err = new StringWriter();
        String[] all = new String[words.length + 1];
        all[0] = "secret";
        System.arraycopy(words, 0, all, 1, words.length);
        int status = new GivenCaller(variables(), new byte[0]) {
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
                .contains("caught   an argument of a process", "was found in 0 places")
                .contains("skipped  the gate: CAISSON_NETWORK is none");
        assertThat(answer.status()).as(answer.err()).isZero();
        assertThat(secret("ls", "-q").out()).isEmpty();
    }

    @Test
    void no_block_of_a_disk_and_nothing_alive_in_the_heap_has_it_and_leaks_on_purpose_are_found() throws Exception {
        Path disk = directory.resolve("disk");
        Path data = Files.createDirectory(directory.resolve("data"));
        run("truncate", "-s", "64M", disk.toString());
        run("mkfs.ext4", "-q", "-F", disk.toString());
        try (SecretValue value = SecretValue.generate(43);
                var search = new CanarySearch(value, Instant.now().minusSeconds(1))) {
            mounted(disk, data, () -> {
                String key = directory.resolve("key").toString();
                assertThat(secret("init", "--key-file", key).status()).isZero();
                EngineOptions options = new GivenCaller(variables(), new byte[0]).directories();
                try (Engine engine = Engine.open(options);
                        SecretStore store = SecretStore.open(Stores.directory(data), Optional::empty)) {
                    var name = new SecretName("canary");
                    var life = new CanaryLife(engine, options, name, value, search, List.of(data));
                    life.live(store, "test", false);
                    assertThat(life.leaks()).isEmpty();
                    awaitNoneInHeap(search);
                    byte[] control = value.copy();
                    assertThat(inHeap(search)).isNotEmpty();
                    Arrays.fill(control, (byte) 0);
                }
            });
            assertThat(forms(search, disk)).isEmpty();
            mounted(disk, data, () -> {
                Path file = Files.createFile(data.resolve("control"));
                value.writeTo(file);
                try (var written = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    written.force(true);
                }
                Files.delete(file);
            });
            assertThat(forms(search, disk)).isNotEmpty();
        }
    }

    private interface Use {
        void run() throws Exception;
    }

    private static void mounted(Path disk, Path at, Use use) throws Exception {
        run("mount", "-o", "loop", disk.toString(), at.toString());
        try {
            Files.setPosixFilePermissions(at, PosixFilePermissions.fromString("rwx------"));
            use.run();
        } finally {
            run("umount", at.toString());
        }
    }

    private static Set<ValueForm> forms(CanarySearch search, Path disk) throws IOException {
        try (var stream = search.stream();
                InputStream blocks = Files.newInputStream(disk)) {
            blocks.transferTo(stream);
            return stream.forms();
        }
    }

    /// Threads that end have what they passed on to their caller on their stacks for a moment.
    private void awaitNoneInHeap(CanarySearch search) throws Exception {
        Set<ValueForm> found = inHeap(search);
        for (int tries = 0; !found.isEmpty() && tries < 5; tries++) {
            Thread.sleep(1000);
            found = inHeap(search);
        }
        assertThat(found).isEmpty();
    }

    /// Returns the forms in which what lives in the heap of this JVM, which is the engine's, has the value.
    private Set<ValueForm> inHeap(CanarySearch search) throws Exception {
        Path dump = directory.resolve("heap.hprof");
        try {
            run(
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                    Long.toString(ProcessHandle.current().pid()),
                    "GC.heap_dump",
                    dump.toString());
            assertThat(dump).isNotEmptyFile();
            return forms(search, dump);
        } finally {
            Files.deleteIfExists(dump);
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
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
            try (var sparse = new RandomAccessFile(below.resolve("sparse").toFile(), "rw")) {
                sparse.seek(1L << 39);
                sparse.write(bytes);
                sparse.setLength(1L << 40); // which nobody reads to its end
            }
            assertThat(search.files(directory))
                    .containsExactlyInAnyOrder(
                            below.resolve("sparse") + " has it, as it is",
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
