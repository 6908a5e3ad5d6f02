package dev.caisson.hostaudit;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/// Situations that a checker which greps the engine's answers gets wrong, by the id of CIS Docker Benchmark
/// 1.6, and the right answer to each. Situations of the engine itself stand in [LiveEngineTest].
final class ReferenceTable {
    private static final String GROUP = "caisson-hostaudit-limited";
    private static final List<String> CONTROLLERS = List.of("memory", "pids");

    private record Row(String cis, String situation, String check, String subject, Status right) {}

    private static final List<Row> ROWS = List.of(
            new Row("4.1", "--user 0:0", "container-root", "ref-user-zero", Status.FAIL),
            new Row("4.1", "USER toor, an alias of uid 0", "image-root", "toor:latest", Status.FAIL),
            new Row(
                    "4.7",
                    "update beyond the 45th character of a step",
                    "image-update-alone",
                    "updating:latest",
                    Status.FAIL),
            new Row("4.9", "ENV ADDRESS is no ADD", "image-add", "address:latest", Status.PASS),
            new Row("4.10", "ENV DB_PASSWORD in an image", "image-secrets", "withsecret:latest", Status.FAIL),
            new Row("5.2", "a kernel without AppArmor", "apparmor-off", "good-filter-off", Status.NOT_APPLICABLE),
            new Row(
                    "5.3",
                    "seccomp=unconfined is no SELinux option",
                    "selinux-off",
                    "bad-filter-off",
                    Status.NOT_APPLICABLE),
            new Row(
                    "5.4",
                    "all capabilities by --privileged",
                    "capabilities-wide",
                    "bad-privileged-in-effect",
                    Status.FAIL),
            new Row("5.6", "/etc/shadow", "host-directory", "bad-host-directory", Status.FAIL),
            new Row("5.6", "/root", "host-directory", "ref-root-home", Status.FAIL),
            new Row("5.6", "/var/run", "host-directory", "ref-var-run", Status.FAIL),
            new Row("5.6", "a named volume at /usr/local", "host-directory", "good-host-directory", Status.PASS),
            new Row("5.7", "an sshd in an image without ps", "remote-shell", "bad-remote-shell", Status.FAIL),
            new Row("5.7", "--pid host sees another's sshd", "remote-shell", "bad-host-pids", Status.PASS),
            new Row("5.8", "port 1024", "privileged-port", "ref-port-1024", Status.PASS),
            new Row("5.8", "a low port in the host's network", "privileged-port", "ref-host-port", Status.FAIL),
            new Row("5.10", "network of a container in the host's", "host-net", "bad-host-net", Status.FAIL),
            new Row("5.11", "64 MiB on the parent group", "memory-unbounded", "ref-parent-limits", Status.PASS),
            new Row("5.12", "quota and no shares", "cpu-unbounded", "good-cpu-unbounded", Status.PASS),
            new Row("5.12", "--cpu-shares 1024 is the default", "cpu-unbounded", "bad-cpu-unbounded", Status.FAIL),
            new Row("5.14", "[::] is every address", "port-everywhere", "ref-ipv6-wildcard", Status.FAIL),
            new Row("5.15", "restart always", "restart-unbounded", "bad-restart-unbounded", Status.FAIL),
            new Row("5.16", "pid namespace of a container in the host's", "host-pids", "ref-pids-of-host", Status.FAIL),
            new Row("5.18", "-v /dev:/dev with a rule", "host-devices", "bad-host-devices", Status.FAIL),
            new Row("5.18", "--device below a directory of /dev", "host-devices", "ref-device-below", Status.FAIL),
            new Row("5.18", "--device outside of /dev", "host-devices", "ref-device-elsewhere", Status.FAIL),
            new Row("5.18", "a rule alone, with MKNOD", "host-devices", "ref-device-rule", Status.FAIL),
            new Row("5.18", "a rule alone, without MKNOD", "host-devices", "ref-device-rule-only", Status.PASS),
            new Row("5.18", "--privileged", "host-devices", "bad-privileged-in-effect", Status.FAIL),
            new Row("5.22", "--privileged has no filter", "filter-off", "bad-privileged-in-effect", Status.FAIL),
            new Row("5.22", "a profile that allows all", "filter-too-wide", "bad-filter-too-wide", Status.FAIL),
            new Row("5.23", "a live exec --privileged", "exec-privileged", "bad-exec-privileged", Status.FAIL),
            new Row("5.24", "a live exec as root", "exec-root", "bad-exec-root", Status.FAIL),
            new Row("5.26", "no-new-privileges:false", "privileges-gainable", "bad-privileges-gainable", Status.FAIL),
            new Row("5.29", "64 processes on the parent group", "pids-unbounded", "ref-parent-limits", Status.PASS),
            new Row("5.31", "the first user namespace", "userns-shared", "good-userns-host", Status.FAIL),
            new Row(
                    "5.32",
                    "a directory above the socket",
                    "engine-socket-inside",
                    "bad-engine-socket-inside",
                    Status.FAIL));

