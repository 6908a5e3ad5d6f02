package dev.caisson.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A report that has something of everything: each kind of file, each status that files give, hostile text, a live
/// finding with claim and truth.
final class SampleReport {
    static final String HOSTILE = "<img src=x onerror=alert(1)>\u202E\u0007'\"&";

    private SampleReport() {}

    static Report of(Path root) throws IOException {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web:
                    image: nginx
                    # caisson: allow host-pid a debugger until 2030-01-01
                    pid: host
                    privileged: true
                    ports: ["80:80"]
                    environment: {DB_PASSWORD: correct-horse}
                    sysctls: ["kernel.x<img src=x onerror=alert(1)>=1"]
                """);
        Files.writeString(root.resolve("pod.yaml"), """
                apiVersion: v1
                kind: Pod
                metadata: {name: p}
                spec: {hostNetwork: true, containers: [{name: c, image: "a:1"}]}
                """);
        Files.createDirectories(root.resolve("a b#c%"));
        Files.writeString(root.resolve("a b#c%/Dockerfile"), "FROM a\nRUN curl -k https://x | sh\n");
        Files.writeString(root.resolve("broken.Dockerfile"), "FROM a\nNONSENSE\n");
        AuditRequest request = FileRequests.of(root, ".");
        Path baseline = root.resolve("baseline.json");
        Files.writeString(baseline, """
                {"findings": [{"fingerprint": "gone"}]}
                """);
        Report first = FileAudit.run(request);
        Finding known = first.findings().stream()
                .filter(finding -> finding.open() && finding.check().name().equals("image-latest"))
                .findFirst()
                .orElseThrow();
        Files.writeString(
                baseline,
                "{\"findings\": [{\"fingerprint\": \"gone\"}, {\"fingerprint\": \"%s\"}]}"
                        .formatted(known.fingerprint()));
        Report report = FileAudit.run(FileRequests.knowing(root, Optional.empty(), Optional.of(baseline), "."));
        List<Finding> findings = new ArrayList<>(report.findings());
        findings.add(live());
        return new Report(
                report.version(), report.date(), report.targets(), report.failOn(), findings, report.resolved());
    }

    /// As the audit of a running host makes one: no file, but a claim and a truth.
    private static Finding live() {
        Check check = Checks.named("privileged");
        return new Finding(
                check,
                new Subject(Subject.Kind.CONTAINER, "box " + HOSTILE),
                Status.FAIL,
                Severity.CRITICAL,
                "box has all capabilities " + HOSTILE,
                Optional.of("Privileged=false " + HOSTILE),
                Optional.of("CapEff 1fffeffffff"),
                Agreement.CONTRADICTION,
                List.of(new Evidence("/proc/1/status", "CapEff: 1fffeffffff " + HOSTILE, Optional.empty())),
                Optional.empty(),
                check.fix(),
                "0123",
                Optional.empty(),
                false);
    }
}
