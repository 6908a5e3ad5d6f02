package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The processes of gates as an engine starts, ends and replaces them.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GateProcessesTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("gate-processes"), OwnDirectories.data("gate-processes"));
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String ASK = "python3 -I -c 'import urllib.request, urllib.error\n"
            + "try: urllib.request.urlopen(\"https://" + GatedStore.HOST + "/\", timeout=20)\n"
            + "except urllib.error.HTTPError as e: print(e.code)\n"
            + "except OSError: pass'";
    private static final long FIRST_ID = 0x6fc0_0000L;

    @TempDir
    private Path scratch;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        try (SecretValue value = SecretValue.generate(40)) {
            GatedStore.make(STORE, scratch, value);
        }
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        BusyboxEngine.removeTree(STORE);
    }

    private static ContainerSpec spec() {
        return GatedStore.gated(ContainerSpec.of(Image.host(), "sleep", "1000"));
    }

    private static List<ProcessHandle> processes() {
        return ProcessHandle.current()
                .children()
                .filter(child -> id(child.pid()) >= FIRST_ID && id(child.pid()) < FIRST_ID + 0x40_0000)
                .toList();
    }

    private static long id(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid, "status")).stream()
                    .filter(line -> line.startsWith("Uid:"))
                    .map(line -> Long.parseLong(line.split("\t", -1)[1]))
                    .findFirst()
                    .orElse(0L);
        } catch (IOException e) {
            return 0; // it has ended
        }
    }

    static String ask(Engine engine, Container container) throws Exception {
        return engine.exec(container.id().value(), Exec.of("sh", "-c", ASK), Streams.capture())
                .stdout()
                .strip();
    }

    private static List<ProcessHandle> await(Predicate<List<ProcessHandle>> wanted) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!wanted.test(processes())) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(20);
        }
        return processes();
    }

    @Test
    void gates_work_again_after_their_process_was_killed_and_it_ends_with_the_container() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            try (Container container = engine.start(spec(), Streams.capture())) {
                assertThat(ask(engine, container)).isEqualTo("502");
                ProcessHandle first = processes().getFirst();
                assertThat(processes()).hasSize(1);
                first.destroyForcibly();
                await(all -> all.size() == 1 && !all.contains(first));
                long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
                while (!ask(engine, container).equals("502")) {
                    assertThat(System.nanoTime() - until).isNegative();
                }
                try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
                    assertThat(store.log().stream()
                                    .filter(entry -> entry.action().equals("deliver")))
                            .hasSize(2);
                }
            }
            await(List::isEmpty);
        }
    }

    @Test
    void each_container_has_a_process_of_its_own_and_none_if_the_engine_is_to_serve() throws Exception {
        try (Engine engine = Engine.open(OPTIONS);
                Container one = engine.start(spec(), Streams.capture());
                Container two = engine.start(spec(), Streams.capture())) {
            assertThat(processes()).hasSize(2);
            assertThat(ask(engine, one)).isEqualTo("502");
            assertThat(ask(engine, two)).isEqualTo("502");
        }
        await(List::isEmpty);
        try (Engine engine = Engine.open(OPTIONS.gateIsolation(GateIsolation.NONE));
                Container container = engine.start(spec(), Streams.capture())) {
            assertThat(processes()).isEmpty();
            assertThat(ask(engine, container)).isEqualTo("502");
        }
    }
}
