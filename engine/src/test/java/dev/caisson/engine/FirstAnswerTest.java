package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A client that asks a published port all the while is refused until the server is there, and is answered then. What
/// gets lost on the way, the kernel sends again a second later.
@Tag("root")
@Tag("netns")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FirstAnswerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("first-answer"), OwnDirectories.data("first-answer"));

    private static final int PORT = 8080;
    private static final int STARTS = 6;
    private static final int LESS_THAN_A_SECOND = 900;
    private static final ContainerSpec SERVER = ContainerSpec.onHost("python3", "-I", "-c", """
            import socket
            t = socket.socket(); t.bind(("0.0.0.0", 80)); t.listen()
            while True:
                c, _ = t.accept(); c.close()
            """)
            .network(
                    Network.on("bridge").publish(PortText.mappings(PORT + ":80").getFirst()));

    @TempDir
    Path directory;

    private NetworkBed bed;
    private int lost;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
    }

    @AfterEach
    void close() {
        bed.close();
    }

    /// Returns how many connections were neither made nor refused.
    private static int askUntilAnswered() {
        int lost = 0;
        while (true) {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(NetworkBed.HOST, PORT), LESS_THAN_A_SECOND);
                return lost;
            } catch (SocketTimeoutException e) {
                lost++;
            } catch (IOException e) {
                Thread.onSpinWait(); // it was refused
            }
        }
    }

    private interface Start {
        AutoCloseable server() throws Exception;
    }

    private void serve(Start start) throws Exception {
        for (int i = 0; i < STARTS; i++) {
            var client = CompletableFuture.supplyAsync(FirstAnswerTest::askUntilAnswered);
            try (AutoCloseable _ = start.server()) {
                assertThat(client).succeedsWithin(Duration.ofSeconds(30));
                lost += client.join();
            }
        }
        assertThat(lost).as("one may be lost where the machine stands still").isLessThan(2);
    }

    @Test
    void of_an_engine_that_goes_on() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            serve(() -> engine.start(SERVER, Streams.capture()));
        }
    }

    @Test
    void of_a_container_that_outlives_who_started_it() throws Exception {
        serve(() -> {
            try (Engine engine = Engine.open(OPTIONS)) {
                DetachedContainer container = engine.create(SERVER, DetachedOptions.STANDARD);
                container.start();
                return () -> container.remove(true);
            }
        });
    }

    /// Its monitor may start it by itself while a start is asked for, and adds no ports.
    @Test
    void of_a_container_that_its_policy_starts_again_the_ports_stay_where_they_are() throws Exception {
        DetachedContainer container;
        try (Engine engine = Engine.open(OPTIONS)) {
            container = engine.create(
                    ContainerSpec.onHost("false").network(SERVER.network()),
                    DetachedOptions.STANDARD.restart(RestartPolicy.parse("always")));
        }
        container.start();
        int restarts = 0;
        while (!(container.state() instanceof ContainerState.Restarting) || restarts < 3) { // the pauses grow
            restarts = container.restarts();
            TimeUnit.MILLISECONDS.sleep(20);
        }
        Path changes = directory.resolve("changes");
        Process monitor = new ProcessBuilder("stdbuf", "-oL", "nft", "monitor", "elements")
                .redirectErrorStream(true)
                .redirectOutput(changes.toFile())
                .start();
        try {
            TimeUnit.MILLISECONDS.sleep(300); // it says nothing when it begins
            container.start();
            TimeUnit.MILLISECONDS.sleep(300);

            assertThat(changes).content().doesNotContain("delete element");
            container.remove(true);
            TimeUnit.MILLISECONDS.sleep(300);
            assertThat(changes).content().containsPattern("delete element .* published-any ");
        } finally {
            monitor.destroyForcibly();
        }
    }
}
