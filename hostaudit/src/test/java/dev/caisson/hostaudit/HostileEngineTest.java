package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Report;
import dev.caisson.audit.ReportFormat;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A user listens at their own engine's socket and answers what they like: root's audit goes on, and is not made long.
@Tag("root")
@Timeout(60)
@Execution(ExecutionMode.CONCURRENT) // some wait until the audit gives up
class HostileEngineTest {
    private static final String USER = "65534";
    private static final String ID = "0123456789abcdef".repeat(4);
    private static final long LONGEST_REPORT = 8 << 20;

    @TempDir
    Path directory = Path.of("");

    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private Optional<ServerSocketChannel> listening = Optional.empty();

    /// What the user's socket answers in place of an engine without anything, by path.
    record Hostile(String what, Map<String, String> answers) {
        @Override
        public String toString() {
            return what;
        }
    }

    static Stream<Hostile> hostile() {
        String listed = "[{\"Id\":\"" + ID + "\",\"Names\":[\"/x\"],\"RepoTags\":[\"x\"]}]";
        return Stream.of(
                new Hostile("an image id of one character", Map.of("/images/json", "[{\"Id\":\"a\"}]")),
                new Hostile(
                        "an image without id that can be inspected",
                        Map.of("/images/json", "[{}]", "/images//json", "{}")),
                new Hostile(
                        "an image whose history is deep",
                        Map.of(
                                "/images/json",
                                listed,
                                "/images/" + ID + "/json",
                                "{}",
                                "/images/" + ID + "/history",
                                "[".repeat(100_000))),
                new Hostile("brackets without end", Map.of("/info", "[".repeat(200_000))),
                new Hostile("objects without end", Map.of("/version", "{\"a\":".repeat(200_000))),
                new Hostile(
                        "brackets where containers are listed", Map.of("/containers/json?all=1", "[".repeat(200_000))),
                new Hostile("brackets where networks are listed", Map.of("/networks", "[".repeat(200_000))),
                new Hostile("empty objects", Map.of("/info", "{}", "/version", "{}")),
                new Hostile("nothing at all", Map.of("/info", "", "/version", "")),
                new Hostile("null", Map.of("/info", "null")),
                new Hostile("a long number", Map.of("/info", "{\"Driver\":" + "9".repeat(1_000_000) + "}")),
                new Hostile("millions of values", Map.of("/networks", "[" + "[],".repeat(4_500_000) + "[]]")),
                new Hostile(
                        "a container id that is a path", Map.of("/containers/json?all=1", "[{\"Id\":\"../../x\"}]")),
                new Hostile(
                        "a container without anything",
                        Map.of("/containers/json?all=1", listed, "/containers/" + ID + "/json", "{}")),
                new Hostile(
                        "a container of other kinds of values",
                        Map.of(
                                "/containers/json?all=1",
                                listed,
                                "/containers/" + ID + "/json",
                                "{\"State\":[],\"HostConfig\":7,\"Mounts\":{\"a\":1},\"NetworkSettings\":{\"Ports\":{\"x\":[{\"HostPort\":\"99999999999\"}]}}}")),
                new Hostile(
                        "a pid that no process can have",
                        Map.of(
                                "/containers/json?all=1",
                                listed,
                                "/containers/" + ID + "/json",
                                "{\"Name\":\"/x\",\"State\":{\"Pid\":9e18}}")),
                new Hostile(
                        "a container whose name is a book",
                        Map.of(
                                "/containers/json?all=1",
                                listed,
                                "/containers/" + ID + "/json",
                                "{\"Name\":\"" + "n".repeat(3 << 20) + "\",\"Config\":{\"Image\":\""
                                        + "i".repeat(3 << 20) + "\"}}")),
                new Hostile(
                        "a hundred thousand containers",
                        Map.of(
                                "/containers/json?all=1",
                                IntStream.range(0, 100_000)
                                        .mapToObj(at -> "{\"Id\":\"%064x\"}".formatted(at))
                                        .collect(Collectors.joining(",", "[", "]")))),
                new Hostile(
                        "a swarm of nonsense",
                        Map.of(
                                "/info",
                                "{\"DockerRootDir\":\"/data\",\"Driver\":\"overlay2\",\"Swarm\":{\"ControlAvailable\":true}}",
                                "/swarm",
                                "{\"TLSInfo\":{\"TrustRoot\":\"x\"},\"Spec\":{\"CAConfig\":{\"NodeCertExpiry\":\"y\"}}}",
                                "/nodes",
                                "{}",
                                "/secrets",
                                "7",
                                "/services",
                                "[7]")),
                new Hostile("more than it may", Map.of("/images/json", "[\"" + "x".repeat(17 << 20) + "\"]")));
    }

