package dev.caisson.audit;

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
        return switch (this) {
            case TEXT -> TextReport.write(report);
            case JSON -> JsonReport.write(report);
            case SARIF -> SarifReport.write(report);
            case JUNIT -> JunitReport.write(report);
            case HTML -> HtmlReport.write(report);
            case MARKDOWN -> TableReports.markdown(report);
            case CSV -> TableReports.csv(report);
            case PROMETHEUS -> PrometheusReport.write(report);
            case DOCKER_BENCH_JSON -> BenchReport.write(report);
        };
    }

    /// As `docker-bench-json`.
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
