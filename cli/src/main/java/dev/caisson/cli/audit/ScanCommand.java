package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.LeakAudit;
import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.error.CaissonException;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.RuleSet;
import dev.caisson.scan.ScanException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson scan TARGET…`: secrets in files, histories of git, images, containers and standard input.
@Command(
        name = "scan",
        description = {
            "Find secrets: tokens, private keys and passwords in files, histories, images and containers.",
            "A value is never shown. Archives are unpacked, encoded text is decoded, links are not followed.",
            "Exit status: 0 clean, 1 findings at or over --fail-on, 2 the scan itself failed, 3 partly not scanned."
        })
public final class ScanCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "TARGET",
            arity = "1..*",
            description = {
                "Files and directories; git:DIR for the history of a repository, IMAGE or image:NAME for an image of the store,",
                "container:NAME for a container's variables, command and log; - for standard input."
            })
    private List<String> targets = List.of();

    @Option(
            names = "--fail-on",
            paramLabel = "SEVERITY",
            defaultValue = "high",
            converter = AuditWords.Threshold.class,
            description = {
                "critical (certain), high (likely), medium (possible), low (unlikely) or info",
                "(default: ${DEFAULT-VALUE})."
            })
    private Severity failOn = Severity.HIGH;

    @Option(names = "--waivers", paramLabel = "FILE", description = "Findings that are tolerated, why and until when.")
    private @Nullable Path waivers;

    @Option(
            names = "--baseline",
            paramLabel = "FILE",
            description = "A JSON report; what it has does not count against --fail-on.")
    private @Nullable Path baseline;

    @Option(
            names = "--rules",
            paramLabel = "FILE",
            description = {
                "Rules in gitleaks' format, in the place of Caisson's own, or beside them",
                "if the file has useDefault = true."
            })
    private @Nullable Path rules;

    @Option(
            names = "--stored",
            paramLabel = "auto|yes|no",
            defaultValue = "auto",
            converter = AuditWords.Stored.class,
            description = {
                "Look for the values of the store of secrets: auto if it opens without asking, yes, no",
                "(default: ${DEFAULT-VALUE})."
            })
    private ScanStore.Use stored = ScanStore.Use.AUTO;

    @Mixin
    private final ReportOutput output = new ReportOutput();

    @Override
    public Integer call() throws InterruptedException {
        RuleSet known = rules == null ? RuleSet.own() : ScanInputs.rules(rules);
        var audit = new LeakAudit(known);
        List<ScanTarget> all = targets.stream().map(ScanTarget::of).toList();
        try (ScanStore store = ScanStore.open(stored)) {
            var scanner = new LeakScanner(known, Instant.now(), store.known());
            for (ScanTarget target : all) {
                target.scan(scanner, audit);
            }
        } catch (ScanException e) {
            throw ScanInputs.failed(e);
        } catch (AuditException e) {
            throw e;
        } catch (CaissonException e) {
            throw new AuditException(AuditException.Code.TARGET_UNKNOWN, e.sentence(), e);
        }
        Report report = audit.conclude(
                all.stream().map(ScanTarget::shown).toList(),
                LocalDate.now(ZoneOffset.UTC),
                failOn,
                Optional.ofNullable(waivers),
                Optional.ofNullable(baseline));
        output.write(report);
        return report.exitCode();
    }
}
