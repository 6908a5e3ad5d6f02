package dev.caisson.cli.view;

import dev.caisson.engine.HealthCheck;
import dev.caisson.engine.HealthReport;
import dev.caisson.spec.Denial;
import java.util.LinkedHashMap;
import java.util.Map;

/// Health checks in the form of Docker's `inspect`.
final class HealthText {
    private HealthText() {}

    static Map<String, Object> state(HealthReport report) {
        var state = new LinkedHashMap<String, Object>();
        // Docker's for one that was never started.
        HealthReport.Health status =
                report.status() == HealthReport.Health.NONE ? HealthReport.Health.STARTING : report.status();
        state.put("Status", status.word());
        state.put("FailingStreak", (long) report.streak());
        state.put("Log", report.probes().stream().map(HealthText::probe).toList());
        state.put("Denials", report.denials().stream().map(Denial::fields).toList());
        return state;
    }

    private static Map<String, Object> probe(HealthReport.Probe probe) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Start", probe.started().toString());
        fields.put("End", probe.finished().toString());
        fields.put("ExitCode", (long) probe.code());
        fields.put("Output", probe.output());
        return fields;
    }

    static Map<String, Object> config(HealthCheck check) {
        var config = new LinkedHashMap<String, Object>();
        config.put("Test", check.test());
        config.put("Interval", check.interval().toNanos());
        config.put("Timeout", check.timeout().toNanos());
        config.put("StartPeriod", check.startPeriod().toNanos());
        config.put("StartInterval", check.startInterval().toNanos());
        config.put("Retries", (long) check.retries());
        config.put("OnFailure", check.onFailure().name().toLowerCase(java.util.Locale.ROOT));
        return config;
    }
}
