package dev.caisson.cli;

import dev.caisson.engine.Container;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Streams;
import dev.caisson.launch.Allowance;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.linux.Fd;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A program in a container that a command waits for: its streams and signals are this process's, and what
/// is to be said of the run is said before it and after it. Of a run that is refused nothing is said but why.
final class Foreground {
    private static final List<String> FORWARDED = List.of("INT", "TERM", "HUP", "USR2", "WINCH");

    private final RunOptions options;
    private final PrintWriter err;

    Foreground(RunOptions options, PrintWriter err) {
        this.options = options;
        this.err = err;
    }

    /// Refuses what could not be written at the end.
    void prepare() {
        if (options.learns()) {
            LearnedText.requireWritable(options.learnedFile(), "--seccomp-learned");
        }
    }

    /// Says which protections are given up, of a container that stands and waits for its program.
    void announce(ContainerSpec wish) {
        wish.allowances().stream().sorted().forEach(allowance -> err.println("caisson: allowed: " + opens(allowance)));
        wish.devices().forEach(device -> err.println("caisson: given: " + OneLine.of(DeviceOptions.text(device))));
    }

    private static String opens(Allowance allowance) {
        return allowance.option() + " opens: " + allowance.opens();
    }

    /// Without --rm what is written is kept, too.
    Streams streams() {
        Optional<InputStream> input =
                options.interactive ? Optional.of(new FileInputStream(FileDescriptor.in)) : Optional.empty();
        var copied = new Streams.Copy(
                input,
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                options.outputLimit());
        return options.remove ? copied : copied.kept();
    }

    /// What is asked of this process is asked of the program; a new size of the terminal is passed on.
    void forward(Container container, @Nullable Fd terminal) {
        for (String name : FORWARDED) {
            ProcessSignals.handle(name, number -> {
                if (!name.equals("WINCH")) {
                    container.signal(number);
                } else if (terminal != null) {
                    dev.caisson.linux.Terminal.size(terminal).ifPresent(container::resize);
                }
            });
        }
    }

    /// Says how it ended, where its exit status does not say it.
    /// @return the status to exit with
    int tell(Container container, RunResult result) {
        EndText.lines(result).forEach(err::println);
        result.learned().ifPresent(learned -> {
            LearnedText.write(learned, options.learnedFile());
            LearnedText.lines(learned, options.learnedFile()).forEach(err::println);
        });
        container
                .logFailure()
                .ifPresent(why -> err.println("caisson: the log is not whole, it could not be written ("
                        + OneLine.of(why) + "): make room in the data directory"));
        return result.exitStatus();
    }
}
