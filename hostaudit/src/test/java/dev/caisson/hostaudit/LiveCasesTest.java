package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.kernel.DangerousCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Containers as people run them, good ones and bad ones, each judged by the check that it is about.
@Tag("peers")
@Timeout(600)
class LiveCasesTest {
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final String SLEEP = " bb sleep 600";

    private static Path work = Path.of("");
    private static Optional<Dockerd> started = Optional.empty();
    private static List<Finding> findings = List.of();

    /// @param name of the container
    /// @param how `run`, `create` or `loop`: one that is restarted again and again
    /// @param entered arguments of `docker exec` after the start, empty for none
    record LiveCase(String name, String how, String options, String entered, String check, Status status) {
        @Override
        public String toString() {
            return name + " " + check;
        }
    }

    private static LiveCase run(String name, String options, String check, Status status) {
        return new LiveCase(name, "run", options + SLEEP, "", check, status);
    }

    private static LiveCase stopped(String name, String options, String check, Status status) {
        return new LiveCase(name, "create", options + SLEEP, "", check, status);
    }

    private static LiveCase entered(String name, String options, String entered, String check, Status status) {
        return new LiveCase(name, "run", options + SLEEP, entered, check, status);
    }

    static final List<LiveCase> BAD = List.of(
            run("proc", "--volume /proc:/proc_host", "host-directory", Status.FAIL),
            run("procsys", "--volume /proc/sys:/procsys", "kernel-paths-open", Status.FAIL),
            run("cgroups", "--volume /sys/fs/cgroup:/cg", "kernel-paths-open", Status.FAIL),
            run("homes", "--volume /home:/h", "host-directory", Status.FAIL),
            run("linked", "--volume {work}/linked:/s", "engine-socket-inside", Status.FAIL),
            run("linkedfile", "--volume {work}/linked/d.sock:/s", "engine-socket-inside", Status.FAIL),
            run("bound", "--volume evil:/data", "host-directory", Status.FAIL),
            run("quotaall", "--cpus " + PROCESSORS, "cpu-unbounded", Status.FAIL),
            run("periodall", "--cpu-period 50000 --cpu-quota " + PROCESSORS * 50_000, "cpu-unbounded", Status.FAIL),
            run("setall", "--cpuset-cpus 0-" + (PROCESSORS - 1), "cpu-unbounded", Status.FAIL),
            run("memoryall", "--memory 8000g", "memory-unbounded", Status.FAIL),
            stopped("offprivileged", "--privileged", "privileged-in-effect", Status.FAIL),
            stopped("offpid", "--pid host", "host-pids", Status.FAIL),
            stopped("offnet", "--network host", "host-net", Status.FAIL),
            stopped("offroot", "--volume /:/h", "host-directory", Status.FAIL),
            stopped("offsocket", "--volume {work}/d/docker.sock:/s", "engine-socket-inside", Status.FAIL),
            stopped("offfilter", "--security-opt seccomp=unconfined", "filter-off", Status.FAIL),
            stopped("offalways", "--restart always", "restart-unbounded", Status.FAIL),
            stopped("offmemory", "", "memory-unbounded", Status.FAIL),
            stopped("offcaps", "--cap-add SYS_ADMIN", "capabilities-wide", Status.FAIL),
            stopped("offpaths", "--security-opt systempaths=unconfined", "kernel-paths-open", Status.FAIL),
            stopped("offdevices", "--volume /dev:/hostdev", "host-devices", Status.FAIL),
            stopped("offrule", "--device-cgroup-rule b\u00a08:*\u00a0rwm", "host-devices", Status.FAIL),
            stopped("offzero", "--user 00", "container-root", Status.FAIL),
            stopped("offport", "--network bridge --publish 80", "port-everywhere", Status.FAIL),
            stopped("offports", "--network bridge --expose 80 --publish-all", "port-everywhere", Status.FAIL),
            stopped("offmany", "--pids-limit 4194304", "pids-unbounded", Status.FAIL),
            run("many", "--pids-limit 4194304", "pids-unbounded", Status.FAIL),
            new LiveCase(
                    "loop",
                    "loop",
                    "--privileged --restart always bb sleep 0",
                    "",
                    "privileged-in-effect",
                    Status.FAIL),
            entered("execroot", "--user 1000", "--user 0", "exec-root", Status.FAIL),
            entered("execprivileged", "--user 1000", "--privileged", "exec-privileged", Status.FAIL),
            entered("execsecret", "", "--env API_TOKEN=abcdef123456", "secret-in-env-live", Status.FAIL),
            run("mountunless", "--security-opt seccomp={work}/mount-unless.json", "filter-too-wide", Status.FAIL),
            run("bpfunless", "--security-opt seccomp={work}/bpf-unless.json", "filter-too-wide", Status.FAIL),
            run(
                    "webhook",
                    "--env HOOK=https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx",
                    "secret-in-env-live",
                    Status.FAIL),
            new LiveCase(
                    "argument",
                    "run",
                    "bb sh -c sleep\u00a0600;true\u00a0--requirepass\u00a0hunter2xyz",
                    "",
                    "secret-in-env-live",
                    Status.FAIL));

