package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.cli.text.OutputFormat;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.Verification;
import dev.caisson.launch.Verifier;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson verify`: what the kernel enforces on a running container, beside what was planned. Exits with 1 if they
/// differ, and with 2 if nothing differs and something could not be read.
@Command(
        name = "verify",
        description = "Read from the kernel what a running container really has, and compare it with its plan.",
        footer = "%nExits with 1 if something differs, and with 2 if nothing does and something could not be read.")
public final class VerifyCommand implements Callable<Integer> {
    private static final int WIDEST = 72;
    private static final int DIFFERS = 1;
    private static final int NOT_EVALUATED = 2;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Parameters(paramLabel = "CONTAINER", description = "The beginning of its id, or its name.")
    private String container = "";

    @Override
    public Integer call() {
        Leftovers.clear(Caller.current().directories());
        Verification verification = Verification.of(container, Caller.current().directories());
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TEXT ->
                lines(
                                verification.checks(),
                                spec.commandLine().getColorScheme().ansi().enabled())
                        .forEach(out::println);
            case JSON -> out.println(json(verification));
        }
        if (verification.isAsPlanned()) {
            return 0;
        }
        boolean differs =
                verification.checks().stream().anyMatch(check -> check.outcome() == Verifier.Outcome.DIFFERENT);
        return differs ? DIFFERS : NOT_EVALUATED;
    }

    /// Columns as wide as what stands in them; what is longer than most pushes its verdict to the right.
    static List<String> lines(List<Verifier.Check> checks, boolean colours) {
        int subjects = width(checks.stream().map(Verifier.Check::subject));
        int found = width(checks.stream().map(VerifyCommand::found));
        return checks.stream()
                .map(check -> String.format(
                        Locale.ROOT,
                        "%-" + subjects + "s  %-" + found + "s  %s",
                        check.subject(),
                        found(check),
                        verdict(check, colours)))
                .toList();
    }

    private static int width(Stream<String> texts) {
        return texts.mapToInt(String::length)
                .filter(length -> length <= WIDEST)
                .max()
                .orElse(1);
    }

    private static String found(Verifier.Check check) {
        if (check.outcome() == Verifier.Outcome.NOT_EVALUATED) {
            return "-";
        }
        return check.found().isEmpty() ? "none" : OneLine.of(check.found());
    }

    private static String verdict(Verifier.Check check, boolean colours) {
        return switch (check.outcome()) {
            case AS_PLANNED -> "as planned";
            case NOT_EVALUATED -> "not evaluated, because: " + OneLine.of(check.found());
            case DIFFERENT -> Terminal.red("NOT AS PLANNED: " + OneLine.of(check.planned()), colours);
        };
    }

    private static String json(Verification verification) {
        var text = new StringWriter();
        try (JsonWriter out = JsonStream.builder().build().writer(text)) {
            out.beginObject();
            out.name("container");
            out.value(verification.id());
            out.name("asPlanned");
            out.value(verification.isAsPlanned());
            out.name("checks");
            out.beginArray();
            for (Verifier.Check check : verification.checks()) {
                out.beginObject();
                out.name("subject");
                out.value(check.subject());
                out.name("planned");
                out.value(check.planned());
                out.name("found");
                out.value(check.found());
                out.name("asPlanned");
                out.value(check.asPlanned());
                out.name("evaluated");
                out.value(check.outcome() != Verifier.Outcome.NOT_EVALUATED);
                out.endObject();
            }
            out.endArray();
            out.endObject();
        }
        return text.toString();
    }
}
