package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.LockedMemory;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the kernel says of the process that serves gates.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class GateProcessTest {
    private static final long FIRST_ID = 0x6fc0_0000L;
    private static final int SIGSTOP = 19;

    private final AtomicInteger ends = new AtomicInteger();

    private GateProcess open() throws IOException {
        return open(Bed::starter);
    }

    private GateProcess open(Supplier<Fd> starter) throws IOException {
        InetAddress here = InetAddress.getLoopbackAddress();
        return GateProcess.open(
                new GateProcess.Setting(
                        starter,
                        ProcessGroup.NONE,
                        here,
                        here,
                        Authority.create("a container", List.of(Bed.HOST)),
                        Optional.empty(),
                        new Origins() {
                            @Override
                            public boolean allows(Gate gate) {
                                return true;
                            }

                            @Override
                            public List<InetAddress> addresses(Gate gate) {
                                return List.of(here);
                            }
                        },
                        new Notes() {
                            @Override
                            public void used(Gate gate) {
                                // not looked at
                            }

                            @Override
                            public void refused(String host, int port, String reason) {
                                // not looked at
                            }
                        },
                        ends::incrementAndGet),
                List.of(new GateServer.Valued(Gate.of("gh").to(Bed.HOST), SecretValue.generate(40))));
    }

    /// Returns the children of this process that have the id of a gate's.
    private static List<Path> processes() throws IOException {
        String self = String.valueOf(ProcessHandle.current().pid());
        var found = new ArrayList<Path>();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path one : all.filter(path -> path.getFileName().toString().matches("[0-9]+"))
                    .toList()) {
                try {
                    List<String> status = Files.readAllLines(one.resolve("status"));
                    if (status.contains("PPid:\t" + self) && id(status) >= FIRST_ID) {
                        found.add(one);
                    }
                } catch (IOException e) {
                    // it has ended
                }
            }
        }
        return found;
    }

    private static long id(List<String> status) {
        return status.stream()
                .filter(line -> line.startsWith("Uid:"))
                .map(line -> Long.parseLong(line.split("\t", -1)[1]))
                .findFirst()
                .orElse(0L);
    }

    @Test
    void every_thread_has_no_privileges_and_a_filter_and_an_id_that_nobody_else_has() throws Exception {
        try (GateProcess _ = open()) {
            Path process = processes().getFirst();
            String id = String.valueOf(
                    FIRST_ID + Long.parseLong(process.getFileName().toString()));
            try (Stream<Path> threads = Files.list(process.resolve("task"))) {
                List<Path> all = threads.toList();
                assertThat(all).hasSizeGreaterThan(5);
                for (Path thread : all) {
                    assertThat(Files.readAllLines(thread.resolve("status")))
                            .contains(
                                    "Uid:\t" + id + "\t" + id + "\t" + id + "\t" + id,
                                    "Gid:\t" + id + "\t" + id + "\t" + id + "\t" + id,
                                    "CapInh:\t0000000000000000",
                                    "CapPrm:\t0000000000000000",
                                    "CapEff:\t0000000000000000",
                                    "CapBnd:\t0000000000000000",
                                    "CapAmb:\t0000000000000000",
                                    "NoNewPrivs:\t1",
                                    "Seccomp:\t2",
                                    "Seccomp_filters:\t" + (ownFilters() + 1));
                }
            }
            assertThat(Files.getAttribute(process.resolve("status"), "unix:uid"))
                    .as("it cannot be dumped")
                    .isEqualTo(0);
        }
    }

    private static int ownFilters() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Seccomp_filters:"))
                .map(line -> Integer.parseInt(line.split("\t", -1)[1]))
                .findFirst()
                .orElse(0);
    }

    /// Where links of a JVM lead to: Debian's has its settings in /etc.
    private static Set<String> ledTo(Path home) throws IOException {
        var places = new HashSet<String>();
        try (Stream<Path> all = Files.walk(home)) {
            for (Path link : all.filter(Files::isSymbolicLink).toList()) {
                if (Files.exists(link)) {
                    places.add(link.toRealPath().toString());
                }
            }
        }
        return places;
    }

    @Test
    void it_sees_the_files_of_the_jvm_and_of_caisson_alone_and_may_change_none() throws Exception {
        Path home = Path.of(System.getProperty("java.home")).toRealPath();
        Set<String> outside = ledTo(home);
        try (GateProcess _ = open()) {
            Path process = processes().getFirst();
            List<String> places = new ArrayList<>();
            for (String line : Files.readAllLines(process.resolve("mountinfo"))) {
                String[] fields = line.split(" ", -1);
                assertThat(fields[5].split(",", -1)).as(line).contains("ro", "nosuid");
                places.add(fields[4]);
            }
            assertThat(places)
                    .contains("/", home.toString(), "/dev/null", "/dev/random", "/dev/urandom")
                    .allMatch(place -> place.equals("/")
                            || place.startsWith("/dev/")
                            || place.startsWith(home.toString())
                            || outside.contains(place)
                            || place.contains("/target/classes")
                            || place.endsWith(".jar")
                            || place.contains(".so")
                            || place.endsWith("/cacerts"));
            assertThat(Files.exists(process.resolve("root/etc/passwd"))).isFalse();
            assertThat(Files.exists(process.resolve("root/proc/self"))).isFalse();
        }
    }

    @Test
    void it_has_no_network_and_no_stream_of_the_engines() throws Exception {
        try (GateProcess _ = open()) {
            Path process = processes().getFirst();
            for (int stream = 0; stream < 3; stream++) {
                assertThat(Files.readSymbolicLink(process.resolve("fd/" + stream)))
                        .hasToString("/dev/null");
            }
            assertThat(Files.readAllLines(process.resolve("net/dev")))
                    .hasSize(3)
                    .last()
                    .asString()
                    .contains("lo:    ");
            assertThat(Files.readString(process.resolve("net/tcp")).lines()).hasSize(1);
        }
    }

    @Test
    void the_engine_has_no_memory_for_values_once_they_are_handed_over() throws Exception {
        LockedMemory.releaseSpare(); // pages that were cleared
        long before = secretMappings(Path.of("/proc/self"));
        try (GateProcess _ = open()) {
            assertThat(secretMappings(processes().getFirst())).isPositive();
            LockedMemory.releaseSpare();
            assertThat(secretMappings(Path.of("/proc/self"))).isEqualTo(before);
        }
    }

    private static long secretMappings(Path process) throws IOException {
        return Files.readAllLines(process.resolve("maps")).stream()
                .filter(line -> line.contains("secretmem"))
                .count();
    }

    @Test
    void it_ends_with_its_gates_and_an_end_of_its_own_is_told_once() throws Exception {
        try (GateProcess _ = open()) {
            assertThat(processes()).hasSize(1);
        }
        assertThat(processes()).isEmpty();
        assertThat(ends).hasValue(0);
        try (GateProcess gates = open()) {
            ProcessHandle.of(Long.parseLong(processes().getFirst().getFileName().toString()))
                    .orElseThrow()
                    .destroyForcibly();
            for (int waited = 0; ends.get() == 0 && waited < 5_000; waited += 10) {
                Thread.sleep(10);
            }
            assertThatThrownBy(() -> gates.replace(
                            List.of(new GateServer.Valued(Gate.of("gh").to(Bed.HOST), SecretValue.generate(40)))))
                    .isInstanceOf(GateException.class)
                    .hasMessageContaining("has ended");
        }
        assertThat(ends).hasValue(1);
        assertThat(processes()).isEmpty();
    }

    @Test
    void a_process_that_does_not_take_other_values_is_ended() throws Exception {
        try (GateProcess gates = open()) {
            Path process = processes().getFirst();
            try (Fd stopped =
                    Processes.open(Integer.parseInt(process.getFileName().toString()))) {
                Processes.signal(stopped, SIGSTOP);
            }
            assertThatThrownBy(() -> gates.replace(
                            List.of(new GateServer.Valued(Gate.of("gh").to(Bed.HOST), SecretValue.generate(40)))))
                    .isInstanceOf(GateException.class)
                    .hasMessageContaining("did not answer within 10 s");
            for (int waited = 0; ends.get() == 0 && waited < 5_000; waited += 10) {
                Thread.sleep(10);
            }
            assertThat(ends).hasValue(1);
            assertThat(process).doesNotExist();
        }
    }

    @Test
    void an_error_while_it_is_started_is_told() {
        assertThatThrownBy(() -> open(() -> {
                    throw new NoClassDefFoundError("dev/caisson/Gone");
                }))
                .isInstanceOf(GateException.class)
                .hasMessageContaining("NoClassDefFoundError: dev/caisson/Gone");
    }

    @Test
    void a_filter_that_the_engine_has_too_is_none_of_the_process() {
        String none = "0000000000000000";
        String id = String.valueOf(FIRST_ID + 7);
        String ids = String.join("\t", id, id, id, id);
        var status = new HashMap<>(Map.of(
                "Uid", ids, "Gid", ids, "Groups", "", "NoNewPrivs", "1", "Seccomp", "2", "Seccomp_filters", "2"));
        List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb").forEach(set -> status.put(set, none));
        ProcessCheck.requireThread(7, status, Map.of("Seccomp_filters", "1"));
        assertThatThrownBy(() -> ProcessCheck.requireThread(7, status, Map.of("Seccomp_filters", "2")))
                .isInstanceOf(GateException.class)
                .hasMessageContaining("no filter of system calls but those of the engine");
    }

    private static String says(String bytes) {
        return "#!/usr/bin/python3 -I\nimport socket, time\ns = socket.socket(fileno=3)\ns.recv(70000)\ns.send(" + bytes
                + ")\ntime.sleep(60)\n";
    }

    private void assertEnds(String script, String why) {
        assertThatThrownBy(
                        () -> open(() -> MemoryFile.sealedExecutable("lie", script.getBytes(StandardCharsets.UTF_8))))
                .as(script)
                .isInstanceOf(GateException.class)
                .hasMessageStartingWith("the process of the gates ")
                .hasMessageContaining(why)
                .hasMessageMatching("[ -~]*");
    }

    @Test
    void a_process_that_is_not_confined_is_given_nothing() {
        assertEnds(says("bytes([1])"), "shares the namespace mnt with the engine");
        assertEnds(says("bytes([1])").replace("s.recv(70000)\n", ""), "shares the namespace mnt with the engine");
        assertEnds(says("bytes([1, 1])"), "a message is longer than its parts");
        assertEnds(says("bytes([99])"), "a message has the unknown kind 99");
    }

    @Test
    void a_process_that_answers_before_it_was_asked_is_ended() {
        assertEnds(says("bytes([2])"), "an answer comes that nothing was asked for");
        assertEnds(says("bytes([3, 0, 0, 0, 6]) + b'a\\x1b[31m'"), "failed: a?[31m");
    }
}
