package dev.caisson.cli.audit;

import dev.caisson.audit.Report;
import dev.caisson.audit.ReportFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Options for the form of a report and the file that it is written to.
final class ReportOutput {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            converter = AuditWords.Format.class,
            description = {
                "text, json, sarif, junit, html, markdown, csv, prometheus or docker-bench-json",
                "(default: ${DEFAULT-VALUE})."
            })
    private ReportFormat format = ReportFormat.TEXT;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write the report to a file.")
    private @Nullable Path output;

    void write(Report report) {
        try {
            if (output == null) {
                PrintWriter out = spec.commandLine().getOut();
                format.write(report, out);
                OutputFailure.check(out);
            } else {
                try (Writer file = Files.newBufferedWriter(output)) {
                    format.write(report, file);
                }
            }
        } catch (IOException e) {
            throw OutputFailure.of(output == null ? Path.of("/dev/stdout") : output, e);
        }
    }
}
