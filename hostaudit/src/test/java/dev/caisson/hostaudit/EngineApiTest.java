package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.engines.EngineApi;
import dev.caisson.hostaudit.engines.EngineApi.Bounds;
import dev.caisson.hostaudit.engines.ImageCollector;
import dev.caisson.hostaudit.engines.ImageLayers;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.kernel.HostFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What an engine that answers badly makes of an audit.
@Timeout(60)
class EngineApiTest {
    private static final String CUT = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"Half\":";

    @TempDir
    Path directory = Path.of("");

    private final Map<String, String> answers = new java.util.concurrent.ConcurrentHashMap<>();
    private Path socket = Path.of("");
    private ServerSocketChannel server = open();

    private static ServerSocketChannel open() {
        try {
            return ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @BeforeEach
    void start() throws IOException {
        socket = directory.resolve("engine.sock");
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> {
            while (true) {
                try (SocketChannel client = server.accept()) {
                    serve(client);
                } catch (IOException e) {
                    return;
                }
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private void serve(SocketChannel client) throws IOException {
        var reader =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(client), StandardCharsets.US_ASCII));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (!line.startsWith("GET ")) {
                continue;
            }
            String answer = answers.getOrDefault(line.split(" ", 3)[1], answer(404, "{}"));
            client.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
            if (answer.equals(CUT)) {
                return;
            }
        }
    }

    private static String answer(int status, String body) {
        return "HTTP/1.1 " + status + " X\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void only_an_object_that_is_gone_is_left_out() {
        answers.put("/broken", answer(500, "{}"));
        answers.put("/leaving", answer(503, "{}"));
        try (EngineApi api = new EngineApi(socket, socket, Bounds.SYSTEM)) {
            assertThat(api.find("/gone")).isEmpty();
            assertThat(api.findInSwarm("/leaving")).isEmpty();
            for (String path : List.of("/broken", "/leaving")) {
                assertThatThrownBy(() -> api.find(path))
                        .isInstanceOfSatisfying(
                                AuditException.class,
                                problem -> assertThat(problem.reason()).isEqualTo(AuditException.Code.ENGINE_ANSWER));
            }
            assertThatThrownBy(() -> api.findInSwarm("/broken")).isInstanceOf(AuditException.class);
        }
    }

    @Test
    void the_rest_of_a_cut_answer_is_not_taken_for_the_next_one() {
        answers.put("/cut", CUT);
        answers.put("/whole", answer(200, "{\"Name\":\"whole\"}"));
        try (EngineApi api = new EngineApi(socket, socket, Bounds.SYSTEM)) {
            assertThatThrownBy(() -> api.get("/cut")).isInstanceOf(AuditException.class);

            assertThat(api.get("/whole").at("Name").text()).contains("whole");
        }
    }

    @Test
    void an_image_that_the_engine_cannot_tell_of_is_told_and_the_others_are_judged() {
        answers.put("/images/json", answer(200, "[{\"Id\":\"sha256:0123456789ab\"},{\"Id\":\"sha256:fedcba987654\"}]"));
        answers.put("/images/sha256:0123456789ab/json", answer(500, "{}"));
        answers.put("/images/sha256:fedcba987654/json", answer(200, "{\"RepoTags\":[\"one:1\"]}"));
        var told = new ArrayList<String>();
        try (EngineApi api = new EngineApi(socket, socket, Bounds.SYSTEM)) {
            var layers = new ImageLayers(new HostFiles(directory, new ArrayList<>()), "/data", "overlay2");

            List<ImageFacts> images =
                    new ImageCollector(api, layers, (what, why) -> told.add(what)).collect(Map.of(), List.of());

            assertThat(images).extracting(ImageFacts::label).containsExactly("one:1");
            assertThat(told).containsExactly("image sha256:0123456789ab");
        }
    }

    @Test
    void another_engine_that_answers_is_told_and_a_socket_that_was_left_behind_is_not() throws IOException {
        Path root = directory.toRealPath();
        Path buildkit = java.nio.file.Files.createDirectories(root.resolve("run/buildkit"))
                .resolve("buildkitd.sock");
        Path crio =
                java.nio.file.Files.createDirectories(root.resolve("run/crio")).resolve("crio.sock");
        java.nio.file.Files.createLink(root.resolve("run/docker.sock"), engine());
        try (ServerSocketChannel left = open()) {
            left.bind(UnixDomainSocketAddress.of(crio));
        }
        try (ServerSocketChannel other = open()) {
            other.bind(UnixDomainSocketAddress.of(buildkit));

            Facts facts = Collector.collect(
                    LiveRequests.of(java.util.Optional.empty(), root).scope());
            Facts one = Collector.collect(
                    LiveRequests.of(java.util.Optional.of(engine()), root).scope());

            assertThat(facts.gaps())
                    .extracting(Facts.Gap::what)
                    .contains("buildkit at /run/buildkit/buildkitd.sock")
                    .noneMatch(what -> what.startsWith("crio at"));
            assertThat(one.gaps())
                    .as("who names one engine asks about no other")
                    .extracting(Facts.Gap::what)
                    .noneMatch(what -> what.startsWith("buildkit at"));
        }
    }

    @Test
    void the_usual_sockets_are_looked_for_in_the_host_that_is_mounted_elsewhere() throws IOException {
        Path root = directory.toRealPath().resolve("host");
        java.nio.file.Files.createDirectories(root.resolve("run"));
        java.nio.file.Files.createLink(root.resolve("run/docker.sock"), engine());

        Facts facts = Collector.collect(
                LiveRequests.of(java.util.Optional.empty(), root).scope());

        EngineFacts found = facts.engine().orElseThrow();
        assertThat(found.socket()).isEqualTo("/run/docker.sock");
        assertThat(found.process().map(EngineFacts.EngineProcess::pid))
                .contains(ProcessHandle.current().pid());
        assertThat(facts.host().files()).containsKey("/run/docker.sock");
    }

    /// It was an error while only one engine was asked, and must not turn into silence.
    @Test
    void where_dockerd_left_its_socket_behind_another_engine_is_audited_and_that_is_told() throws IOException {
        Path root = directory.toRealPath().resolve("host");
        Path podman = java.nio.file.Files.createDirectories(root.resolve("run/podman"));
        try (ServerSocketChannel left = open()) {
            left.bind(UnixDomainSocketAddress.of(root.resolve("run/docker.sock")));
        }
        java.nio.file.Files.createLink(podman.resolve("podman.sock"), engine());
        answers.put("/version", answer(200, "{\"Version\":\"5.4.2\",\"Components\":[{\"Name\":\"Podman Engine\"}]}"));

        Facts facts = Collector.collect(
                LiveRequests.of(java.util.Optional.empty(), root).scope());

        assertThat(facts.engine().map(EngineFacts::name)).contains("podman");
        assertThat(facts.gaps()).extracting(Facts.Gap::what).contains("the engine at /run/docker.sock");
        java.nio.file.Files.delete(podman.resolve("podman.sock"));
        assertThatThrownBy(() -> Collector.collect(
                        LiveRequests.of(java.util.Optional.empty(), root).scope()))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("/run/docker.sock");
    }

    /// Here it is this process, which is root's: a user can start a program that is set to root's id.
    @Test
    @Tag("root")
    void a_users_engine_has_no_settings_read_that_its_user_cannot_read_whoever_its_process_belongs_to()
            throws IOException {
        Path root = directory.toRealPath().resolve("host");
        Path theirs = java.nio.file.Files.createDirectories(root.resolve("run/user/65534"));
        Path etc = java.nio.file.Files.createDirectories(root.resolve("etc/docker"));
        Path settings = java.nio.file.Files.writeString(etc.resolve("daemon.json"), "{\"log-level\": \"secret\"}");
        java.nio.file.Files.setPosixFilePermissions(
                settings, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
        java.nio.file.Files.createLink(theirs.resolve("docker.sock"), engine());
        java.nio.file.Files.setAttribute(theirs.resolve("docker.sock"), "unix:uid", 65534);

        Facts facts = Collector.collect(
                LiveRequests.of(java.util.Optional.empty(), root).scope());

        EngineFacts found = facts.engine().orElseThrow();
        assertThat(found.process().map(EngineFacts.EngineProcess::uid)).contains(0L);
        assertThat(found.text("log-level")).isEqualTo("info");
        assertThat(facts.gapAt("/etc/docker/daemon.json").map(Facts.Gap::reason))
                .contains("the engine's own user cannot read it");
    }

    /// Whoever may put a file into a user's directory can make root's requests go nowhere else.
    @Test
    @Tag("root")
    void a_users_socket_is_asked_where_it_is_theirs_and_hides_no_other_engine() throws IOException {
        Path root = directory.toRealPath().resolve("host");
        Path theirs = java.nio.file.Files.createDirectories(root.resolve("run/user/65534"));
        Path linked = java.nio.file.Files.createDirectories(root.resolve("run/user/65533/podman"));
        java.nio.file.Files.createLink(root.resolve("run/docker.sock"), engine());
        java.nio.file.Files.createSymbolicLink(linked.resolve("podman.sock"), Path.of("/run/secret.sock"));
        try (ServerSocketChannel silent = open();
                ServerSocketChannel secret = open()) {
            silent.bind(UnixDomainSocketAddress.of(theirs.resolve("docker.sock")));
            java.nio.file.Files.setAttribute(theirs.resolve("docker.sock"), "unix:uid", 65534);
            secret.bind(UnixDomainSocketAddress.of(root.resolve("run/secret.sock")));
            secret.configureBlocking(false);
            Thread.ofVirtual().start(() -> {
                try {
                    silent.accept().close();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });

            Facts facts = Collector.collect(
                    LiveRequests.of(java.util.Optional.empty(), root).scope());

            assertThat(facts.engines()).extracting(EngineFacts::socket).containsExactly("/run/docker.sock");
            assertThat(facts.gaps()).extracting(Facts.Gap::what).contains("the engine at /run/user/65534/docker.sock");
            assertThat(secret.accept()).as("nobody connected").isNull();
        }
    }

    @Test
    void all_answers_together_have_an_end() throws IOException {
        answers.put("/info", answer(200, "{}"));
        try (EngineApi api = new EngineApi(socket, socket, new Bounds(Duration.ofMillis(300), 1 << 20, 10))) {
            assertThatThrownBy(() -> {
                        while (true) {
                            api.get("/info");
                        }
                    })
                    .isInstanceOf(AuditException.class)
                    .hasMessageContaining("take more than");
        }
    }

    /// connect(2) would wait for ever where as many wait already as listen(2) allows.
    @Test
    void a_connection_that_nobody_takes_is_not_waited_for_without_end() throws IOException {
        Path full = directory.resolve("full.sock");
        List<SocketChannel> waiting = new ArrayList<>();
        try (ServerSocketChannel busy = open()) {
            busy.bind(UnixDomainSocketAddress.of(full), 1);
            for (int one = 0; one < 2; one++) {
                waiting.add(SocketChannel.open(UnixDomainSocketAddress.of(full)));
            }

            assertThatThrownBy(() -> new EngineApi(full, full, new Bounds(Duration.ofMillis(200), 1 << 20, 10)))
                    .isInstanceOf(AuditException.class)
                    .hasMessageContaining("takes no connection");
        } finally {
            for (SocketChannel one : waiting) {
                one.close();
            }
        }
    }

    /// An engine without containers and images.
    private Path engine() {
        answers.put("/info", answer(200, "{\"DockerRootDir\":\"/data\",\"Driver\":\"overlay2\"}"));
        answers.put("/version", answer(200, "{\"Version\":\"28.0.0\"}"));
        for (String empty : List.of("/networks", "/containers/json?all=1", "/images/json")) {
            answers.put(empty, answer(200, "[]"));
        }
        return socket;
    }

    @Test
    void a_container_that_the_engine_cannot_tell_of_is_a_gap_unless_it_is_the_one_asked_for() {
        engine();
        answers.put("/containers/json?all=1", answer(200, "[{\"Id\":\"0123456789abcdef\",\"Names\":[\"/web\"]}]"));
        answers.put("/containers/0123456789abcdef/json", answer(500, "{}"));

        Facts facts = Collector.collect(
                LiveRequests.of(java.util.Optional.of(socket), Path.of("/")).scope());

        assertThat(facts.containers()).isEmpty();
        assertThat(facts.gaps()).extracting(Facts.Gap::what).contains("container [/web]");
    }

    @Test
    void a_process_that_is_none_of_the_containers_is_not_read_as_it() {
        engine();
        answers.put("/containers/json?all=1", answer(200, "[{\"Id\":\"0123456789abcdef\",\"Names\":[\"/web\"]}]"));
        answers.put(
                "/containers/0123456789abcdef/json",
                answer(
                        200,
                        "{\"Name\":\"/web\",\"State\":{\"Status\":\"running\",\"Pid\":"
                                + ProcessHandle.current().pid() + "}}"));

        Facts facts = Collector.collect(
                LiveRequests.of(java.util.Optional.of(socket), Path.of("/")).scope());

        assertThat(facts.containers()).singleElement().satisfies(container -> {
            assertThat(container.truth()).isEmpty();
            assertThat(container.truthReason()).contains("none of this container's");
        });
    }
}
