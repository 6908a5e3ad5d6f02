package dev.caisson.cli;

import dev.caisson.engine.Verification;
import dev.caisson.launch.Verifier;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson verify`: what the kernel enforces on a running container, beside what was planned. Exits with 1 where they
/// differ.
@Command(
        name = "verify",
        description = "Read from the kernel what a running container really has, and compare it with its plan.")
final class VerifyCommand implements Callable<Integer> {
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
        Verification verification = Verification.of(container, Directories.options());
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TEXT -> verification.checks().forEach(check -> out.println(line(check)));
            case JSON -> out.println(json(verification));
        }
        return verification.isAsPlanned() ? 0 : 1;
    }

    private static String line(Verifier.Check check) {
        String verdict = check.asPlanned() ? "as planned" : "NOT AS PLANNED: " + check.planned();
        return "%-26s %-58s %s"
                .formatted(check.subject(), check.found().isEmpty() ? "none" : OneLine.of(check.found()), verdict);
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
                out.endObject();
            }
            out.endArray();
            out.endObject();
        }
        return text.toString();
    }
}
