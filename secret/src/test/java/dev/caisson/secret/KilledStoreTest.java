package dev.caisson.secret;

import static dev.caisson.secret.SecretStoreTest.rotate;
import static dev.caisson.secret.SecretStoreTest.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A process that is killed in front of any system call by which it changes the store: strace(1) kills it.
@Tag("peers")
@Timeout(600)
class KilledStoreTest {
    private static final Path STRACE = Path.of("/usr/bin/strace");
    private static final SecretName DB = new SecretName("db");
    private static final SecretName API = new SecretName("api");
    private static final int KILLED = 137;
    private static final int MOST = 200;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    /// The process that is killed: it rotates a secret, makes another one and removes it.
    static final class Change {
        private Change() {}

        public static void main(String[] arguments) {
            try (SecretStore store = SecretStore.open(Path.of(arguments[0]), Optional::empty)) {
                rotate(store, DB, "a value that is new");
                SecretStoreTest.create(store, API, "another value", Map.of());
                store.remove(API, "test");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"renameat2", "unlinkat", "mkdirat", "fsync", "pwrite64", "write", "ftruncate"})
    void a_store_is_as_before_or_as_after_whenever_its_writer_is_killed(String call) throws Exception {
        assumeTrue(Files.isExecutable(STRACE), "strace is not installed");
        Path made = make(scratch.resolve("made"));
        int rotated = 0;
        for (int nth = 1; ; nth++) {
            assertThat(nth).as(call).isLessThan(MOST);
            Path store = copy(made, scratch.resolve(call + nth));
            boolean killed = isKilledAt(call, nth, store);
            rotated += check(store, killed) ? 1 : 0;
            if (!killed) {
                break;
            }
        }
        assertThat(rotated).as("the one that was not killed").isPositive();
    }

    private Path make(Path directory) {
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            SecretStoreTest.create(store, DB, "a value that is old", Map.of());
        }
        return directory;
    }

    private static Path copy(Path from, Path to) throws Exception {
        Process copy = new ProcessBuilder("cp", "-a", from.toString(), to.toString()).start();
        assertThat(copy.waitFor()).isZero();
        return to;
    }

    /// @return false if it came to its end, because it makes the call less often
    private static boolean isKilledAt(String call, int nth, Path store) throws Exception {
        Process writer = new ProcessBuilder(
                        STRACE.toString(),
                        "-f",
                        "-qqq",
                        "-o",
                        "/dev/null",
                        "-e",
                        "trace=" + call,
                        "-e",
                        "inject=" + call + ":signal=KILL:when=" + nth,
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classPath(),
                        Change.class.getName(),
                        store.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(writer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = writer.waitFor();
        assertThat(status).as(said).isIn(0, KILLED);
        return status == KILLED;
    }

    private static String classPath() throws URISyntaxException {
        var paths = new ArrayList<String>();
        paths.add(Path.of(KilledStoreTest.class
                        .getResource("KilledStoreTest.class")
                        .toURI())
                .resolve("../../../..")
                .normalize()
                .toString());
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }

    /// @return true if the first change was made
    private static boolean check(Path directory, boolean killed) throws IOException {
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            String value = value(store, DB);
            assertThat(value).isIn("a value that is old", "a value that is new");
            assertThat(store.log()).isNotEmpty();
            boolean rotated = value.endsWith("new");
            if (store.list().size() == 2) {
                assertThat(rotated).as("in the order in which they were made").isTrue();
                assertThat(value(store, API)).isEqualTo("another value");
            }
            assertThat(killed || (rotated && store.list().size() == 1)).isTrue();
            rotate(store, DB, "a later value");
            assertThat(value(store, DB)).as("it can be changed again").isEqualTo("a later value");
            try (Stream<Path> files = Files.walk(directory)) {
                assertThat(files.map(Path::toString)).noneMatch(name -> name.contains(".tmp-"));
            }
            return rotated;
        }
    }
}
