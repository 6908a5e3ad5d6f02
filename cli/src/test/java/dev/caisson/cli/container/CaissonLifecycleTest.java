package dev.caisson.cli.container;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/// The contract for this command line.
@Tag("root")
class CaissonLifecycleTest extends LifecycleContract {
    @TempDir
    static Path root;

    @BeforeAll
    static void makeRoot() throws IOException {
        BusyboxRoot.make(root);
    }

    @Override
    Answer engine(String... words) {
        return words[0].equals("exec") ? ofProcess(words) : Answer.caisson(words);
    }

    /// A program's output goes to descriptors 1 and 2 of the process that runs the command.
    private static Answer ofProcess(String... words) {
        try {
            Process process = new ProcessBuilder(CommandProcess.words(words)).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(process.waitFor(), out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    String image() {
        return "dir:" + root;
    }

    @Override
    boolean has(Difference difference) {
        return true;
    }
}
