package dev.caisson.hostaudit;

import dev.caisson.audit.Report;
import dev.caisson.audit.ReportFormat;
import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.kernel.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An audit of an engine that is none: a socket that answers with a few words of JSON, and one container that is this
/// very process. It lets the JVM record the classes of an audit where no engine runs.
public final class Rehearsal {
    private static final String ID = "0123456789abcdef".repeat(4);
    private static final int REQUEST = 8192;

    private static final Map<String, String> ANSWERS = Map.of(
            "/info",
            "{\"DockerRootDir\":\"/nonexistent\",\"Driver\":\"overlay2\",\"Debug\":false,\"Plugins\":{\"Authorization\":null},"
                    + "\"RegistryConfig\":{\"InsecureRegistryCIDRs\":[\"127.0.0.0/8\"],\"IndexConfigs\":{}},"
                    + "\"SecurityOptions\":[\"name=seccomp,profile=builtin\"],\"Swarm\":{\"LocalNodeState\":\"inactive\"}}",
            "/version",
            "{\"Version\":\"28.0.0\",\"Components\":[{\"Name\":\"runc\",\"Version\":\"1.2.8\"}]}",
            "/networks",
            "[{\"Id\":\"a\",\"Name\":\"bridge\",\"Driver\":\"bridge\",\"Options\":{},\"IPAM\":{\"Config\":[{\"Gateway\":\"192.0.2.1\"}]}}]",
            "/containers/json?all=1",
            "[{\"Id\":\"" + ID + "\",\"Names\":[\"/one\"]}]",
            "/containers/" + ID + "/json",
            "{\"Name\":\"/one\",\"Created\":\"2026-01-01T00:00:00Z\",\"State\":{\"Status\":\"running\",\"Pid\":"
                    + ProcessHandle.current().pid()
                    + "},\"Image\":\"sha256:" + ID
                    + "\",\"Config\":{\"Image\":\"one\",\"Env\":[\"A=b\"],\"Labels\":{\"a\":\"b\"}},"
                    + "\"HostConfig\":{\"NetworkMode\":\"bridge\",\"LogConfig\":{\"Type\":\"local\",\"Config\":{}},"
                    + "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"80\"}]}},"
                    + "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/a\",\"Destination\":\"/b\",\"RW\":true}]}",
            "/images/json",
            "[{\"Id\":\"sha256:" + ID + "\"}]",
            "/images/sha256:" + ID + "/json",
            "{\"RepoTags\":[\"one:latest\"],\"Config\":{\"Env\":[\"A=b\"]},\"RootFS\":{\"Layers\":[\"sha256:" + ID
                    + "\"]}}",
            "/images/sha256:" + ID + "/history",
            "[{\"CreatedBy\":\"RUN true\"},{\"CreatedBy\":\"ADD a b\"}]");

    private Rehearsal() {}

    /// Runs the audit and forgets the report.
    public static void run() {
        Report report = report();
        for (ReportFormat format : ReportFormat.values()) {
            format.write(report);
        }
    }

    /// Audits the engine that is played here, and a container of Caisson that this very process
    /// stands for.
    static Report report() {
        try {
            Path directory = Files.createTempDirectory("caisson");
            Path socket = directory.resolve("engine.sock");
            Path engine = directory.resolve("engines/rehearsal");
            Path container = engine.resolve("one.json");
            try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                long pid = ProcessHandle.current().pid();
                Files.createDirectories(engine);
                Files.writeString(
                        container,
                        "{\"id\":\"" + ID + "\",\"name\":\"rehearsed\",\"pid\":" + pid + ",\"startTime\":"
                                + Proc.startTime(pid).orElse(0L) + "}");
                server.bind(UnixDomainSocketAddress.of(socket));
                Thread.ofVirtual().start(() -> serve(server));
                return HostAudit.run(new HostAuditRequest(
                        Optional.of(socket),
                        Path.of("/"),
                        Optional.of(directory),
                        Optional.empty(),
                        Optional.empty(),
                        2,
                        false,
                        System.currentTimeMillis() / 1000,
                        LocalDate.EPOCH,
                        Severity.HIGH,
                        Optional.empty(),
                        Optional.empty()));
            } finally {
                for (Path made : List.of(socket, container, engine, directory.resolve("engines"), directory)) {
                    Files.deleteIfExists(made);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void serve(ServerSocketChannel server) {
        try (SocketChannel client = server.accept()) {
            ByteBuffer request = ByteBuffer.allocate(REQUEST);
            while (client.read(request) > 0) {
                String text = new String(request.array(), 0, request.position(), StandardCharsets.US_ASCII);
                if (text.endsWith("\r\n\r\n")) {
                    String body = ANSWERS.getOrDefault(text.split(" ", 3)[1], "{}");
                    client.write(
                            ByteBuffer.wrap(("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                                    .getBytes(StandardCharsets.US_ASCII)));
                    request.clear();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