    private ReferenceTable() {}

    private static List<Path> groups() {
        return CONTROLLERS.stream()
                .map(controller -> Path.of("/sys/fs/cgroup", controller, GROUP))
                .toList();
    }

    static void start(BiConsumer<String, String> run, Dockerd daemon) throws IOException {
        for (Path group : groups()) {
            Files.createDirectories(group);
        }
        Files.writeString(Path.of("/sys/fs/cgroup/memory", GROUP, "memory.limit_in_bytes"), "67108864");
        Files.writeString(Path.of("/sys/fs/cgroup/pids", GROUP, "pids.max"), "64");
        run.accept("ref-parent-limits", "--cgroup-parent /" + GROUP + " " + ContainerCases.SLEEP);
        run.accept("ref-user-zero", "--user 0:0 " + ContainerCases.SLEEP);
        run.accept("ref-root-home", "--volume /root:/x " + ContainerCases.SLEEP);
        run.accept("ref-var-run", "--volume /var/run:/x " + ContainerCases.SLEEP);
        run.accept("ref-port-1024", "--publish 127.0.0.1:1024:22 " + ContainerCases.SLEEP);
        run.accept("ref-host-port", "--network host bb actor listen 23");
        run.accept("ref-ipv6-wildcard", "--publish [::]:8026:22 " + ContainerCases.SLEEP);
        run.accept("ref-device-below", "--device /dev/kmsg:/dev/sub/kmsg --cap-drop MKNOD " + ContainerCases.SLEEP);
        run.accept("ref-device-elsewhere", "--device /dev/kmsg:/srv/kmsg --cap-drop MKNOD " + ContainerCases.SLEEP);
        run.accept("ref-device-rule", "--device-cgroup-rule b\u00a07:*\u00a0rwm " + ContainerCases.SLEEP);
        run.accept(
                "ref-device-rule-only",
                "--cap-drop MKNOD --device-cgroup-rule b\u00a07:*\u00a0rwm " + ContainerCases.SLEEP);
        run.accept("ref-pids-of-host", "--pid container:bad-host-pids " + ContainerCases.SLEEP);
    }

    /// Prints the table and returns the rows that are not right.
    static List<String> print(List<Finding> findings, Facts facts) {
        List<String> wrong = new ArrayList<>();
        for (Row row : ROWS) {
            Status answer = findings.stream()
                    .filter(finding -> finding.check().name().equals(row.check())
                            && finding.subject().name().equals(row.subject()))
                    .map(Finding::status)
                    .findFirst()
                    .orElse(Status.NOT_EVALUATED);
            System.out.printf(
                    "%-5s %-45s %-22s %-15s %s%n",
                    row.cis(),
                    row.situation(),
                    row.check(),
                    answer.word(),
                    answer == row.right()
                            ? "right"
                            : "WRONG, should be " + row.right().word());
            if (answer != row.right()) {
                wrong.add(row.toString());
            }
        }
        System.out.println(ROWS.size() + " situations, " + facts.containers().size() + " containers");
        return wrong;
    }
}
