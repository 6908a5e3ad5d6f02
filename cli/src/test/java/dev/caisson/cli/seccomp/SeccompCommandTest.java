package dev.caisson.cli.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeccompCommandTest {
    private record Answer(int status, String out, String err) {}

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    @Test
    void a_compiled_profile_is_the_same_filter_in_a_file() {
        String file = directory.resolve("strict.bpf").toString();

        Answer compiled = caisson("compile", "strict", "-o", file);

        assertThat(compiled.status()).isZero();
        assertThat(compiled.out()).contains(" instructions for ", "calls allowed", "bitmap");
        assertThat(caisson("diff", "strict", file).out()).startsWith("0 differences");
        assertThat(caisson("diff", "strict", file).status()).isZero();
    }

    @Test
    void a_filter_for_another_machine_is_compiled_here() {
        assertThat(caisson("compile", "default", "--arch", "arm64", "--caps", "ALL", "--kernel", "5.10")
                        .out())
                .contains("AARCH64");
        assertThat(caisson("compile", "default", "--arch", "vax").err()).contains("UNKNOWN_ARCHITECTURE");
        assertThat(caisson("compile", "default", "--caps", "CAP_NONSENSE").err())
                .startsWith("caisson: USAGE");
    }

    @Test
    void explain_tells_the_ways_of_a_call_and_the_rule_for_arguments() {
        assertThat(caisson("explain", "standard").out()).contains("calls: ").contains("socket");
        assertThat(caisson("explain", "standard", "socket").out()).contains("arg0[0] == 1");
        assertThat(caisson("explain", "standard", "--arch", "x86_64", "socket", "0x10000000a", "1")
                        .out())
                .startsWith("X86_64 socket(AF_INET6, SOCK_STREAM, 0): ALLOW")
                .contains("rule ");
        assertThat(caisson("explain", "standard", "--arch", "x86_64", "pidfd_getfd")
                        .out())
                .contains("CAP_SYS_PTRACE");
        assertThat(caisson("explain", "standard", "no_such_call").err()).contains("USAGE");
        assertThat(caisson("explain", "standard", "read", "1z").err()).contains("USAGE");
    }

    @Test
    void diff_shows_what_the_second_lets_through() {
        Answer answer = caisson("diff", "strict", "standard");

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.out()).contains("\n+ ").contains("lets more through in ");
    }

    @Test
    void lint_fails_for_a_profile_under_which_nothing_starts() throws IOException {
        String file = profile("""
                {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}""");

        assertThat(caisson("lint", "standard").status()).isZero();
        Answer answer = caisson("lint", file);
        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.out()).contains("NEEDS_EXECVEAT");
    }

    @Test
    void verify_compares_the_filter_with_the_rules() {
        assertThat(caisson("verify", "standard", "--arch", "x86_64").out())
                .endsWith("decisions compared, all as the profile says\n");
    }

    @Test
    void merged_and_exported_profiles_are_profiles() throws IOException {
        String merged = profile(caisson("merge", "standard", "standard").out());
        assertThat(caisson("diff", "standard", merged).out()).startsWith("0 differences");
        Answer exported = caisson("export", "standard");
        assertThat(exported.status()).isZero();
        assertThat(caisson("diff", "standard", profile(exported.out())).out()).startsWith("0 differences");
    }

    @Test
    void what_a_runtime_needs_is_told_when_a_profile_is_exported_for_it() throws IOException {
        Answer exported = caisson("export", "--for", "runc", "strict");

        assertThat(exported.status()).isZero();
        assertThat(exported.err()).contains("because runc needs them: ").contains(" execve ");
        assertThat(caisson("diff", "strict", profile(exported.out())).out()).contains("execve");
        assertThat(caisson("export", "--for", "lxc", "strict").err()).startsWith("caisson: USAGE: ");
    }

    @Test
    void differences_of_errors_alone_can_be_left_out() throws IOException {
        String one = profile("""
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
                """);
        String other = profile(Files.readString(Path.of(one)).replace("\"errnoRet\": 1", "\"errnoRet\": 38"));
        Answer all = caisson("diff", one, other);
        Answer without = caisson("diff", "--ignore-errno", one, other);

        assertThat(all.status()).isEqualTo(1);
        assertThat(without.status()).isZero();
        assertThat(without.out()).startsWith("0 differences");
    }

    @Test
    void what_cannot_be_read_is_said_so() {
        assertThat(caisson("lint", "/no/such/file").err())
                .isEqualTo("caisson: FILE_REFUSED: /no/such/file cannot be read; give standard, strict, a profile or a "
                        + ".bpf file (there is no such file)\n");
        assertThat(run("--security-opt", "seccomp=/no/such/file", "host", "true")
                        .err())
                .isEqualTo("caisson: OPTION_REFUSED: --security-opt seccomp /no/such/file: the file cannot be read "
                        + "(there is no such file)\n");
        assertThat(caisson().err()).startsWith("caisson: USAGE: ");
    }

    @Test
    @Tag("root")
    void a_run_that_fails_tells_what_was_denied_and_what_would_allow_it() {
        Answer answer = run("--rm", "host", "--", "sh", "-c", "unshare --user true 2>/dev/null");

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.err()).contains("caisson: DENIED: ", "unshare(CLONE_NEWUSER) → ERRNO(EPERM)", "/unshare");
        assertThat(answer.err()).contains("--cap-add SYS_ADMIN");
        assertThat(run("--rm", "host", "--", "sh", "-c", "unshare --user true 2>/dev/null || true")
                        .err())
                .isEmpty();
        assertThat(run("--rm", "--seccomp-mode", "complain", "host", "--", "true")
                        .err())
                .contains("unconfined-seccomp");
    }

    @Test
    @Tag("root")
    void what_a_running_container_is_denied_is_watched_from_outside() throws InterruptedException, IOException {
        assumeTrue(
                Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString().equals("pid:[4026531836]"),
                "the tests have a pid namespace of their own");
        String name = "watched-" + ProcessHandle.current().pid();
        String script = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 0.2; unshare --user true; done 2>/dev/null; :";
        Thread container = Thread.ofPlatform()
                .start(() -> run("--rm", "--name", name, "--seccomp-mode", "quiet", "host", "--", "sh", "-c", script));
        Answer answer = caisson("watch", "--for", "3s", "--format", "json", name);
        while (answer.err().contains("CONTAINER_UNKNOWN") && container.isAlive()) {
            Thread.sleep(100);
            answer = caisson("watch", "--for", "3s", "--format", "json", name);
        }
        container.join();

        assertThat(answer.status()).as(answer.err()).isZero();
        assertThat(answer.out().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("unshare(CLONE_NEWUSER)\",\"answer\":\"ERRNO(EPERM)\""))
                .allMatch(line -> line.contains("--cap-add SYS_ADMIN"));
        assertThat(answer.out()).startsWith("{\"event\":\"denied\"").contains("{\"event\":\"total\"");
        assertThat(caisson("watch", Long.toString(ProcessHandle.current().pid()))
                        .err())
                .startsWith("caisson: HOST_PROCESS: ");
    }

    @Test
    @Tag("root")
    void a_recorded_run_is_a_profile_under_which_the_program_runs() throws IOException {
        String file = directory.resolve("recorded.json").toString();

        Answer recorded =
                caisson("record", "-o", file, "--", "run", "--rm", "host", "--", "sh", "-c", "id -u >/dev/null");

        assertThat(recorded.status()).as(recorded.err()).isZero();
        assertThat(recorded.err()).contains("calls recorded in ");
        assertThat(caisson("lint", file).status()).isZero();
        assertThat(run("--rm", "--security-opt", "seccomp=" + file, "host", "--", "sh", "-c", "id -u >/dev/null")
                        .status())
                .isZero();
        assertThat(run(
                                "--rm",
                                "--security-opt",
                                "seccomp=" + file,
                                "host",
                                "--",
                                "sh",
                                "-c",
                                "mkdir /tmp/a 2>/dev/null")
                        .status())
                .isNotZero();
    }

    @Test
    @Tag("root")
    void a_recorded_run_is_a_run_with_its_limits_notices_and_verdict() {
        String file = directory.resolve("recorded.json").toString();

        Answer flooding = caisson(
                "record", "-o", file, "--", "run", "--rm", "--output-limit", "1k", "host", "--", "sh", "-c", "yes >&2");
        Answer allowed = caisson(
                "record", "-o", file, "--", "run", "--rm", "--privileged", "--allow", "privileged", "host", "true");

        assertThat(flooding.err()).contains("caisson: OUTPUT: ", "calls recorded in ");
        assertThat(flooding.status()).isNotZero();
        assertThat(allowed.err()).contains("caisson: allowed: privileged opens: ");
        assertThat(caisson("record", "-o", file, "--", "run", "-t", "host", "true")
                        .err())
                .startsWith("caisson: USAGE: ")
                .contains("-t");
        assertThat(caisson("record", Long.toString(ProcessHandle.current().pid()))
                        .err())
                .startsWith("caisson: HOST_PROCESS: ");
    }

    @Test
    @Tag("root")
    void a_run_that_learns_writes_a_profile_under_which_it_passes() throws IOException {
        String file = directory.resolve("learned.json").toString();
        String script = "mkdir /tmp/made && ls -d /tmp/made >/dev/null; unshare --user true 2>/dev/null; exit 3";
        String[] program = {"host", "--", "sh", "-c", script};

        Answer learned = run(all(
                program,
                "--rm",
                "--security-opt",
                "seccomp=strict",
                "--allow",
                "unconfined-seccomp",
                "--seccomp-mode",
                "learn",
                "--seccomp-learned",
                file));

        assertThat(learned.status()).as(learned.err()).isEqualTo(3);
        assertThat(learned.err())
                .contains(
                        "caisson: allowed: unconfined-seccomp opens: ",
                        "WOULD DENY: X86_64 ",
                        "caisson: learned: " + file + " allows, beside what the profile does:",
                        "caisson:   mkdir, of the group path\n",
                        "caisson:   unshare, of the group ",
                        "its risk: ");
        assertThat(caisson("diff", "strict", file).out()).contains("mkdir").doesNotContain("mount");
        Answer again = run(all(program, "--rm", "--security-opt", "seccomp=" + file));
        assertThat(again.status()).as(again.err()).isEqualTo(3);
        assertThat(again.err()).doesNotContain("mkdir");
    }

    private static String[] all(String[] last, String... first) {
        return java.util.stream.Stream.concat(java.util.Arrays.stream(first), java.util.Arrays.stream(last))
                .toArray(String[]::new);
    }

    @Test
    void learning_is_refused_before_the_run_where_it_makes_no_profile() {
        assertThat(run("--seccomp-mode", "learn", "host", "true").err()).contains("unconfined-seccomp");
        assertThat(run(
                                "--allow",
                                "unconfined-seccomp",
                                "--seccomp-mode",
                                "learn",
                                "--seccomp-learned",
                                "/no/such/directory/file",
                                "host",
                                "true")
                        .err())
                .startsWith("caisson: FILE_REFUSED: ");
        assertThat(run("--seccomp-learned", "file", "host", "true").err()).contains("OPTION_REFUSED", "learn");
        assertThat(caisson("record", "--", "run", "--seccomp-mode", "learn", "host", "true")
                        .err())
                .startsWith("caisson: USAGE: ");
        assertThat(run("--privileged", "--allow", "privileged", "--seccomp-mode", "learn", "host", "true")
                        .err())
                .contains("OPTIONS_CONTRADICT");
    }

    @Test
    void a_profile_is_refused_where_no_filter_would_be() throws IOException {
        String bad = profile("{\"defaultAction\": 7}");
        for (String choice : new String[] {"default", "strict", bad}) {
            Answer answer =
                    run("--privileged", "--allow", "privileged", "--security-opt", "seccomp=" + choice, "host", "true");

            assertThat(answer.status()).as(choice).isEqualTo(125);
            assertThat(answer.err()).as(choice).containsAnyOf("OPTIONS_CONTRADICT", "OPTION_REFUSED");
        }
    }

    @Test
    void a_recorder_is_chosen_by_name() {
        assertThat(caisson("record", "--recorder", "strace", "--", "run", "host", "true")
                        .err())
                .startsWith("caisson: USAGE: ")
                .contains("auto, ebpf or notify");
        assertThat(caisson("record", "--recorder", "notify", "1").err())
                .startsWith("caisson: OPTION_REFUSED: ")
                .contains("before the program starts");
        assertThat(caisson("record", "--recorder", "notify", "--", "run", "--seccomp-mode", "quiet", "host", "true")
                        .err())
                .startsWith("caisson: OPTION_REFUSED: ")
                .contains("--recorder ebpf");
    }

    @Test
    @Tag("root")
    void a_run_is_recorded_by_its_own_filter_too() {
        String file = directory.resolve("notified.json").toString();

        Answer recorded = caisson(
                "record",
                "--recorder",
                "notify",
                "-o",
                file,
                "--",
                "run",
                "--rm",
                "host",
                "--",
                "sh",
                "-c",
                "id -u >/dev/null; exit 3");

        assertThat(recorded.status()).as(recorded.err()).isEqualTo(3);
        assertThat(recorded.err()).contains("calls recorded in ", "by the filter's notifications");
        assertThat(caisson("lint", file).status()).isZero();
        String[] again = {"--rm", "--security-opt", "seccomp=" + file, "host", "--", "sh", "-c", "id -u >/dev/null"};
        assertThat(run(again).status()).isZero();
    }

    /// The program enosys(1) takes a call away from a process and its children, as a kernel without
    /// it would.
    @Test
    @Tag("root")
    void without_bpf_a_run_is_recorded_by_its_filter_and_a_container_is_refused() throws Exception {
        String file = directory.resolve("notified.json").toString();

        Answer recorded = withoutBpf("record", "-o", file, "--", "run", "--rm", "host", "--", "true");
        Answer forced = withoutBpf("record", "--recorder", "ebpf", "-o", file, "--", "run", "--rm", "host", "true");
        Process running = new ProcessBuilder("unshare", "--pid", "--fork", "sleep", "60").start();
        Answer foreign;
        try {
            long sleeper;
            do {
                Thread.sleep(10);
                sleeper = running.children()
                        .mapToLong(ProcessHandle::pid)
                        .findAny()
                        .orElse(0);
            } while (sleeper == 0);
            foreign = withoutBpf("record", "-o", file, Long.toString(sleeper));
        } finally {
            running.descendants().forEach(ProcessHandle::destroyForcibly);
            running.destroyForcibly();
        }

        assertThat(recorded.status()).as(recorded.err()).isZero();
        assertThat(recorded.err())
                .contains("no eBPF recorder (bpf MAP_CREATE: ENOSYS)", "by the filter's notifications");
        assertThat(forced.err()).contains("RECORDER_REFUSED", "CAP_BPF");
        assertThat(foreign.err()).contains("RECORDER_REFUSED", "--recorder notify");
    }

    private static Answer withoutBpf(String... arguments) throws Exception {
        var command = new java.util.ArrayList<>(java.util.List.of("enosys", "--syscall", "bpf"));
        command.addAll(CommandProcess.words("seccomp"));
        command.addAll(java.util.List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), "", said);
    }

    private static Answer run(String... arguments) {
        var all = new java.util.ArrayList<>(java.util.List.of("run"));
        all.addAll(java.util.List.of(arguments));
        return execute(all);
    }

    private String profile(String json) throws IOException {
        return Files.writeString(Files.createTempFile(directory, "profile", ".json"), json)
                .toString();
    }

    private static Answer caisson(String... arguments) {
        var all = new java.util.ArrayList<>(java.util.List.of("seccomp"));
        all.addAll(java.util.List.of(arguments));
        return execute(all);
    }

    private static Answer execute(java.util.List<String> all) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status =
                Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, all.toArray(String[]::new));
        return new Answer(status, out.toString(), err.toString());
    }
}
