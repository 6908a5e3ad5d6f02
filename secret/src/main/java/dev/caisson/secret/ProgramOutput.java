package dev.caisson.secret;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.secret.SecretException.Code;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Output of a program that has ended, in memory that is never swapped. Neither a program that hangs, nor one that
/// prints without end, nor one whose children keep its output open holds up its caller for longer than its patience.
///
/// @param printed empty if it printed nothing
record ProgramOutput(int status, Optional<SecretValue> printed) implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int PIECE = 8192;
    private static final int PAUSE_MILLIS = 2;
    /// Becomes the program once a line is there.
    private static final String WAITING = "read -r _ && exec \"$@\" </dev/null";

    /// Limits of a program, and the code of the error if it does not keep to them.
    record Limits(Duration patience, int mostBytes, Code code) {}

    /// Runs a program, with nothing to read and no variable but `PATH`. What it prints as errors is dropped.
    ///
    /// @param command with an absolute path
    /// @throws SecretException with the code of the limits
    static ProgramOutput of(List<String> command, Limits limits) {
        String program = command.getFirst();
        Optional<SourceGroup> group = SourceGroup.make();
        try (Pipes.Pipe pipe = Pipes.create()) {
            Process process = start(command, pipe);
            boolean ended = false;
            try {
                begin(process, group);
                ProgramOutput output = read(program, process, pipe.read(), limits);
                ended = true;
                return output;
            } finally {
                if (!ended) {
                    group.ifPresent(SourceGroup::kill);
                }
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new SecretException(
                    limits.code(), program + " could not be run (" + e.getMessage() + "): check its path and mode", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SecretException(limits.code(), "interrupted while " + program + " ran: run it again", e);
        } finally {
            group.ifPresent(SourceGroup::remove);
        }
    }

    /// Lets the program begin once it is in its group, so that nothing that it starts is outside.
    private static void begin(Process process, Optional<SourceGroup> group) throws IOException {
        try (OutputStream word = process.getOutputStream()) {
            group.ifPresent(one -> one.add(process.pid()));
            word.write('\n');
        }
    }

    private static Process start(List<String> command, Pipes.Pipe pipe) throws IOException {
        if (!Files.isExecutable(Path.of(command.getFirst()))) {
            throw new IOException("no file that may be executed");
        }
        var all = new ArrayList<>(List.of("/bin/sh", "-c", WAITING, command.getFirst()));
        all.addAll(command);
        var builder = new ProcessBuilder(all);
        Map<String, String> variables = builder.environment();
        variables.clear();
        variables.put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        builder.redirectOutput(new File("/proc/self/fd/" + pipe.write().number()));
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = builder.start();
        pipe.write().close();
        Pipes.doNotWait(pipe.read());
        return process;
    }

    /// Reads what it prints until it has ended.
    private static ProgramOutput read(String program, Process process, Fd output, Limits limits)
            throws InterruptedException {
        byte[] piece = new byte[PIECE];
        int size = 0;
        long until = System.nanoTime() + limits.patience().toNanos();
        try (SecretValue all = SecretValue.ofSize(limits.mostBytes())) {
            while (true) {
                boolean ended = process.waitFor(PAUSE_MILLIS, TimeUnit.MILLISECONDS); // before the last reading
                for (int count = Pipes.read(output, piece); count > 0; count = Pipes.read(output, piece)) {
                    if (size + count > limits.mostBytes()) {
                        throw new SecretException(
                                limits.code(),
                                program + " printed more than " + limits.mostBytes()
                                        + " bytes: run it by hand to see why");
                    }
                    all.put(size, piece, 0, count);
                    size += count;
                }
                if (ended) {
                    Optional<SecretValue> printed = size == 0 ? Optional.empty() : Optional.of(all.start(size));
                    return new ProgramOutput(process.exitValue(), printed);
                }
                if (System.nanoTime() - until > 0) {
                    throw new SecretException(
                            limits.code(),
                            program + " did not end within " + limits.patience().toSeconds()
                                    + " s and was killed: run it by hand to see why");
                }
            }
        } finally {
            Arrays.fill(piece, (byte) 0);
        }
    }

    @Override
    public void close() {
        printed.ifPresent(SecretValue::close);
    }
}
