package dev.caisson.cli.audit;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.cli.CommandProcess;
import dev.caisson.hostaudit.HostAudit;
import dev.caisson.hostaudit.HostAudit.HostJson;
import dev.caisson.hostaudit.HostAuditRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/// Facts come through ssh(1) from a server of the test's own, on loopback, that knows one key.
@Tag("root")
@Tag("peers")
@Timeout(120)
class SshHostsTest {
    /// Below `/var/lib`: the server takes keys only where nobody but root can put any.
    @TempDir(factory = InVarLib.class)
    @SuppressWarnings("NullAway.Init")
    Path directory;

    static final class InVarLib implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
            return Files.createTempDirectory(Path.of("/var/lib"), "caisson-ssh");
        }
    }

    private int port;

    @SuppressWarnings("NullAway.Init")
    private Process server;

    @BeforeEach
    void startServer() throws Exception {
        // the server gives commands a PATH of its own
        executable("login", "PATH=" + directory + ":$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"");
        executable("caisson", "exec " + quoted(CommandProcess.words()) + " \"$@\"");
        executable("ssh", """
                exec ssh -F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new \\
                  -o UserKnownHostsFile=%1$s/known -i "${KEY:-%1$s/key}" "$@"\
                """.formatted(directory));
        done("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory + "/key");
        done("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory + "/stranger");
        done("dropbearkey", "-t", "ed25519", "-f", directory + "/host");
        Files.copy(directory.resolve("key.pub"), directory.resolve("authorized_keys"));
        port = freePort();
        var builder = new ProcessBuilder(
                "dropbear",
                "-F",
                "-E",
                "-s",
                "-j",
                "-k",
                "-c",
                directory + "/login",
                "-D",
                directory.toString(),
                "-r",
                directory + "/host",
                "-P",
                directory + "/pid",
                "-p",
                "127.0.0.1:" + port);
        server = builder.redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        awaitServer();
    }

    @AfterEach
    void stopServer() throws InterruptedException {
        server.destroy();
        server.waitFor();
    }

    @Test
    void a_host_is_audited_through_ssh_beside_one_that_does_not_answer() throws Exception {
        String there = "ssh://root@127.0.0.1:" + port;
        int nobody = freePort();

        List<HostJson> hosts = new RemoteHosts(directory + "/ssh").gather(List.of(there, "ssh://127.0.0.1:" + nobody));
        Report report = HostAudit.judge(hosts, request());

        assertThat(hosts.getFirst().problem()).as(log()).isEmpty();
        assertThat(report.findings())
                .filteredOn(finding -> finding.subject().name().startsWith("root@127.0.0.1:" + port + "/"))
                .as("this very host, asked for its kernel")
                .extracting(finding -> finding.check().name())
                .contains("kernel-settings");
        assertThat(report.findings())
                .filteredOn(finding -> finding.subject().name().startsWith("127.0.0.1:" + nobody + "/"))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.status()).isEqualTo(Status.NOT_EVALUATED);
                    assertThat(finding.message()).contains("status 255", "refused");
                });
    }

    @Test
    void a_host_that_knows_no_key_of_ours_is_told_and_asks_for_no_password() throws Exception {
        executable("stranger-ssh", "KEY=" + directory + "/stranger exec " + directory + "/ssh \"$@\"");

        HostJson host = new RemoteHosts(directory + "/stranger-ssh")
                .gather(List.of("ssh://root@127.0.0.1:" + port))
                .getFirst();

        assertThat(host.problem()).contains("status 255", "Permission denied");
        assertThat(host.json()).isEmpty();
    }

    private static HostAuditRequest request() {
        return new HostAuditRequest(
                Optional.empty(),
                Path.of("/"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                2,
                false,
                System.currentTimeMillis() / 1000,
                LocalDate.EPOCH,
                Severity.CRITICAL,
                Optional.empty(),
                Optional.empty());
    }

    private void executable(String name, String script) throws IOException {
        Path file = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    private static String quoted(List<String> words) {
        return words.stream().map(word -> "'" + word + "'").collect(joining(" "));
    }

    private static void done(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = String.join("\n", process.inputReader().lines().toList());
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitServer() throws Exception {
        while (true) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                assertThat(server.isAlive()).as(log()).isTrue();
                Thread.sleep(20);
            }
        }
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }
}
