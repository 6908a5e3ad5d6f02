package dev.caisson.hostaudit;

import dev.caisson.hostaudit.kernel.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// For each check of containers a bad container and a good one, and what the kernel shows of the bad one
/// alone.
final class ContainerCases {
    /// The command of a container that needs none.
    static final String SLEEP = "bb sleep 600";

    /// @param bad arguments of `docker run`, up to the image; `{dir}` stands for the daemon's directory
    /// @param after commands of docker once it runs; `{name}` stands for the container
    /// @param truth holds for process 1 of the bad container and not for the good one's, from /proc alone
    record Case(
            String check, String bad, String good, List<String> after, List<String> afterGood, Predicate<Long> truth) {
        String badName() {
            return "bad-" + check;
        }

        String goodName() {
            return "good-" + check;
        }
    }

    static final List<Case> ALL = new ArrayList<>();

    private ContainerCases() {}

    private static void add(String check, String bad, String good, Predicate<Long> truth) {
        ALL.add(new Case(check, image(bad), image(good), List.of(), List.of(), truth));
    }

    private static void entered(String check, String run, String bad, String good, Predicate<Long> truth) {
        ALL.add(new Case(check, image(run), image(run), List.of(bad), List.of(good), truth));
    }

    private static String image(String options) {
        return options.contains(" bb") || options.startsWith("bb") || options.contains("exposing")
                ? options
                : options + " " + SLEEP;
    }

    private static String read(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/" + file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Predicate<Long> status(String line) {
        return pid -> read(pid, "status").contains(line);
    }

    private static boolean isShellServer(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/exe")).endsWith("usr/sbin/sshd");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Predicate<Long> mounts(Predicate<String> line) {
        return pid -> read(pid, "mountinfo").lines().anyMatch(line);
    }

