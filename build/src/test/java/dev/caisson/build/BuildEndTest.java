package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.Engine;
import dev.caisson.engine.Images;
import dev.caisson.engine.KeptContainer;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Builds that are interrupted, killed, or have no room.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class BuildEndTest {
    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "ends");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    private static long left(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }

    private long leftOnDisk() throws IOException {
        return left(bed.options.data().resolve("build"));
    }

    /// Returns what is left of secrets' directories, wherever there is memory for them.
    private long leftInMemory() throws IOException {
        return left(bed.options.state().resolve("build")) + left(WorkplaceTest.SHARED);
    }

    @Test
    void an_interrupt_ends_the_command_and_leaves_nothing() throws Exception {
        var failure = new AtomicReference<Throwable>();
        Thread building = Thread.ofPlatform().start(() -> {
            try {
                bed.build("FROM busybox:1", "RUN echo started; sleep 600");
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        while (bed.heard.output.isEmpty()) {
            Thread.sleep(20);
        }
        building.interrupt();
        building.join(Duration.ofSeconds(60));
        assertThat(failure.get()).isInstanceOf(InterruptedException.class);
        assertThat(KeptContainer.all(bed.options)).isEmpty();
        assertThat(leftOnDisk()).isZero();
        assertThat(leftInMemory()).isZero();
    }

    /// Builds in a process of its own, which the test kills.
    public static void main(String[] arguments) throws Exception {
        var options = new dev.caisson.engine.EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (Engine engine = Engine.open(options);
                Images images = Images.open(options)) {
            var listener = new BuildListener() {
                @Override
                public void output(int number, boolean isError, String text) {
                    System.out.print(text);
                    System.out.flush();
                }
            };
            BuildRequest request = new BuildRequest(
                    dev.caisson.containerfile.Source.of(
                            "Dockerfile", "FROM busybox:1\nRUN --mount=type=secret,id=t echo started; sleep 600\n"),
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    java.util.Map.of(),
                    Optional.empty(),
                    java.util.Map.of(),
                    java.util.Map.of("t", new SecretSource.Content(new byte[] {1, 2, 3})),
                    dev.caisson.spec.Network.none(),
                    true,
                    false,
                    Optional.empty(),
                    dev.caisson.image.RegistryLogins.none());
            new Builder(engine, images, options).build(request, listener);
        }
    }

    /// Modules as plain jars too: the tests' own classes are not of a module.
    static String classPath() throws URISyntaxException {
        var paths = new ArrayList<String>();
        paths.add(Path.of(BuildEndTest.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .resolveSibling("test-classes")
                .toString());
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }

    @Test
    void a_killed_build_leaves_what_the_next_removes_and_a_container_that_ends_by_itself() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath(),
                        BuildEndTest.class.getName(),
                        bed.options.state().toString(),
                        bed.options.data().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(out.readLine()).isEqualTo("started");
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(leftInMemory()).isEqualTo(1);

        bed.build("FROM busybox:1", "RUN true");

        assertThat(leftInMemory()).as("the secret's directory").isZero();
        assertThat(leftOnDisk()).isZero();
        List<DetachedContainer> containers = DetachedContainer.all(bed.options);
        assertThat(containers).hasSize(1);
        assertThat(containers.getFirst().options().lease()).contains(Duration.ofSeconds(60));
        containers.getFirst().renew(Duration.ofMillis(500)); // as if the minute were nearly over
        Instant deadline = Instant.now().plusSeconds(20);
        while (containers.getFirst().state().isUp() && Instant.now().isBefore(deadline)) {
            Thread.sleep(100);
        }
        assertThat(containers.getFirst().state().isUp()).isFalse();
        bed.build("FROM busybox:1");
        assertThat(DetachedContainer.all(bed.options)).isEmpty();
    }
}