    static final List<LiveCase> GOOD = List.of(
            run("plain", "", "host-directory", Status.PASS),
            run("plain2", "", "kernel-paths-open", Status.PASS),
            run("main", "--ipc shareable", "engine-socket-inside", Status.PASS),
            run("sidecar", "--network container:main --ipc container:main", "host-directory", Status.PASS),
            run("init", "--init", "host-directory", Status.PASS),
            run("zone", "--volume /etc/localtime:/etc/localtime:ro", "host-directory", Status.PASS),
            run("twice", "--volume {work}/twice:/a --volume {work}/twice:/b", "host-directory", Status.PASS),
            run("volume", "--volume named:/usr/local", "host-directory", Status.PASS),
            run("memoryfs", "--tmpfs /run --tmpfs /tmp", "host-directory", Status.PASS),
            run("certificates", "--volume /etc/ssl/certs:/etc/ssl/certs:ro", "host-directory", Status.PASS),
            run("hostpid", "--pid host", "host-directory", Status.PASS),
            run("hostnet", "--network host", "host-directory", Status.PASS),
            run("quota", "--cpus 0.5", "cpu-unbounded", Status.PASS),
            run("period", "--cpu-period 50000 --cpu-quota 25000", "cpu-unbounded", Status.PASS),
            run("set", "--cpuset-cpus 0", "cpu-unbounded", PROCESSORS > 1 ? Status.PASS : Status.FAIL),
            run("equal", "--memory 64m --pids-limit 64 --cpus 0.5", "claim-contradicted", Status.PASS),
            run("memory", "--memory 64m", "memory-unbounded", Status.PASS),
            run("above", "--memory 8000g", "claim-contradicted", Status.PASS),
            stopped("offplain", "--user 1000", "privileged-in-effect", Status.PASS),
            stopped("offprivate", "", "host-pids", Status.PASS),
            stopped("offown", "--volume {work}/twice:/a", "host-directory", Status.PASS),
            stopped("offfiltered", "", "filter-off", Status.PASS),
            stopped("offnull", "--device /dev/null", "host-devices", Status.PASS),
            stopped("offnulls", "--device-cgroup-rule c\u00a01:3\u00a0rwm", "host-devices", Status.PASS),
            stopped("offname", "--network host", "host-utsns", Status.PASS),
            stopped("offloopback", "--network bridge --publish 127.0.0.1::80", "port-everywhere", Status.PASS),
            stopped("offbounded", "--memory 64m", "memory-unbounded", Status.PASS),
            stopped("offuser", "--user 1000", "container-root", Status.PASS),
            stopped("offonce", "--restart on-failure:3", "restart-unbounded", Status.PASS),
            new LiveCase("looping", "loop", "--restart always bb sleep 0", "", "privileged-in-effect", Status.PASS),
            entered("exec", "--user 1000", "", "exec-root", Status.PASS),
            entered("execplain", "", "", "exec-privileged", Status.PASS),
            entered("execrootonly", "--user 1000", "--user 0", "claim-contradicted", Status.PASS),
            entered("execname", "", "--env DB_PASSWORD_FILE=/run/secrets/db", "secret-in-env-live", Status.PASS),
            run("filtered", "", "filter-too-wide", Status.PASS),
            run("bpfone", "--security-opt seccomp={work}/bpf-one.json", "filter-too-wide", Status.PASS),
            run("createmodule", "--security-opt seccomp={work}/create-module.json", "filter-too-wide", Status.PASS),
            run("emptykey", "--env API_KEY=", "secret-in-env-live", Status.PASS));

