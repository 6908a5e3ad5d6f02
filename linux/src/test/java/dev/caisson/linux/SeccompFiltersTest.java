package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SeccompFiltersTest {
    /// Leaves a process behind that loads two filters which allow everything, the second two instructions long,
    /// writes its pid to a file and answers each byte of a FIFO with one in another file.
    private static final String FILTERED = """
            #include <fcntl.h>
            #include <linux/filter.h>
            #include <linux/seccomp.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <sys/prctl.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static void tell(const char *file, int value) {
                FILE *out = fopen("new", "w");
                if (!out || fprintf(out, "%d", value) < 0 || fclose(out) || rename("new", file))
                    _exit(1);
            }
            int main(int argc, char **argv) {
                struct sock_filter one[] = {{0x06, 0, 0, SECCOMP_RET_ALLOW}};
                struct sock_filter two[] = {{0x20, 0, 0, 4}, {0x06, 0, 0, SECCOMP_RET_ALLOW}};
                struct sock_fprog a = {1, one}, b = {2, two};
                char c;
                if (fork())
                    return 0;
                if (argc > 1 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, 1, 0, &a)
                    || syscall(SYS_seccomp, 1, 0, &b)))
                    return 1;
                int fifo = open("fifo", O_RDWR);
                tell("pid", getpid());
                if (read(fifo, &c, 1) == 1)
                    tell("answer", c);
                return 0;
            }
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private int pid;

    @BeforeEach
    void compile() throws Exception {
        Path source = Files.writeString(directory.resolve("filtered.c"), FILTERED);
        run("gcc", "-o", "filtered", source.toString());
        run("mkfifo", "fifo");
    }

    @AfterEach
    void end() {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void the_filters_of_a_running_process_are_read_and_it_goes_on() throws Exception {
        start("./filtered", "with");

        List<byte[]> filters = SeccompFilters.of(pid);

        assertThat(filters).hasSize(2);
        assertThat(filters.getLast()).hasSize(16);
        ByteBuffer older = ByteBuffer.wrap(filters.getFirst()).order(ByteOrder.nativeOrder());
        assertThat(older.remaining()).isEqualTo(8);
        assertThat(older.getShort()).isEqualTo((short) 6);
        assertThat(older.getInt(4)).isEqualTo(0x7fff0000);
        assertThat(SeccompFilters.of(pid)).as("a second time").hasSize(2);
        Files.writeString(directory.resolve("fifo"), "y");
        assertThat(awaitNumber("answer")).isEqualTo('y');
    }

    @Test
    void a_process_without_a_filter_has_none_and_one_that_is_gone_is_an_error() throws Exception {
        start("./filtered");
        assertThat(SeccompFilters.of(pid)).isEmpty();
        Files.writeString(directory.resolve("fifo"), "y");
        assertThat(awaitNumber("answer")).isEqualTo('y');
        while (runs()) {
            Thread.sleep(Duration.ofMillis(5));
        }
        assertThatThrownBy(() -> SeccompFilters.of(pid)).isInstanceOf(ErrnoException.class);
    }

    @Test
    void a_signal_that_arrives_during_the_reading_is_delivered() throws Exception {
        start("./filtered", "with");
        Thread reader = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 50 && runs(); i++) {
                try {
                    SeccompFilters.of(pid);
                } catch (ErrnoException e) {
                    assertThat(e.errno()).isIn(Errno.ESRCH, Errno.EPERM, Errno.EBUSY);
                }
            }
        });
        Thread.sleep(Duration.ofMillis(10));
        ProcessHandle.of(pid).orElseThrow().destroy();
        reader.join();
        while (runs()) {
            Thread.sleep(Duration.ofMillis(5));
        }
    }

    private void start(String... command) throws Exception {
        run(command);
        pid = awaitNumber("pid");
    }

    /// Not as a dead process either that nobody has reaped yet.
    private boolean runs() {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            return false;
        }
    }

    private int awaitNumber(String file) throws IOException, InterruptedException {
        while (!Files.exists(directory.resolve(file))) {
            Thread.sleep(Duration.ofMillis(5));
        }
        return Integer.parseInt(Files.readString(directory.resolve(file)));
    }

    private void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
    }
}
