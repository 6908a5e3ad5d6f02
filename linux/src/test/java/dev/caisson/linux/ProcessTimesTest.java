package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ProcessTimesTest {
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    @Test
    void a_process_has_one_start_time() {
        long startTime = ProcessTimes.startTime(OWN_PID);

        assertThat(startTime).isPositive();
        assertThat(ProcessTimes.findStartTime(OWN_PID)).isEqualTo(OptionalLong.of(startTime));
        assertThat(ProcessTimes.isRunning(OWN_PID, startTime)).isTrue();
        assertThat(ProcessTimes.isRunning(OWN_PID, startTime + 1)).isFalse();
        assertThat(ProcessTimes.isStaying(OWN_PID, startTime)).isTrue();
    }

    /// Its number is that of no process.
    @Test
    void a_thread_is_no_process() throws Exception {
        long thread;
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            thread = tasks.mapToLong(task -> Long.parseLong(task.getFileName().toString()))
                    .filter(id -> id != OWN_PID)
                    .findFirst()
                    .orElseThrow();
        }

        assertThatThrownBy(() -> Processes.open((int) thread).close())
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
        Processes.open(OWN_PID).close();
    }

    @Test
    void one_that_is_gone_has_none() throws Exception {
        Process process = new ProcessBuilder("true").start();
        int pid = (int) process.pid();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();

        assertThat(ProcessTimes.findStartTime(pid)).isEmpty();
        assertThat(ProcessTimes.isRunning(pid, 1)).isFalse();
        assertThat(ProcessTimes.isStaying(pid, 1)).isFalse();
        assertThatThrownBy(() -> ProcessTimes.startTime(pid)).isInstanceOf(ErrnoException.class);
    }
}