    static Stream<LiveCase> cases() {
        return Stream.concat(BAD.stream(), GOOD.stream());
    }

    @BeforeAll
    static void start() throws IOException {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-hostaudit");
        Files.createDirectories(work.resolve("linked"));
        Files.createDirectories(work.resolve("twice"));
        profiles();
        Dockerd daemon = Dockerd.start(work.resolve("d"));
        started = Optional.of(daemon);
        new TestImages(daemon, work).imported("bb");
        Files.createLink(work.resolve("linked/d.sock"), daemon.socket());
        daemon.docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", "device=/etc", "evil");
        // those that others join come first
        Stream.concat(GOOD.stream(), BAD.stream()).forEach(each -> start(daemon, each));
        findings = HostAudit.run(LiveRequests.of(Optional.of(daemon.socket()), Path.of("/")))
                .findings();
    }

    private static void start(Dockerd daemon, LiveCase each) {
        List<String> command =
                new ArrayList<>(each.how().equals("create") ? List.of("create") : List.of("run", "--detach"));
        command.addAll(List.of("--name", each.name()));
        if (!each.options().contains("--network")) {
            command.addAll(List.of("--network", "none"));
        }
        command.addAll(ContainerCases.words(each.options(), word -> word.replace("{work}", work.toString())));
        daemon.docker(command);
        if (each.name().startsWith("exec")) {
            List<String> enter = new ArrayList<>(List.of("exec", "--detach"));
            enter.addAll(ContainerCases.words(each.entered(), word -> word));
            enter.addAll(List.of(each.name(), "sleep", "600"));
            daemon.docker(enter);
        }
    }

    /// Profiles that forbid all dangerous calls, and one of them in part.
    private static void profiles() throws IOException {
        profile(
                "mount-unless",
                "mount",
                "\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":3,\"value\":4096,\"op\":\"SCMP_CMP_EQ\"}]");
        String names = String.join("\",\"", DangerousCalls.ALL);
        Files.writeString(
                work.resolve("bpf-unless.json"),
                allowing(
                        "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}",
                        "bpf"));
        Files.writeString(
                work.resolve("bpf-one.json"),
                allowing(
                        "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":7,\"op\":\"SCMP_CMP_NE\"}]}",
                        "bpf"));
        Files.writeString(
                work.resolve("create-module.json"),
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
                        + "{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ERRNO\"}".formatted(names) + "]}");
    }

    private static void profile(String file, String call, String action) throws IOException {
        Files.writeString(
                work.resolve(file + ".json"),
                allowing("{\"names\":[\"" + call + "\"],\"action\":" + action + "}", call));
    }

    /// All is allowed but dangerous calls, and `rule` decides for one of those.
    private static String allowing(String rule, String call) {
        String others = DangerousCalls.ALL.stream()
                .filter(name -> !name.equals(call))
                .collect(java.util.stream.Collectors.joining("\",\"", "\"", "\""));
        return "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[" + others
                + "],\"action\":\"SCMP_ACT_ERRNO\"}," + rule + "]}";
    }

    @AfterAll
    static void stop() {
        started.ifPresent(Dockerd::close);
        Dockerd.remove(work);
    }

    private static List<Finding> of(String container) {
        return findings.stream()
                .filter(finding -> finding.subject().equals(new Subject(Subject.Kind.CONTAINER, container)))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void each_container_is_judged_rightly(LiveCase each) {
        assertThat(of(each.name()))
                .filteredOn(finding -> finding.check().name().equals(each.check()))
                .singleElement()
                .satisfies(finding ->
                        assertThat(finding.status()).as(finding.message()).isEqualTo(each.status()));
    }

    @Test
    void there_are_as_many_good_cases_as_bad_ones() {
        assertThat(GOOD.size()).isGreaterThanOrEqualTo(BAD.size());
    }

    @Test
    void who_enters_with_privileges_is_one_finding_beyond_those_of_the_container() {
        List<String> more = failed("execprivileged");
        more.removeAll(failed("exec"));

        assertThat(more).containsExactly("exec-privileged");
    }

    private static List<String> failed(String container) {
        return new ArrayList<>(of(container).stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.check().name())
                .toList());
    }

    @Test
    void nothing_is_not_evaluated_for_a_container_that_is_restarted_again_and_again() {
        assertThat(of("loop")).isNotEmpty().noneMatch(finding -> finding.status() == Status.NOT_EVALUATED);
    }
}
