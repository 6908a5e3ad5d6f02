package dev.caisson.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/// One JVM for many commands, with a network namespace and directories of its own. Commands run in it as in a test's
/// process.
public final class AnswerProcess implements AutoCloseable {
    private static final String PREFIX = "answer ";

    private final Process process;
    private final BufferedReader answers;
    private final PrintStream commands;

    private AnswerProcess(Process process) {
        this.process = process;
        this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        this.commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    /// Starts it.
    /// @param directory for its state and data
    public static AnswerProcess start(Path directory) throws IOException {
        List<String> words = CommandProcess.ofJvm(List.of());
        words.set(words.size() - 1, AnswerProcess.class.getName());
        words.addAll(0, List.of("unshare", "--net"));
        var builder = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment().put("CAISSON_DATA", directory.resolve("data").toString());
        builder.environment().put("CAISSON_SERVE", "off");
        return new AnswerProcess(builder.start());
    }

    /// Runs a command there.
    public Answer answer(String... words) {
        commands.println(coded(String.join("\0", words)));
        try {
            String line = answers.readLine();
            while (line != null && !line.startsWith(PREFIX)) { // a program's
                line = answers.readLine();
            }
            if (line == null) {
                throw new AssertionError("no answer to " + String.join(" ", words));
            }
            String[] parts = line.substring(PREFIX.length()).split(" ", -1);
            return new Answer(Integer.parseInt(parts[0]), decoded(parts[1]), decoded(parts[2]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The process itself: a command per line of standard input.
    public static void main(String[] arguments) throws IOException {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            Answer answer = Answer.caisson(decoded(line).split("\0", -1));
            System.out.println(PREFIX + answer.status() + " " + coded(answer.out()) + " " + coded(answer.err()));
        }
    }

    private static String coded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        commands.close();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
