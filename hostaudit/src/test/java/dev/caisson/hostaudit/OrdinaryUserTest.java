package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What somebody without privileges learns of a host with a dockerd: a process of the test's own without any
/// capability, to which the kernel shows of other processes what it shows to everybody.
@Tag("peers")
@Timeout(300)
class OrdinaryUserTest {
    private static Path work = Path.of("");
    private static Optional<Dockerd> started = Optional.empty();

    private static Path host() {
        return work.resolve("host");
    }

    @BeforeAll
    static void start() throws IOException {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-ordinary");
        Files.createDirectories(host().resolve("run"));
        Dockerd daemon = Dockerd.start(work.resolve("docker"));
        started = Optional.of(daemon);
        new TestImages(daemon, work).imported("bb");
        daemon.docker("run", "--detach", "--name", "web", "--network", "none", "bb", "sleep", "600");
        Files.createLink(host().resolve("run/docker.sock"), daemon.socket());
    }

    @AfterAll
    static void stop() {
        started.ifPresent(Dockerd::close);
        Dockerd.remove(work);
    }

    /// The socket is this owner's, and has this mode.
    private static void socket(String owner, String mode) {
        String socket = host().resolve("run/docker.sock").toString();
        Dockerd.must("chown", owner, socket);
        Dockerd.must("chmod", mode, socket);
    }

    /// Lines of check, status, subject and message; the exit status is the last.
    private static List<String> audited() {
        return Dockerd.must(
                        "setpriv",
                        "--bounding-set=-all",
                        "--inh-caps=-all",
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        EmulatedMachine.classPath(),
                        OrdinaryUserTest.class.getName(),
                        host().toString())
                .lines()
                .toList();
    }

    /// Run without privileges: audits the host below the directory.
    public static void main(String[] arguments) {
        Report report = HostAudit.run(LiveRequests.of(Optional.empty(), Path.of(arguments[0])));
        for (Finding finding : report.findings()) {
            System.out.println(finding.check().name() + " " + finding.status().word() + " "
                    + finding.subject().name() + ": " + finding.message());
        }
        System.out.println(report.exitCode());
    }

    private static List<String> of(List<String> lines, String check) {
        return lines.stream().filter(line -> line.startsWith(check + " ")).toList();
    }

    @Test
    void an_engine_that_may_not_be_asked_is_told_and_the_host_is_audited() {
        socket("65534", "0600");

        List<String> lines = audited();

        assertThat(of(lines, "not-read"))
                .anyMatch(line -> line.contains("the engine at /run/docker.sock: ")
                        && line.contains("Permission denied")
                        && line.contains("run as a user who may use it"));
        assertThat(of(lines, "icc-on"))
                .as("nobody knows, which is not the same as that there is none")
                .singleElement()
                .asString()
                .startsWith("icc-on not-evaluated dockerd: ")
                .contains("Permission denied");
        assertThat(of(lines, "kernel-settings")).hasSize(1);
        assertThat(lines.getLast()).isEqualTo("3");
    }

    @Test
    void what_only_root_can_see_of_a_container_is_not_evaluated() {
        socket("0:0", "0660");

        List<String> lines = audited();

        for (String check :
                List.of("container-root", "privileged-in-effect", "filter-off", "host-net", "root-writable-live")) {
            assertThat(of(lines, check))
                    .singleElement()
                    .asString()
                    .startsWith(check + " not-evaluated web: ")
                    .endsWith("run as root");
        }
        assertThat(of(lines, "image-setuid")).singleElement().asString().contains("not-evaluated", "run as root");
        assertThat(of(lines, "no-new-privileges-default-off"))
                .singleElement()
                .asString()
                .contains("not-evaluated", "the engine's process could not be found");
        assertThat(of(lines, "health-unknown"))
                .as("the engine tells it")
                .singleElement()
                .asString()
                .contains(" fail ");
    }
}
