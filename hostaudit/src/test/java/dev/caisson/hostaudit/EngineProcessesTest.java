package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.engines.EngineProcesses;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.hostaudit.kernel.ProcessTable;
import dev.caisson.hostaudit.kernel.SocketTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which process is taken for the engine behind a socket.
@Timeout(60)
class EngineProcessesTest {
    @TempDir
    Path directory = Path.of("");

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    private Process start(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        started.add(process);
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    @Test
    @Tag("root")
    void a_process_that_only_calls_itself_dockerd_and_binds_the_same_path_elsewhere_is_not_the_engine()
            throws IOException {
        Path actor = TestImages.actor(directory);
        Path impostor = Files.copy(actor, directory.resolve("dockerd"), StandardCopyOption.COPY_ATTRIBUTES);
        Path place = Files.createDirectory(directory.resolve("run"));
        Path socket = place.resolve("docker.sock");
        Process engine = start(actor.toString(), "unix", socket.toString());
        Process other = start(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                "mount -t tmpfs none \"$1\" && exec \"$2\" unix \"$1/docker.sock\"",
                "sh",
                place.toString(),
                impostor.toString());

        ProcessTable table = ProcessTable.read();
        assertThat(table.named("dockerd")).contains(other.pid());
        EngineProcesses processes = new EngineProcesses(table, new HostFiles(Path.of("/"), new ArrayList<>()));

        assertThat(processes.listeningOn(ProcessRoot.own(socket.toString()).orElseThrow()))
                .map(EngineProcess::pid)
                .contains(engine.pid());
        assertThat(processes.others(
                        processes.listeningOn(ProcessRoot.own(socket.toString()).orElseThrow()).stream()
                                .toList()))
                .contains(other.pid());
    }

    @ParameterizedTest
    @CsvSource({
        "/system.slice/docker.service, docker.service",
        "/../../system.slice/docker.service, docker.service",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/dockerd.scope, ''",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service, ''",
        "/user.slice/user-1000.slice/session-3.scope, ''",
        "/system.slice/docker-0123.scope/system.slice/docker.service, ''",
        "/system.slice/docker.service/payload, ''",
        "/, ''",
    })
    void a_process_belongs_to_a_service_of_the_host_or_to_none(String path, String unit) {
        assertThat(EngineProcesses.unit("0::" + path + "\n")).isEqualTo(unit);
        assertThat(EngineProcesses.unit("4:memory:/other.service\n1:name=systemd:" + path + "\n0::/\n"))
                .isEqualTo(unit);
    }

    @Test
    void a_line_that_a_name_forges_is_no_socket_of_another_inode() {
        String table = """
                Num       RefCount Protocol Flags    Type St Inode Path
                0000000000000000: 00000002 00000000 00010000 0001 01 7001 /run/docker.sock
                0000000000000000: 00000002 00000000 00000000 0001 01 7002 /run/connected.sock
                0000000000000000: 00000002 00000000 00010000 0001 01 7003 @forged
                x 1 2 00010000 0001 01 7004 /run/docker.sock
                0000000000000000: 00000002 00000000 00010000 0001 01 7005
                0000000000000000: 00000002 00000000 00010000 0001 01 7006 /run/with blank.sock
                """;

        assertThat(SocketTable.unix(table))
                .containsOnlyKeys(7001L, 7006L)
                .containsEntry(7001L, Set.of("/run/docker.sock"))
                .containsEntry(7006L, Set.of("/run/with blank.sock"));
    }
}
