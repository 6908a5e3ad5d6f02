package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Files of a caller: used as the caller uses them, and let go at once when the caller is gone.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SharedFileTest {
    private static final int F_GETFL = 3;

    private final SharedFile.Stop stop = new SharedFile.Stop();

    private static FutureTask<Exception> failing(Callable<?> call) {
        var task = new FutureTask<Exception>(() -> {
            try {
                call.call();
                return new IllegalStateException("it did not fail");
            } catch (IOException e) {
                return e;
            }
        });
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static long flags(Fd fd) {
        return Native.raw(Nr.FCNTL, fd.number(), F_GETFL);
    }

    @Test
    void who_waits_in_a_pipe_is_woken_and_its_flags_stay() throws Exception {
        try (Pipes.Pipe full = Pipes.create();
                Pipes.Pipe empty = Pipes.create();
                var out = new SharedFile(full.write(), stop);
                var in = new SharedFile(empty.read(), stop)) {
            long before = flags(full.write());
            FutureTask<Exception> writer = failing(() -> {
                out.output().write(new byte[1 << 20]);
                return null;
            });
            FutureTask<Exception> reader = failing(() -> in.input().read());
            Thread.sleep(200);
            assertThat(writer.isDone() || reader.isDone()).isFalse();
            assertThat(flags(full.write())).isEqualTo(before);

            stop.stop();

            assertThat(writer.get()).hasMessage("the command has ended");
            assertThat(reader.get()).hasMessage("the command has ended");
            assertThatThrownBy(() -> out.output().write(1)).hasMessage("the command has ended");
        }
    }

    @Test
    void bytes_pass_and_the_end_is_seen() throws IOException {
        try (Pipes.Pipe pipe = Pipes.create();
                var in = new SharedFile(pipe.read(), stop)) {
            try (var out = new SharedFile(pipe.write(), stop)) {
                out.output().write("hello".getBytes(StandardCharsets.US_ASCII));
                assertThat(in.input().available()).isEqualTo(5);
            }
            pipe.write().close();
            assertThat(in.input().readAllBytes()).isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
            assertThat(in.input().read()).isEqualTo(-1);
        }
    }

    @Test
    void errors_have_the_words_of_the_c_library() throws IOException {
        try (Fd full = FileSystem.open("/dev/full", FileSystem.O_WRONLY);
                var out = new SharedFile(full, stop)) {
            assertThatThrownBy(() -> out.output().write(1)).hasMessage("No space left on device");
        }
        try (Pipes.Pipe pipe = Pipes.create()) {
            pipe.read().close();
            try (var out = new SharedFile(pipe.write(), stop)) {
                assertThatThrownBy(() -> out.output().write(1)).hasMessage("Broken pipe");
            }
        }
        Sockets.Pair pair = Sockets.pair();
        pair.theirs().close();
        try (Fd ours = pair.ours();
                var out = new SharedFile(ours, stop)) {
            assertThatThrownBy(() -> out.output().write(1)).hasMessage("Broken pipe");
        }
    }

    /// As `>>` and `{ …; } >file` of a shell need it.
    @Test
    void a_regular_file_is_written_where_the_descriptor_is(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "0123456789");
        try (Fd shared = FileSystem.open(file.toString(), FileSystem.O_WRONLY);
                Fd same = shared.duplicate();
                var out = new SharedFile(shared, stop)) {
            FileSystem.write(same, new byte[] {'a', 'b'});
            out.output().write('c');
            FileSystem.write(same, new byte[] {'d'});
        }
        assertThat(file).hasContent("abcd456789");
    }
}
