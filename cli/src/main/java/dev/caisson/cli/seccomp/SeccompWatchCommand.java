package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.DenialText;
import dev.caisson.cli.text.JsonText;
import dev.caisson.cli.text.OptionText;
import dev.caisson.cli.text.OutputFormat;
import dev.caisson.engine.Leftovers;
import dev.caisson.spec.Denial;
import dev.caisson.watch.DenialReasons;
import dev.caisson.watch.DenialWatch;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp watch`: the calls that a running container's filters deny, each kind when it first comes, until the
/// container ends, `--for` is over or the command is interrupted; then how often each came.
@Command(
        name = "watch",
        sortOptions = false,
        description =
                "Tell which system calls the filters of a running container deny, live, and what would allow them.",
        footer = {
            "%n  caisson seccomp watch web-1",
            "  caisson seccomp watch --for 10m --format json 6f1c0a7733ee >denied.jsonl"
        })
final class SeccompWatchCommand implements Callable<Integer> {
    private static final long PAUSE_MILLIS = 2;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--profile",
            paramLabel = "PROFILE",
            description =
                    "The profile that the container was started with, so that rules can be told (default: the host's, where it decides the same).")
    private @Nullable String profile;

    @Option(names = "--for", paramLabel = "DURATION", description = "Watch this long: 30s, 10m.")
    private @Nullable String duration;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs, an object a line (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Parameters(
            paramLabel = "CONTAINER|PID",
            description = "A container of Caisson, Docker or Podman, or one of its processes.")
    private String container = "";

    @Override
    public Integer call() throws InterruptedException {
        Optional<Duration> longest = Optional.ofNullable(duration).map(text -> OptionText.duration("--for", text));
        Leftovers.clear(Caller.current().directories()); // one that its policy has started again has another process
        int pid = SeccompOperand.process(container);
        DenialReasons reasons = profile == null
                ? DenialReasons.ofHost(pid)
                : DenialReasons.of(profile, SeccompOperand.profile(profile), pid);
        var interrupted = new CountDownLatch(1);
        Caller.current().onEnd(interrupted::countDown);
        try (DenialWatch watch = DenialWatch.of(pid, reasons)) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("caisson: process " + pid + " has "
                    + (watch.filters() == 1 ? "one filter" : watch.filters() + " filters") + "; the reasons are of "
                    + OneLine.of(reasons.source()));
            err.flush();
            long began = System.nanoTime();
            boolean goesOn = true;
            while (goesOn) {
                goesOn = !interrupted.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)
                        && Files.exists(Path.of("/proc/" + pid))
                        && longest.filter(most -> System.nanoTime() - began > most.toNanos())
                                .isEmpty();
                tell(watch.next());
            }
            sum(watch);
        }
        return 0;
    }

    private void tell(List<DenialWatch.Seen> news) {
        PrintWriter out = spec.commandLine().getOut();
        for (DenialWatch.Seen seen : news) {
            switch (format) {
                case JSON -> out.println(json("denied", seen.denial(), seen));
                case TEXT ->
                    DenialText.lines(seen.denial(), "process " + seen.process()).forEach(out::println);
            }
        }
        out.flush();
    }

    /// How often each kind came, and what was not looked at.
    private void sum(DenialWatch watch) {
        PrintWriter out = spec.commandLine().getOut();
        for (Denial denial : watch.denials()) {
            switch (format) {
                case JSON -> out.println(json("total", denial, null));
                case TEXT ->
                    out.println(OneLine.of(String.format(
                            Locale.ROOT, "%7d × %s → %s", denial.count(), denial.call(), denial.answer())));
            }
        }
        out.flush();
        PrintWriter err = spec.commandLine().getErr();
        if (watch.unexamined() > 0) {
            err.println("caisson: " + watch.unexamined()
                    + " further calls that were skipped came too fast for each to be looked at");
        }
        if (watch.unknown() > 0) {
            err.println("caisson: " + watch.unknown()
                    + " calls may have been denied by filters of processes that ended before these could be read");
        }
    }

    private String json(String event, Denial denial, DenialWatch.@Nullable Seen seen) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("event", event);
        fields.put("container", container);
        if (seen != null) {
            fields.put("time", Instant.now().toString());
            fields.put("process", seen.process());
            fields.put("thread", seen.thread());
        }
        fields.putAll(denial.fields());
        return JsonText.of(fields);
    }
}
