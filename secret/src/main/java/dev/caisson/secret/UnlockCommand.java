package dev.caisson.secret;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.secret.SecretException.Code;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// A program that prints the age identity that unlocks a store. Neither one that hangs, nor one that prints without
/// end, nor one whose children keep its output open holds up its caller for longer than [#PATIENCE].
final class UnlockCommand {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MOST_PRINTED = 16 * 1024;
    private static final int PAUSE_MILLIS = 2;

    private final List<String> command;
    private final Duration patience;

    UnlockCommand(List<String> command, Duration patience) {
        this.command = command;
        this.patience = patience;
    }

    /// Runs it, with nothing to read and no variable but `PATH`.
    /// @throws SecretException SECRET_LOCKED
    Identity run() {
        try (Pipes.Pipe pipe = Pipes.create()) {
            Process process = start(pipe);
            try {
                return identity(process, pipe.read());
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new SecretException(
                    Code.SECRET_LOCKED,
                    program() + " could not be run (" + e.getMessage() + "): check its path and mode",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SecretException(Code.SECRET_LOCKED, "interrupted while " + program() + " ran: run it again", e);
        }
    }

    private String program() {
        return command.getFirst();
    }

    private Process start(Pipes.Pipe pipe) throws IOException {
        var builder = new ProcessBuilder(command);
        Map<String, String> variables = builder.environment();
        variables.clear();
        variables.put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        builder.redirectInput(new File("/dev/null"));
        builder.redirectOutput(new File("/proc/self/fd/" + pipe.write().number()));
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = builder.start();
        pipe.write().close();
        Pipes.doNotWait(pipe.read());
        return process;
    }

    private Identity identity(Process process, Fd output) throws InterruptedException {
        byte[] printed = new byte[MOST_PRINTED];
        try {
            int size = read(process, output, printed);
            int status = process.exitValue();
            return (status == 0 ? parse(printed, size) : Optional.<Identity>empty())
                    .orElseThrow(() -> locked(program() + " ended with status " + status
                            + " and printed no line AGE-SECRET-KEY-1…: run it by hand to see why"));
        } finally {
            Arrays.fill(printed, (byte) 0);
        }
    }

    /// Reads what it prints until it has ended.
    /// @return how many bytes
    private int read(Process process, Fd output, byte[] into) throws InterruptedException {
        byte[] piece = new byte[into.length];
        int size = 0;
        long until = System.nanoTime() + patience.toNanos();
        try {
            while (true) {
                boolean ended = process.waitFor(PAUSE_MILLIS, TimeUnit.MILLISECONDS); // before the last reading
                for (int count = Pipes.read(output, piece); count > 0; count = Pipes.read(output, piece)) {
                    if (size + count > into.length) {
                        throw locked(program() + " printed more than " + MOST_PRINTED
                                + " bytes, which is no age identity: run it by hand to see why");
                    }
                    System.arraycopy(piece, 0, into, size, count);
                    size += count;
                }
                if (ended) {
                    return size;
                }
                if (System.nanoTime() - until > 0) {
                    throw locked(program() + " did not end within " + patience.toSeconds()
                            + " s and was killed: run it by hand to see why");
                }
            }
        } finally {
            Arrays.fill(piece, (byte) 0);
        }
    }

    private static Optional<Identity> parse(byte[] printed, int size) {
        if (size == 0) {
            return Optional.empty();
        }
        byte[] exact = Arrays.copyOf(printed, size);
        try (SecretValue value = SecretValue.of(exact)) {
            return Identity.parse(value);
        } finally {
            Arrays.fill(exact, (byte) 0);
        }
    }

    private static SecretException locked(String problem) {
        return new SecretException(Code.SECRET_LOCKED, problem);
    }
}
