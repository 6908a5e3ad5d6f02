package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.SignalForwarding;
import dev.caisson.cli.caller.StandardStream;
import dev.caisson.cli.option.AttachOptions;
import dev.caisson.cli.option.DeviceOptions;
import dev.caisson.cli.option.RunOptions;
import dev.caisson.cli.text.EndText;
import dev.caisson.engine.Container;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Streams;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A program in a container that a command waits for: its streams and signals are this process's, and what
/// is to be said of the run is said before it and after it. Of a run that is refused nothing is said but why.
public final class Foreground {
    private final RunOptions options;
    private final Set<AttachOptions.Stream> attached;
    private final PrintWriter err;
    private final SignalForwarding signals;
    private final Caller caller = Caller.current();

    public Foreground(RunOptions options, Set<AttachOptions.Stream> attached, PrintWriter err) {
        this.options = options;
        this.attached = attached;
        this.err = err;
        this.signals = SignalForwarding.begin(err);
    }

    /// Refuses what could not be written at the end.
    public void prepare() {
        if (options.learns()) {
            LearnedText.requireWritable(options.learnedFile(), "--seccomp-learned");
        }
    }

    /// Says which protections are given up, of a container that stands and waits for its program.
    public void announce(ContainerSpec wish) {
        signals.hold();
        announcements(wish).forEach(err::println);
        FilterNotes.of(wish, caller.directories()).forEach(err::println);
    }

    /// Returns the lines that say which protections are given up.
    static List<String> announcements(ContainerSpec wish) {
        return Stream.concat(
                        wish.allowances().stream().sorted().map(allowance -> "caisson: allowed: " + opens(allowance)),
                        wish.devices().stream()
                                .map(device -> "caisson: given: " + OneLine.of(DeviceOptions.text(device))))
                .toList();
    }

    private static String opens(Allowance allowance) {
        return allowance.option() + " opens: " + allowance.opens();
    }

    /// Without --rm what is written is kept, too.
    public Streams streams() {
        Optional<InputStream> input = options.interactive() ? Optional.of(caller.input()) : Optional.empty();
        var copied = new Streams.Copy(
                input,
                attached.contains(AttachOptions.Stream.STDOUT) ? caller.output() : OutputStream.nullOutputStream(),
                attached.contains(AttachOptions.Stream.STDERR) ? caller.errors() : OutputStream.nullOutputStream());
        return options.remove() ? copied : copied.kept();
    }

    /// Passes signals and new sizes of the terminal on to the program. A program whose
    /// output cannot be written is killed, as one that writes to the same place itself ends by SIGPIPE or an error.
    public void forward(Container container, @Nullable Fd terminal) {
        signals.to(SignalForwarding.Target.of(container));
        if (terminal != null) {
            signals.resizes(terminal);
        }
        caller.output().onFailure(container::kill);
        caller.errors().onFailure(container::kill);
    }

    /// Says how it ended, where its exit status does not say it.
    /// @return the status to exit with
    /// @throws dev.caisson.cli.caller.OutputLostException if not all of its output was written
    public int tell(Container container, RunResult result) {
        for (StandardStream stream : List.of(caller.output(), caller.errors())) {
            stream.lost().ifPresent(lost -> {
                throw lost;
            });
        }
        EndText.ofRun(result).forEach(err::println);
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