    @BeforeEach
    void listen() throws IOException {
        Path theirs = Files.createDirectories(host().resolve("run/user/" + USER));
        Path socket = theirs.resolve("docker.sock");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Files.setAttribute(socket, "unix:uid", Integer.parseInt(USER));
        listening = Optional.of(server);
        Thread.ofVirtual().start(() -> {
            while (server.isOpen()) {
                try (SocketChannel client = server.accept()) {
                    serve(client);
                } catch (IOException e) {
                    // the audit hung up, which ends no test
                }
            }
        });
    }

    private Path host() throws IOException {
        return directory.toRealPath().resolve("host");
    }

    private void serve(SocketChannel client) throws IOException {
        var reader =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(client), StandardCharsets.US_ASCII));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("GET ")) {
                String body = answers.get(line.split(" ", 3)[1]);
                int status = body == null ? 404 : 200;
                byte[] bytes = (body == null ? "{}" : body).getBytes(StandardCharsets.UTF_8);
                client.write(
                        ByteBuffer.wrap(("HTTP/1.1 " + status + " X\r\nContent-Length: " + bytes.length + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII)));
                client.write(ByteBuffer.wrap(bytes));
            }
        }
    }

    @AfterEach
    void stop() throws IOException {
        listening.orElseThrow().close();
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void what_a_users_socket_answers_is_told_of_that_engine_and_ends_no_audit(Hostile each) throws IOException {
        answerAs(each);

        Report report = HostAudit.run(LiveRequests.of(Optional.empty(), host()));

        assertThat(report.findings())
                .as("the host itself is judged")
                .anyMatch(finding -> finding.check().name().equals("kernel-settings"));
        for (ReportFormat format : ReportFormat.values()) {
            assertThat(format.write(report).length()).as(format.toString()).isLessThan((int) LONGEST_REPORT);
        }
    }

    private void answerAs(Hostile each) {
        answers.putAll(Map.of(
                "/info", "{\"DockerRootDir\":\"/data\",\"Driver\":\"overlay2\"}",
                "/version", "{\"Version\":\"28.0.0\"}",
                "/networks", "[]",
                "/containers/json?all=1", "[]",
                "/images/json", "[]"));
        answers.putAll(each.answers());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "more than it may | more than 16777216 bytes",
                "a container id that is a path | ../../x",
            })
    void what_is_over_a_bound_is_told_as_not_looked_at(String what, String told) throws IOException {
        answerAs(hostile().filter(each -> each.what().equals(what)).findFirst().orElseThrow());

        Facts facts =
                Collector.collect(LiveRequests.of(Optional.empty(), host()).scope());

        assertThat(facts.gaps()).anySatisfy(gap -> assertThat(gap.reason()).contains(told));
    }

    @ParameterizedTest
    @MethodSource("strangers")
    void what_does_not_answer_as_an_engine_is_not_judged_as_one(String info) throws IOException {
        answers.putAll(Map.of("/info", info, "/version", "{}", "/networks", "[]"));

        Facts facts =
                Collector.collect(LiveRequests.of(Optional.empty(), host()).scope());

        assertThat(facts.engines()).isEmpty();
        assertThat(facts.gaps()).anySatisfy(gap -> assertThat(gap.reason()).contains("not a container engine"));
    }

    static Stream<String> strangers() {
        return Stream.of("{}", "[]", "{\"DockerRootDir\":\"x\",\"Driver\":\"overlay2\"}", "{\"ID\":\"x\"}");
    }
}
