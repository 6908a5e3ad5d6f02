package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileMerge;
import dev.caisson.seccomp.RecordedProfile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.SyscallRecorder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Debian's Python, nginx, PostgreSQL and tools, and a JVM, under profiles that were recorded of them. The
/// packages are unpacked to a root by mmdebstrap, from a mirror.
@Tag("peers")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class RecordedWorkloadTest {
    private static final int RECORDINGS = 4;
    private static final int RUNS = Integer.getInteger("caisson.test.runs", 8);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String POSTGRES = "/usr/lib/postgresql/17/bin/";

    /// What is recorded: each prints `done` when all of it has worked.
    enum Workload {
        PYTHON("""
                python3 - <<'END'
                import json, os, subprocess, tempfile, threading
                answers = []
                def work(n):
                    with tempfile.NamedTemporaryFile() as f:
                        f.write(json.dumps({"n": n}).encode()); f.flush(); os.fsync(f.fileno())
                        answers.append(json.load(open(f.name))["n"])
                threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
                [t.start() for t in threads]; [t.join() for t in threads]
                assert sorted(answers) == list(range(8))
                assert subprocess.run(["cat", "/etc/passwd"], capture_output=True).stdout.startswith(b"root")
                END
                """),
        NGINX("""
                nginx -c /srv/nginx.conf & server=$!
                python3 - <<'END'
                import socket, time
                def get(path):
                    with socket.create_connection(("127.0.0.1", 8080)) as s:
                        s.sendall(f"GET {path} HTTP/1.0\\r\\n\\r\\n".encode())
                        return b"".join(iter(lambda: s.recv(65536), b"")).split(b"\\r\\n")[0]
                for attempt in range(500):
                    try: get("/"); break
                    except OSError: time.sleep(0.02)
                for n in range(20):
                    assert b"200" in get("/etc/passwd"), get("/etc/passwd")
                    assert b"404" in get("/none")
                END
                worked=$?
                kill -QUIT $server; wait $server && [ $worked = 0 ] || exit 1
                """),
        POSTGRESQL("""
                POSTGRESinitdb --no-sync --no-locale -A trust -D /tmp/db >/dev/null &&
                POSTGRESpg_ctl -D /tmp/db -l /tmp/log -o "-k /tmp -c listen_addresses=''" -w start >/dev/null &&
                POSTGRESpsql -q -h /tmp -d postgres -v ON_ERROR_STOP=1 -c "create table t(n int primary key, s text)" \\
                  -c "insert into t select n, repeat('x', 100) from generate_series(1, 5000) n" \\
                  -c "vacuum analyze t" -c "checkpoint" -c "select sum(n), max(length(s)) from t" >/dev/null &&
                POSTGRESpg_ctl -D /tmp/db -w stop >/dev/null || { cat /tmp/log >&2; exit 1; }
                """.replace("POSTGRES", POSTGRES)),
        SHELL("""
                find /etc -name '*.conf' | sort | xargs cat | tr a-z A-Z | sed s/A/b/ | gzip | gunzip | wc -l >/tmp/lines &&
                tar -C /etc -cf - . | tar -tf - | wc -l >>/tmp/lines && [ "$(wc -l </tmp/lines)" = 2 ] || exit 1
                """),
        JVM("""
                JAVA -Xmx64m -cp CLASSES dev.caisson.engine.RecordedProgram || exit 1
                """);

        private final String script;

        Workload(String script) {
            this.script = script;
        }
    }

    private static Path directory = Path.of("");
    private static Path root = Path.of("");
    private static @Nullable Engine engine;

    @BeforeAll
    static void unpack() throws Exception {
        directory = Files.createTempDirectory(
                Path.of("/var/tmp"),
                "caisson-workloads",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        root = directory.resolve("root");
        run(
                "mmdebstrap",
                "--variant=extract",
                "--include=dash,coreutils,grep,sed,findutils,tar,gzip,python3,nginx-light,postgresql-17",
                "trixie",
                root.toString(),
                "http://deb.debian.org/debian");
        for (String name : List.of("bin", "sbin", "lib", "lib64")) {
            if (Files.notExists(root.resolve(name)) && Files.exists(root.resolve("usr/" + name))) {
                Files.createSymbolicLink(root.resolve(name), Path.of("usr/" + name));
            }
        }
        Files.createDirectories(root.resolve("srv"));
        Files.writeString(root.resolve("etc/passwd"), """
                root:x:0:0:root:/tmp:/bin/sh
                nobody:x:65534:65534:nobody:/tmp:/bin/sh
                app:x:1000:1000:app:/tmp:/bin/sh
                """);
        Files.writeString(root.resolve("etc/group"), "root:x:0:\nnogroup:x:65534:\napp:x:1000:\n");
        Files.writeString(root.resolve("srv/nginx.conf"), """
                user nobody nogroup; daemon off; worker_processes 2; pid /tmp/nginx.pid; error_log stderr;
                events { worker_connections 64; }
                http {
                  access_log /tmp/access.log; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy;
                  fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
                  server { listen 127.0.0.1:8080; root /; sendfile on; }
                }
                """);
        programs();
        engine = Engine.open(new EngineOptions(directory.resolve("state"), directory.resolve("data")));
    }

    @AfterAll
    static void remove() throws Exception {
        if (engine != null) {
            engine.close();
        }
        run("rm", "-rf", "--one-file-system", directory.toString());
    }

    @ParameterizedTest
    @EnumSource(Workload.class)
    void a_recorded_profile_lets_the_workload_pass_and_blocks_more(Workload workload) throws Exception {
        var recorded = new ArrayList<Profile>();
        for (int run = 0; run < RECORDINGS; run++) {
            recorded.add(record(workload));
        }
        var choice = new SeccompChoice.Custom(workload.name(), ProfileMerge.of(recorded));

        for (int run = 0; run < RUNS; run++) {
            RunResult result = engine().run(spec(workload, "echo done")
                    .seccomp(new SeccompChoice.Watched(choice, SeccompChoice.Watch.TELL)));
            assertThat(result.denials()).as("run %s", run).isEmpty();
            assertThat(result.stdout())
                    .as(result.verdict() + " " + result.stderr())
                    .isEqualTo("done\n");
        }
        // the recorded shell makes its processes for pipelines only, by another call than for single commands
        String attack = workload == Workload.SHELL ? "ATTACK denied | cat" : "ATTACK denied";
        RunResult attacked = engine().run(spec(workload, attack).seccomp(choice));
        assertThat(attacked.stdout().lines())
                .as(attacked.verdict() + " " + attacked.stderr())
                .hasSize(4)
                .allMatch(line -> line.startsWith("denied ") && line.endsWith(" -1 1"));
        // and far fewer calls are left than in the profile it was recorded under
        assertThat(allowed(choice.profile())).isLessThan(allowed(Profile.standard()) / 2);
    }

    private static Engine engine() {
        return Objects.requireNonNull(engine);
    }

    private static int allowed(Profile profile) {
        return (int) profile.rules().stream()
                .flatMap(rule -> rule.names().stream())
                .distinct()
                .count();
    }

    private Profile record(Workload workload) throws InterruptedException {
        var recorders = new ArrayList<SyscallRecorder>();
        Container container = engine().start(
                        spec(workload, "echo done"),
                        Streams.capture(),
                        ProgressListener.none(),
                        standing -> recorders.add(Recordings.ofStanding(standing)));
        RunResult result = container.await();
        try (SyscallRecorder recorder = recorders.getFirst()) {
            assertThat(result.stdout())
                    .as(result.verdict() + " " + result.stderr())
                    .isEqualTo("done\n");
            ContainerSpec spec = spec(workload, "");
            var target = new Target(
                    Architecture.host(),
                    KernelVersion.parse(System.getProperty("os.version")),
                    spec.capabilities().mask());
            return RecordedProfile.of(
                    Optional.of(Profile.standard()),
                    target,
                    recorder.recording().made().keySet());
        }
    }

    /// @param last what the shell does when the workload has worked
    private ContainerSpec spec(Workload workload, String last) {
        boolean onHost = workload == Workload.JVM;
        Map<String, String> names = Map.of(
                "JAVA",
                System.getProperty("java.home") + "/bin/java",
                "CLASSES",
                "/mnt",
                "ATTACK",
                onHost ? "/mnt/attack" : "attack");
        String script = workload.script + last + "\n";
        for (Map.Entry<String, String> name : names.entrySet()) {
            script = script.replace(name.getKey(), name.getValue());
        }
        ContainerSpec spec = ContainerSpec.of(onHost ? Image.host() : Image.directory(root), "/bin/sh", "-c", script)
                .wallClock(PATIENCE);
        return switch (workload) {
            case POSTGRESQL -> spec.user("1000:1000");
            case JVM -> spec.mount(new Mount.Bind(classes(), InRootPath.parse("/mnt"), true, false));
            case PYTHON, NGINX, SHELL -> spec;
        };
    }

    private static Path classes() {
        return directory.resolve("classes");
    }

    private static void programs() throws IOException, InterruptedException {
        Path source = resource("attack.c", directory.resolve("attack.c"));
        Path attack = root.resolve("usr/bin/attack");
        run("gcc", "-static", "-O1", "-pthread", "-o", attack.toString(), source.toString());
        Files.createDirectories(classes().resolve("dev/caisson/engine"));
        Files.copy(attack, classes().resolve("attack"), StandardCopyOption.COPY_ATTRIBUTES);
        resource("RecordedProgram.class", classes().resolve("dev/caisson/engine/RecordedProgram.class"));
    }

    private static Path resource(String name, Path file) throws IOException {
        try (InputStream stream = Objects.requireNonNull(RecordedWorkloadTest.class.getResourceAsStream(name))) {
            return Files.write(file, stream.readAllBytes());
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }
}
