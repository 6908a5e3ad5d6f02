package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Listeners of a program that is built with gcc.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SeccompListenerTest {
    private static final int EACCES = 13;

    /// Asks about getppid, has children that end at once, or one that nobody reaps.
    private static final String ASKING = """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <linux/filter.h>
            #include <linux/seccomp.h>
            #include <stdio.h>
            #include <string.h>
            #include <sys/prctl.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static void listen_for(int number) {
                struct sock_filter code[] = {
                    {0x20, 0, 0, 0}, {0x15, 0, 1, number}, {0x06, 0, 0, SECCOMP_RET_USER_NOTIF},
                    {0x06, 0, 0, SECCOMP_RET_ALLOW}};
                struct sock_fprog program = {4, code};
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, 1, 8, &program) < 0)
                    _exit(9);
            }
            int main(int count, char **argv) {
                if (count != 2)
                    return 8;
                setvbuf(stdout, NULL, _IOLBF, 0);
                if (!strcmp(argv[1], "children")) {
                    for (;;) {
                        if (fork() == 0) {
                            for (int i = 0; i < 40; i++)
                                dup(1);
                            _exit(0);
                        }
                        wait(NULL);
                    }
                }
                if (!strcmp(argv[1], "zombie")) {
                    int child = fork();
                    if (child == 0)
                        _exit(0);
                    siginfo_t info;
                    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
                    printf("%d\\n", child);
                    pause();
                }
                listen_for(SYS_getppid);
                puts("ready");
                for (;;) {
                    long answer = syscall(SYS_getppid, 1, 2);
                    printf("%ld %d\\n", answer, answer < 0 ? errno : 0);
                    if (answer < 0 && errno == ETIMEDOUT)
                        return 0;
                }
            }
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void compile() throws Exception {
        Files.writeString(directory.resolve("asking.c"), ASKING);
        Process compiler = new ProcessBuilder("gcc", "-O1", "-o", "asking", "asking.c")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(said).isZero();
    }

    @AfterEach
    void end() {
        for (Process process : started) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Test
    void a_call_is_received_with_its_registers_and_answered() throws Exception {
        Process process = start("one");
        BufferedReader lines = process.inputReader();
        assertThat(lines.readLine()).isEqualTo("ready");
        int pid = (int) process.pid();
        try (SeccompListener listener = SeccompListener.of(pid).orElseThrow()) {
            SeccompListener.Call call = next(listener);
            assertThat(call.pid()).isEqualTo(pid);
            assertThat(call.arguments().subList(0, 2)).containsExactly(1L, 2L);
            assertThat(listener.isWaiting(call)).isTrue();
            assertThat(listener.state()).isEqualTo(SeccompListener.State.NOTHING);
            listener.letPass(call);
            assertThat(lines.readLine()).isEqualTo(ProcessHandle.current().pid() + " 0");
            listener.refuse(next(listener), EACCES);
            assertThat(lines.readLine()).isEqualTo("-1 " + EACCES);

            SeccompListener.Call last = next(listener);
            process.destroyForcibly().waitFor();

            assertThat(listener.isWaiting(last)).isFalse();
            listener.refuse(last, EACCES); // nobody is there: nothing happens
            listener.letPass(last);
            assertThat(listener.state()).isEqualTo(SeccompListener.State.ENDED);
        }
    }

    @Test
    void a_process_that_holds_none_or_has_ended_gives_none() throws Exception {
        assertThat(SeccompListener.of((int) ProcessHandle.current().pid())).isEmpty();
        assertThat(SeccompListener.of(1 << 22)).isEmpty();
        Process parent = start("zombie");
        int zombie = Integer.parseInt(parent.inputReader().readLine());
        assertThat(Files.readString(Path.of("/proc/" + zombie + "/stat"))).contains(") Z ");
        assertThat(SeccompListener.of(zombie)).isEmpty();
    }

    @Test
    void a_process_that_ends_while_it_is_looked_at_gives_none() throws Exception {
        var children = new ArrayList<Path>();
        for (int parents = 0; parents < 4; parents++) {
            long parent = start("children").pid();
            children.add(Path.of("/proc/" + parent + "/task/" + parent + "/children"));
        }
        long until = System.nanoTime() + Duration.ofSeconds(8).toNanos();
        int looked = 0;
        while (System.nanoTime() < until) {
            for (Path file : children) {
                String child = Files.readString(file).strip();
                if (!child.isEmpty()) {
                    assertThat(SeccompListener.of(Integer.parseInt(child))).isEmpty();
                    looked++;
                }
            }
        }
        assertThat(looked).isGreaterThan(50);
    }

    /// Every second request that the answering process makes of the kernel is ended by a signal, whose part strace(1)
    /// takes: so each is that is made again and each that follows one.
    @Test
    void an_answer_is_given_though_signals_come() throws Exception {
        Process asking = start("one");
        BufferedReader lines = asking.inputReader();
        assertThat(lines.readLine()).isEqualTo("ready");
        var command = new ArrayList<>(List.of("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"));
        command.addAll(List.of("-e", "trace=ioctl", "-e", "inject=ioctl:error=EINTR:when=1+2"));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                Answering.class.getName(),
                Long.toString(asking.pid())));
        Process answering = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(answering);

        assertThat(answering.inputReader().lines()).containsExactly("waits: true", "waits: true");
        assertThat(lines.readLine()).isEqualTo(ProcessHandle.current().pid() + " 0");
        assertThat(lines.readLine()).isEqualTo("-1 " + EACCES);
    }

    /// A process that lets a call of another pass and refuses the next.
    static final class Answering {
        public static void main(String[] arguments) throws InterruptedException {
            try (SeccompListener listener =
                    SeccompListener.of(Integer.parseInt(arguments[0])).orElseThrow()) {
                listener.letPass(told(listener));
                listener.refuse(told(listener), EACCES);
            }
        }

        private static SeccompListener.Call told(SeccompListener listener) throws InterruptedException {
            while (listener.state() != SeccompListener.State.WAITING) {
                Thread.sleep(1);
            }
            Optional<SeccompListener.Call> call = listener.receive();
            while (call.isEmpty()) {
                call = listener.receive();
            }
            System.out.println("waits: " + listener.isWaiting(call.get()));
            return call.get();
        }
    }

    private static String classPath() throws URISyntaxException {
        var paths = new ArrayList<String>();
        Path own = Path.of(SeccompListenerTest.class
                .getResource("SeccompListenerTest.class")
                .toURI());
        paths.add(own.resolve("../../../..").normalize().toString());
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }

    private static SeccompListener.Call next(SeccompListener listener) throws InterruptedException {
        while (listener.state() != SeccompListener.State.WAITING) {
            Thread.sleep(1);
        }
        return listener.receive().orElseThrow();
    }

    private Process start(String... arguments) throws IOException {
        var command = new ArrayList<String>();
        command.add(directory.resolve("asking").toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return process;
    }
}
