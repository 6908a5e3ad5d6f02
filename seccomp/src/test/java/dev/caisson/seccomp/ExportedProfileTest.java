package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Podman, runc and crun run programs under exported profiles. Needs root and Debian's packages podman, runc, crun and
/// busybox-static.
@Tag("peers")
class ExportedProfileTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final int STARTS = 8;
    private static final int MOST_LOOKS = 2000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private record Answer(int status, String text) {}

    @BeforeEach
    void given_a_root_of_busybox() throws IOException {
        assumeTrue(Architecture.host() == Architecture.X86_64, "the profiles here are resolved for x86_64");
        Path bin = Files.createDirectories(directory.resolve("root/bin"));
        for (String empty : List.of("proc", "dev", "etc", "run", "sys", "tmp")) {
            Files.createDirectories(directory.resolve("root").resolve(empty));
        }
        Files.copy(Path.of("/bin/busybox"), bin.resolve("busybox"));
    }

    /// Podman cleans up in processes of its own that outlive its command, and runtimes leave links in a root that lead
    /// out of it.
    @AfterEach
    void leave_nothing_that_stops_the_removal() throws IOException, InterruptedException {
        for (int look = 0; look < MOST_LOOKS && isUsed(); look++) {
            Thread.sleep(10);
        }
        assertThat(isUsed()).as("a process that works in " + directory).isFalse();
        try (var files = Files.walk(directory.resolve("root"))) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    private boolean isUsed() throws IOException {
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (commandLine(process).contains(directory.toString())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String commandLine(Path process) {
        try {
            return Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // it has ended
        }
    }

    @Test
    void podman_denies_with_runc_what_several_conditions_deny() throws IOException, InterruptedException {
        assumeTrue(installed("podman") && installed("runc"), "podman or runc is not installed");

        Answer denied = podman(denyingInternetSockets(1), "nc", "-w", "1", "127.0.0.1", "9");
        Answer allowed = podman(denyingInternetSockets(2), "nc", "-w", "1", "127.0.0.1", "9");

        assertThat(denied.text()).contains("Permission denied");
        assertThat(allowed.text()).contains("refused").doesNotContain("Permission denied");
    }

    @Test
    void runc_starts_programs_under_a_strict_profile_that_was_exported_for_it()
            throws IOException, InterruptedException {
        assumeTrue(installed("runc"), "runc is not installed");

        assertStarts("runc", OciRuntime.RUNC);
    }

    @Test
    void crun_starts_programs_under_a_strict_profile_that_was_exported_for_it()
            throws IOException, InterruptedException {
        assumeTrue(installed("crun"), "crun is not installed");

        assertStarts("crun", OciRuntime.CRUN);
    }

    private void assertStarts(String program, OciRuntime runtime) throws IOException, InterruptedException {
        String profile = ProfileExport.of(runtime.open(Profile.strict(), TARGET).profile(), TARGET)
                .profile()
                .toJson();
        String alone = ProfileExport.of(Profile.strict(), TARGET).profile().toJson();
        for (int start = 0; start < STARTS; start++) {
            boolean noNewPrivileges = start % 2 == 0;
            Answer answer = runtime(program, profile, noNewPrivileges, start);
            assertThat(answer.text()).contains("started");
            assertThat(answer.status()).isZero();
        }
        assertThat(runtime(program, alone, true, STARTS).text())
                .as("the test sees what a runtime lacks")
                .doesNotContain("started");
    }

    private static String denyingInternetSockets(int type) {
        Profile profile = CompilerTest.profileOf(
                Action.ALLOW,
                Rule.of(
                        Action.errno("EACCES"),
                        List.of(Condition.of(0, Condition.Operator.EQ, 2), Condition.masked(1, 0xf, type)),
                        "socket"));
        return ProfileExport.of(profile, TARGET).profile().toJson();
    }

    private Answer podman(String profile, String... command) throws IOException, InterruptedException {
        Path file = Files.writeString(directory.resolve("profile.json"), profile);
        var words = new java.util.ArrayList<>(List.of(
                "podman",
                "--root",
                directory.resolve("storage").toString(),
                "--runroot",
                directory.resolve("run").toString(),
                "--cgroup-manager",
                "cgroupfs",
                "--runtime",
                "runc",
                "run",
                "--rm",
                "--network",
                "none",
                "--security-opt",
                "seccomp=" + file,
                "--rootfs",
                directory.resolve("root").toString(),
                "/bin/busybox"));
        words.addAll(List.of(command));
        return run(words);
    }

    /// crun does not start where a version 2 tree stands beside version 1 of control groups, so both see none.
    private Answer runtime(String program, String profile, boolean noNewPrivileges, int number)
            throws IOException, InterruptedException {
        Files.writeString(directory.resolve("config.json"), """
                {"ociVersion": "1.0.2", "root": {"path": "root", "readonly": true},
                 "process": {"cwd": "/", "args": ["/bin/busybox", "echo", "started"], "env": ["PATH=/bin"],
                  "user": {"uid": %d, "gid": %d}, "noNewPrivileges": %s,
                  "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}},
                 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
                 "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "network"}],
                  "seccomp": %s}}
                """.formatted(
                        number % 4 / 2 * 1000, number % 4 / 2 * 1000, noNewPrivileges, ociForm(profile)));
        String id = "caisson-export-" + ProcessHandle.current().pid() + "-" + number;
        return run(List.of(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                "umount /sys/fs/cgroup/unified 2>/dev/null; cd \"$1\" && exec \"$2\" --root \"$1/state\" run \"$3\"",
                "sh",
                directory.toString(),
                program,
                id));
    }

    /// The runtime's own form has architectures in place of Docker's map of them.
    private static String ociForm(String profile) {
        return profile.replaceAll("(?s)\"archMap\": \\[.*?\\](?=,\\s*\"(flags|syscalls))", "\"architectures\": []");
    }

    private static boolean installed(String program) {
        return List.of("/usr/bin", "/usr/sbin").stream().anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }

    private static Answer run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        return new Answer(process.waitFor(), text);
    }
}
