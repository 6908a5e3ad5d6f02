package dev.caisson.audit;

import java.io.IOException;
import java.io.UncheckedIOException;

/// The formats that a report can be written in.
public enum ReportFormat {
    TEXT,
    JSON,
    SARIF,
    JUNIT,
    HTML,
    MARKDOWN,
    CSV,
    PROMETHEUS,
    DOCKER_BENCH_JSON;

    /// The report in this format, ending in a line break.
    public String write(Report report) {
        var text = new StringBuilder();
        try {
            write(report, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    /// Writes the report in this format, ending in a line break.
    /// @throws IOException as `out` does
    public void write(Report report, Appendable out) throws IOException {
        if (this == JSON) {
            JsonReport.write(report, out);
        } else {
            out.append(text(report));
        }
    }

    private String text(Report report) {
        return switch (this) {
            case TEXT -> TextReport.write(report);
            case JSON -> throw new IllegalStateException("JSON is written piece by piece");
            case SARIF -> SarifReport.write(report);
            case JUNIT -> JunitReport.write(report);
            case HTML -> HtmlReport.write(report);
            case MARKDOWN -> TableReports.markdown(report);
            case CSV -> TableReports.csv(report);
            case PROMETHEUS -> PrometheusReport.write(report);
            case DOCKER_BENCH_JSON -> BenchReport.write(report);
        };
    }

    /// Returns a word such as `docker-bench-json`.
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
