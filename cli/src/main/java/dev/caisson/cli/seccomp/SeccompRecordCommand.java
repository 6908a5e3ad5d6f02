package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.option.AttachOptions;
import dev.caisson.cli.option.RunOptions;
import dev.caisson.cli.run.Foreground;
import dev.caisson.cli.run.LearnedText;
import dev.caisson.cli.run.ProgressLine;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.Container;
import dev.caisson.engine.Recordings;
import dev.caisson.engine.RunResult;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.RecordedProfile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.SyscallRecorder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp record`: a profile of the calls that a workload makes: of a run from the moment its program starts,
/// or of a container or process that runs already, until it ends, `--for` is over or the command is interrupted.
@Command(
        name = "record",
        description = "Record the system calls of a run, or of a running container or process, as a profile.",
        footer = {
            "%n  caisson seccomp record -o web.json -- run --rm dir:/srv/web /bin/web --check",
            "  caisson seccomp record -o db.json --for 10m postgres-1"
        })
final class SeccompRecordCommand implements Callable<Integer> {
    private static final long PAUSE_MILLIS = 200;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            defaultValue = "profile.json",
            description = "Write the profile there (default: ${DEFAULT-VALUE}).")
    private Path output = Path.of("profile.json");

    @Option(names = "--for", paramLabel = "DURATION", description = "Record a running container this long: 30s, 10m.")
    private @Nullable String duration;

    @Option(
            names = "--recorder",
            paramLabel = "WAY",
            defaultValue = "auto",
            description = "ebpf: eBPF programs, of any container; notify: a run's own filter, which asks about every "
                    + "call and needs no bpf(2), for programs that are trusted so far; auto: eBPF where the kernel takes "
                    + "it, notify otherwise (default).")
    private String recorder = "auto";

    @Parameters(
            arity = "1..*",
            paramLabel = "run OPTION... IMAGE COMMAND | CONTAINER | PID",
            description = "A run as 'caisson run' takes it, or a container of Caisson, Docker or Podman, or a process.")
    private List<String> words = new ArrayList<>();

    @Override
    public Integer call() throws InterruptedException {
        if (words.getFirst().equals("run")) {
            return run(options(words.subList(1, words.size())));
        }
        if (words.size() > 1) {
            throw CommandException.usage("give one container or process, or 'run' and what to run");
        }
        watch(words.getFirst());
        return 0;
    }

    private static RunOptions options(List<String> arguments) {
        CommandSpec run = CommandSpec.create().name("caisson run");
        var options = new RunOptions(run);
        try {
            new CommandLine(run)
                    .setStopAtPositional(true)
                    .setOverwrittenOptionsAllowed(true)
                    .setExpandAtFiles(false)
                    .setAbbreviatedOptionsAllowed(false)
                    .parseArgs(arguments.toArray(String[]::new));
        } catch (ParameterException e) {
            throw CommandException.usage(OneLine.of(e.getMessage()) + "; try 'caisson run --help'");
        }
        return options;
    }

    private int run(RunOptions options) throws InterruptedException {
        if (options.terminal()) {
            throw CommandException.usage("a recorded run has no terminal: leave -t out");
        }
        if (duration != null) {
            throw CommandException.usage("--for is for what runs already: bound a run by its own --timeout");
        }
        if (options.learns()) {
            throw CommandException.usage("a run is recorded or learned from: leave --seccomp-mode learn out");
        }
        LearnedText.requireWritable(output, "-o");
        PrintWriter err = spec.commandLine().getErr();
        ContainerSpec wish = recorded(options.spec(), err);
        var foreground = new Foreground(options, EnumSet.allOf(AttachOptions.Stream.class), err);
        foreground.prepare();
        var opened = new AtomicReference<@Nullable SyscallRecorder>();
        try (var lease = Caller.current().engine()) {
            Container container = lease.engine().start(wish, foreground.streams(), new ProgressLine(err), standing -> {
                foreground.announce(wish);
                opened.set(Recordings.ofStanding(standing));
            });
            foreground.forward(container, null);
            RunResult result = container.await();
            SyscallRecorder used = java.util.Objects.requireNonNull(opened.get());
            SyscallRecorder.Recording recording = used.recording();
            var target = new Target(
                    Architecture.host(),
                    KernelVersion.parse(System.getProperty("os.version")),
                    wish.capabilities().mask());
            write(RecordedProfile.of(under(wish), target, recording.made().keySet()), recording, used.way());
            return foreground.tell(container, result);
        } finally {
            SyscallRecorder used = opened.get();
            if (used != null) {
                used.close();
            }
        }
    }

    /// The wish, whose filter asks about every call where that is how it is recorded.
    private ContainerSpec recorded(ContainerSpec wish, PrintWriter err) {
        boolean byFilter = way().map(way -> way == SyscallRecorder.Way.NOTIFICATION)
                .orElseGet(() -> SyscallRecorder.refusal()
                        .map(refusal -> {
                            err.println("caisson: no eBPF recorder (" + OneLine.of(refusal)
                                    + "): the filter asks about every call, which slows the program");
                            return true;
                        })
                        .orElse(false));
        if (!byFilter) {
            return wish;
        }
        if (!(wish.seccomp() instanceof SeccompChoice.Watched watched) || watched.watch() != SeccompChoice.Watch.TELL) {
            throw CommandException.refused(
                    "--seccomp-mode",
                    "the filter's one listener is the recorder's: leave it out, or record with --recorder ebpf");
        }
        return wish.seccomp(new SeccompChoice.Watched(watched.choice(), SeccompChoice.Watch.RECORD));
    }

    /// Empty for whichever works.
    private Optional<SyscallRecorder.Way> way() {
        return switch (recorder) {
            case "auto" -> Optional.empty();
            case "ebpf" -> Optional.of(SyscallRecorder.Way.EBPF);
            case "notify" -> Optional.of(SyscallRecorder.Way.NOTIFICATION);
            default -> throw CommandException.usage("--recorder takes auto, ebpf or notify, not '" + recorder + "'");
        };
    }

    private static Optional<Profile> under(ContainerSpec wish) {
        if (wish.privileged()) {
            return Optional.empty();
        }
        return switch (wish.seccomp().plain()) {
            case SeccompChoice.Standard _ -> Optional.of(Profile.standard());
            case SeccompChoice.Strict _ -> Optional.of(Profile.strict());
            case SeccompChoice.Custom custom -> Optional.of(custom.profile());
            case SeccompChoice.Unconfined _, SeccompChoice.Watched _ -> Optional.empty();
        };
    }

    private void watch(String name) throws InterruptedException {
        if (way().equals(Optional.of(SyscallRecorder.Way.NOTIFICATION))) {
            throw CommandException.refused(
                    "--recorder notify",
                    "a filter that asks is loaded before the program starts: record it from its start, "
                            + "'caisson seccomp record --recorder notify -- run …', or with --recorder ebpf");
        }
        int pid = SeccompOperand.process(name);
        Optional<Duration> longest = Optional.ofNullable(duration).map(text -> OptionText.duration("--for", text));
        LearnedText.requireWritable(output, "-o");
        var interrupted = new CountDownLatch(1);
        Caller.current().onEnd(interrupted::countDown);
        try (SyscallRecorder opened =
                SyscallRecorder.ofRunning(pid, Caller.current().directories().state())) {
            long began = System.nanoTime();
            while (Files.exists(Path.of("/proc/" + pid))
                    && longest.filter(most -> System.nanoTime() - began > most.toNanos())
                            .isEmpty()
                    && !interrupted.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {}
            SyscallRecorder.Recording recording = opened.recording();
            var target = new Target(Architecture.host(), KernelVersion.parse(System.getProperty("os.version")), 0L);
            write(RecordedProfile.of(Optional.empty(), target, recording.made().keySet()), recording, opened.way());
        }
    }

    private void write(Profile profile, SyscallRecorder.Recording recording, SyscallRecorder.Way way) {
        try {
            Files.writeString(output, profile.toJson());
        } catch (IOException e) {
            throw new CommandException(
                    "FILE_REFUSED",
                    CommandException.ENGINE_FAILED,
                    output + " cannot be written (" + e.getMessage() + ")");
        }
        PrintWriter err = spec.commandLine().getErr();
        err.println("caisson: " + recording.made().size() + " calls recorded in " + OneLine.of(output.toString())
                + switch (way) {
                    case EBPF -> ", by eBPF";
                    case NOTIFICATION -> ", by the filter's notifications; the base set is allowed unseen";
                });
        if (!recording.denied().isEmpty()) {
            err.println("caisson: denied, and not in the profile: "
                    + String.join(" ", recording.denied().keySet()));
        }
        if (recording.foreign() > 0) {
            err.println("caisson: " + recording.foreign()
                    + " calls by another ABI were seen, which the profile does not let in");
        }
    }
}