    private static Predicate<Long> hasNamespaceOf(String kind) {
        return pid -> {
            try {
                Path own = Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + kind));
                long shim = Long.parseLong(read(pid, "status")
                        .lines()
                        .filter(text -> text.startsWith("PPid:"))
                        .findFirst()
                        .orElseThrow()
                        .substring(5)
                        .strip());
                return own.equals(Files.readSymbolicLink(Path.of("/proc/" + shim + "/ns/" + kind)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    /// A limit file of the container's own v1 group.
    private static Predicate<Long> group(String controller, String file, String value) {
        return pid -> {
            String path = read(pid, "cgroup")
                    .lines()
                    .map(line -> line.split(":", 3))
                    .filter(cells -> cells[1].equals(controller))
                    .map(cells -> cells[2])
                    .findFirst()
                    .orElseThrow();
            try {
                return Files.readString(Path.of("/sys/fs/cgroup/" + controller + path, file))
                        .strip()
                        .equals(value);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    /// What only the engine or the runtime knows: the kernel shows nothing of it in the container's own
    /// processes.
    static final Set<String> TOLD_BY_THE_ENGINE = Set.of(
            "filter-too-wide",
            "health-unknown",
            "image-superseded",
            "log-endless",
            "port-everywhere",
            "ports-unneeded",
            "ports-unpublished-open",
            "privileged-port",
            "restart-unbounded",
            "userns-host");

    private static boolean anything(long pid) {
        return pid > 0;
    }

    /// Whether some process of the same pid namespace is so.
    private static Predicate<Long> member(Predicate<Long> process) {
        return pid -> {
            Path namespace = Path.of("/proc/" + pid + "/ns/pid");
            return Proc.pids().stream()
                    .filter(other ->
                            Proc.link(Path.of("/proc/" + other + "/ns/pid")).equals(Proc.link(namespace)))
                    .anyMatch(process);
        };
    }

    static {
        add("capabilities-wide", "--cap-add SYS_ADMIN", "--cap-drop ALL", pid -> (bounding(pid) & 1L << 21) != 0);
        add("privileged-in-effect", "--privileged", "", pid -> (bounding(pid) & 1L << 16) != 0);
        add(
                "host-directory",
                "--volume /etc/shadow:/x",
                "--volume named:/usr/local",
                // the file system's own path of it, which is longer where this machine's root is a directory of it
                mounts(line -> line.contains("/etc/shadow /x ")));
        add("remote-shell", "bb /usr/sbin/sshd", "", ContainerCases::isShellServer);
        add("host-net", "--network container:bad-host-utsns", "", hasNamespaceOf("net"));
        add("host-pids", "--pid host", "", hasNamespaceOf("pid"));
        add("host-ipcs", "--ipc host", "", hasNamespaceOf("ipc"));
        add("host-utsns", "--network host --uts host", "", hasNamespaceOf("uts"));
        add("memory-unbounded", "", "--memory 64m", group("memory", "memory.limit_in_bytes", "9223372036854771712"));
        add("cpu-unbounded", "--cpu-shares 1024", "--cpu-quota 50000", group("cpu", "cpu.cfs_quota_us", "-1"));
        add("pids-unbounded", "", "--pids-limit 64", group("pids", "pids.max", "max"));
        add("root-writable-live", "", "--read-only", mounts(line -> line.contains(" / / rw")));
        add("disk-unbounded", "", "--read-only", mounts(line -> line.contains(" / / rw")));
        add(
                "host-devices",
                "--volume /dev:/dev --device-cgroup-rule a\u00a0*:*\u00a0rwm",
                "",
                pid -> Files.exists(Path.of("/proc/" + pid + "/root/dev/kmsg")));
        add(
                "ulimits-inherited",
                "",
                "--ulimit nofile=1024:4096",
                pid -> read(pid, "limits")
                        .lines()
                        .noneMatch(line -> line.startsWith("Max open files            1024 ")));
        add(
                "mount-propagates",
                "--volume {dir}/shared:/m:rshared",
                "--volume {dir}/shared:/m:rprivate",
                mounts(line -> line.contains(" /m ") && line.contains(" shared:")));
        add("filter-off", "--security-opt seccomp=unconfined", "", status("Seccomp:\t0"));
        add("filter-too-wide", "--security-opt seccomp={dir}/allow.json", "", ContainerCases::anything);
        entered(
                "exec-privileged",
                "--cap-drop NET_RAW",
                "exec --detach --privileged {name} sleep 600",
                "exec --detach {name} sleep 600",
                member(pid -> (bounding(pid) & 1L << 16) != 0));
        entered(
                "exec-root",
                "--user 65532",
                "exec --detach --user 0 {name} sleep 600",
                "exec --detach {name} sleep 600",
                member(status("Uid:\t0")));
        add("container-root", "--user 0:0", "--user 65532", status("Uid:\t0"));
        add(
                "cgroup-unexpected",
                "--cgroup-parent /caisson-hostaudit-test",
                "",
                pid -> read(pid, "cgroup").contains("/caisson-hostaudit-test/"));
        add(
                "privileges-gainable",
                "--security-opt no-new-privileges:false",
                "--security-opt no-new-privileges",
                status("NoNewPrivs:\t0"));
        add(
                "engine-socket-inside",
                "--volume {dir}:/hostrun",
                "",
                pid -> Files.exists(Path.of("/proc/" + pid + "/root/hostrun/docker.sock")));
        add(
                "kernel-paths-open",
                "--security-opt systempaths=unconfined",
                "",
                mounts(line -> line.contains(" /proc "))
                        .and(mounts(line -> line.contains(" /proc/sys ")).negate()));
        add(
                "ports-unpublished-open",
                "bb actor listen 7777",
                "--publish 127.0.0.1:8090:7777 bb actor listen 7777",
                ContainerCases::anything);
        add("ambient-capabilities", "bb actor ambient", "", status("CapAmb:\t0000000000000001"));
        add("uids-shared", "", "--user 12345", status("Uid:\t0"));
        add("userns-host", "--userns host", "", ContainerCases::anything);
        add("privileged-port", "--publish 127.0.0.1:22:22", "--publish 127.0.0.1:8022:22", ContainerCases::anything);
        add(
                "ports-unneeded",
                "--publish 127.0.0.1:8081:81",
                "--publish 127.0.0.1:8082:80 exposing sleep 600",
                ContainerCases::anything);
        add("port-everywhere", "--publish 8024:22", "--publish 127.0.0.1:8025:22", ContainerCases::anything);
        add("restart-unbounded", "--restart always", "--restart on-failure:5", ContainerCases::anything);
        add("health-unknown", "", "--health-cmd true", ContainerCases::anything);
        add("image-superseded", "bb-moved sleep 600", "", ContainerCases::anything);
        add("bridge-default", "", "--network none", pid -> read(pid, "net/dev").contains("eth0"));
        add("log-endless", "", "--log-opt max-size=1m", ContainerCases::anything);
        add(
                "secret-in-env-live",
                "--env DB_PASSWORD=hunter2xyz",
                "--env DB_PASSWORD_FILE=/run/secrets/db",
                pid -> read(pid, "environ").contains("DB_PASSWORD=hunter2xyz"));
        add(
                "claim-contradicted",
                "--memory 64m",
                "--memory 64m",
                group("memory", "memory.limit_in_bytes", "9223372036854771712"));
        ALL.sort(java.util.Comparator.comparing(each -> !each.check().equals("host-utsns")));
    }

    private static long bounding(long pid) {
        return read(pid, "status")
                .lines()
                .filter(line -> line.startsWith("CapBnd:"))
                .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                .findFirst()
                .orElseThrow();
    }

    /// The words of a command; a word with spaces has hard ones.
    static List<String> words(String text, Function<String, String> fill) {
        List<String> words = new ArrayList<>();
        for (String word : text.split(" ", -1)) {
            if (!word.isEmpty()) {
                words.add(fill.apply(word.replace('\u00a0', ' ')));
            }
        }
        return words;
    }
}
