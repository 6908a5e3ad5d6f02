package dev.caisson.cli;

import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a command printed, and its exit status.
public record Answer(int status, String out, String err) {
    /// Runs a command in this process, or by the resident engine in a run of the tests that asks for it.
    public static Answer caisson(String... arguments) {
        if (ServedProcess.IS_WANTED) {
            return byFrontEnd(arguments);
        }
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    private static Answer byFrontEnd(String... arguments) {
        try {
            Path errors = Files.createTempFile("caisson-errors", "");
            Process process = new ProcessBuilder(CommandProcess.words(arguments))
                    .redirectError(errors.toFile())
                    .start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            var answer = new Answer(process.waitFor(), out, Files.readString(errors));
            Files.delete(errors);
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
