package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.AuditRequest;
import dev.caisson.audit.FileAudit;
import dev.caisson.audit.LocalImages;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.cli.caller.Caller;
import dev.caisson.containerfile.Source;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson audit [FILES…]`: Dockerfiles, compose files and Kubernetes manifests judged in their effective form;
/// without files this host, its engine, images and containers.
@Command(
        name = "audit",
        description = {
            "Audit this host and its container engines, images and containers, or container files.",
            "With FILE: Dockerfiles, compose files and Kubernetes manifests, or whole directories of them.",
            "Exit status: 0 clean, 1 findings at or over --fail-on, 2 the audit itself failed, 3 partly not evaluated."
        })
public final class AuditCommand implements Callable<Integer> {
    public static final int AUDIT_FAILED = 2;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "Files and directories; - for standard input.")
    private List<String> inputs = List.of();

    @Option(
            names = "--fail-on",
            paramLabel = "SEVERITY",
            defaultValue = "high",
            converter = AuditWords.Threshold.class,
            description = "info, low, medium, high or critical (default: ${DEFAULT-VALUE}).")
    private Severity failOn = Severity.HIGH;

    @Option(names = "--waivers", paramLabel = "FILE", description = "Findings that are tolerated, why and until when.")
    private @Nullable Path waivers;

    @Option(
            names = "--baseline",
            paramLabel = "FILE",
            description = "A JSON report; what it has does not count against --fail-on.")
    private @Nullable Path baseline;

    @Option(names = "--env", paramLabel = "NAME=VALUE", description = "The value of a variable in compose files.")
    private Map<String, String> environment = new HashMap<>();

    @Option(
            names = "--base-image",
            paramLabel = "NAME=IMAGE",
            description = {
                "Where a base image lies, as alpine:3.20=oci:PATH, docker-archive:FILE or dir:PATH,",
                "so that its user, accounts, health check and digest are known."
            })
    private Map<String, String> baseImages = new HashMap<>();

    @Option(
            names = "--fix",
            paramLabel = "DIR",
            arity = "0..1",
            fallbackValue = "caisson-fixes",
            description = {
                "Write patches and a hardened compose.override.yaml to a directory (${FALLBACK-VALUE}); without FILE a patch of",
                "daemon.json, kernel settings, audit rules and a script for owners and modes.",
                "Nothing is applied; what each file settles is told."
            })
    private @Nullable Path fix;

    @Mixin
    private final ReportOutput output = new ReportOutput();

    @Mixin
    private final HostOptions host = new HostOptions();

    @Override
    public Integer call() {
        if (inputs.isEmpty()) {
            refuseWithoutFiles();
            if (fix != null) {
                Report report = tell(host.propose(failOn, waivers, baseline), fix);
                output.write(report);
                return report.exitCode();
            }
            return host.run(failOn, waivers, baseline, output::write, spec.commandLine());
        }
        host.refuseBesideFiles();
        AuditRequest request = new AuditRequest(
                Path.of(""),
                inputs.stream()
                        .filter(input -> !input.equals("-"))
                        .map(Path::of)
                        .toList(),
                inputs.contains("-") ? Optional.of(standardInput()) : Optional.empty(),
                environment,
                new LocalImages(baseImages),
                LocalDate.now(ZoneOffset.UTC),
                failOn,
                Optional.ofNullable(waivers),
                Optional.ofNullable(baseline));
        Report report = fix == null ? FileAudit.run(request) : tell(FileAudit.propose(request), fix);
        output.write(report);
        return report.exitCode();
    }

    /// Refuses options about files in an audit of a host, which has none.
    private void refuseWithoutFiles() {
        if (!environment.isEmpty() || !baseImages.isEmpty()) {
            throw new AuditException(
                    AuditException.Code.OPTION_INVALID,
                    "--env and --base-image are for container files, and no FILE is named; name one, as . for"
                            + " all below this directory.");
        }
    }

    /// The notes go to standard error, so that the report alone is on standard output.
    private Report tell(Proposal proposal, Path directory) {
        proposal.writeTo(directory);
        PrintWriter err = spec.commandLine().getErr();
        proposal.refused().forEach(sentence -> err.println("caisson: " + sentence + "."));
        if (proposal.notes().isEmpty()) {
            err.println("caisson: there is nothing that a file could settle.");
        }
        proposal.notes().forEach(note -> err.println("caisson: " + note.below(directory)));
        err.flush();
        return proposal.report();
    }

    private static Source standardInput() {
        try {
            byte[] bytes = Caller.current().input().readNBytes(Source.MAX_BYTES + 1);
            if (bytes.length > Source.MAX_BYTES) {
                throw new AuditException(AuditException.Code.INPUT_UNREADABLE, "standard input is too large");
            }
            return Source.of("stdin", bytes);
        } catch (IOException e) {
            throw new AuditException(
                    AuditException.Code.INPUT_UNREADABLE, "standard input cannot be read: " + e.getMessage(), e);
        }
    }
}
