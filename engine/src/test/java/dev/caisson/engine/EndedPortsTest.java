package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortText;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Published ports of a container that has ended refuse connections, as a port does that nobody listens at: what is
/// sent to an address where nobody is gets lost, and its sender waits.
@Tag("root")
@Tag("netns")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class EndedPortsTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("ended-ports"), OwnDirectories.data("ended-ports"));

    private static final int PORT = 8080;
    private static final int LESS_THAN_A_SECOND = 900;
    private static final int LOOKS = 30;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
    }

    @AfterEach
    void close() {
        bed.close();
    }

    /// @param ends true if it ends after the first connection
    private static DetachedContainer server(boolean ends, RestartPolicy policy) throws InterruptedException {
        ContainerSpec spec = ContainerSpec.onHost("python3", "-I", "-c", """
                import socket
                t = socket.socket(); t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                t.bind(("0.0.0.0", 80)); t.listen()
                while True:
                    c, _ = t.accept(); c.close()
                    if %s: break
                """.formatted(ends ? "True" : "False"))
                .network(Network.on("bridge")
                        .publish(PortText.mappings(PORT + ":80").getFirst()));
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD.restart(policy));
            container.start();
            return container;
        }
    }

    private enum Answer {
        TAKEN,
        REFUSED,
        LOST
    }

    private static Answer ask() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(NetworkBed.HOST, PORT), LESS_THAN_A_SECOND);
            return Answer.TAKEN;
        } catch (ConnectException e) {
            return Answer.REFUSED;
        } catch (IOException e) {
            return Answer.LOST;
        }
    }

    private static boolean inTime(Answer wanted) throws InterruptedException {
        for (int look = 0; look < LOOKS; look++) {
            if (ask() == wanted) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        return false;
    }

    private static void stop(DetachedContainer container) throws InterruptedException {
        container.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
    }

    @Test
    void a_container_that_was_stopped_refuses_until_it_is_started_again() throws Exception {
        DetachedContainer container = server(false, RestartPolicy.parse("always"));
        assertThat(inTime(Answer.TAKEN)).isTrue();

        stop(container);
        assertThat(ask()).isEqualTo(Answer.REFUSED);
        stop(container);
        container.start();
        assertThat(inTime(Answer.TAKEN)).isTrue();

        container.remove(true);
    }

    @Test
    void a_container_that_ended_by_itself_refuses_if_a_resident_engine_is_there() throws Exception {
        try (NetworkKeeper keeper = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            DetachedContainer container = server(true, RestartPolicy.parse("no"));
            assertThat(inTime(Answer.TAKEN)).isTrue();
            container.await();
            assertThat(inTime(Answer.REFUSED)).isTrue();

            container.start();
            assertThat(inTime(Answer.TAKEN)).isTrue();
            container.await();
            container.remove(true);
            assertThat(keeper.isNeeded()).isFalse();
        }
    }
}
