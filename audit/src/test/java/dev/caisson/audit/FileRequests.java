package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Requests of tests: files below a directory, judged on one day.
final class FileRequests {
    private FileRequests() {}

    /// @param names relative to the directory
    static AuditRequest of(Path directory, String... names) {
        return of(directory, BaseImages.NONE, Severity.HIGH, names);
    }

    /// @param images what base images are known
    static AuditRequest of(Path directory, BaseImages images, Severity failOn, String... names) {
        return new AuditRequest(
                directory,
                Stream.of(names).map(Path::of).toList(),
                Optional.empty(),
                Map.of(),
                images,
                LocalDate.of(2026, 11, 25),
                failOn,
                Optional.empty(),
                Optional.empty());
    }

    /// With findings that are tolerated, and findings that are known.
    static AuditRequest knowing(Path directory, Optional<Path> waivers, Optional<Path> baseline, String... names) {
        AuditRequest plain = of(directory, names);
        return new AuditRequest(
                directory,
                plain.inputs(),
                Optional.empty(),
                Map.of(),
                BaseImages.NONE,
                plain.today(),
                plain.failOn(),
                waivers,
                baseline);
    }

    /// Names of the checks that fail.
    static List<String> failed(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.check().name())
                .toList();
    }
}
