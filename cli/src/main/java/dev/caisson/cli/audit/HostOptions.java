package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.Checks;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.hostaudit.HostAudit;
import dev.caisson.hostaudit.HostAudit.HostJson;
import dev.caisson.hostaudit.HostAuditRequest;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// Options of `caisson audit` that concern the audit of a live host.
final class HostOptions {
    private static final String UNIX = "unix://";
    private static final String CIS = "cis-docker-";

    @Option(
            names = "--docker",
            paramLabel = "unix:///PATH",
            description = {
                "Audit the engine at this socket",
                "(default: every engine at the usual places, of the system and of users)."
            })
    private @Nullable String docker;

    @Option(
            names = "--target",
            paramLabel = "TARGET",
            description = {
                "Only container:NAME or image:REFERENCE, with the checks of that kind;",
                "NAME as reports have it, podman/web of podman."
            })
    private @Nullable String target;

    @Option(
            names = "--benchmark",
            paramLabel = "NAME",
            description = "Only what cis-docker-1.8, cis-docker-1.7 or cis-docker-1.6 recommends.")
    private @Nullable String benchmark;

    @Option(
            names = "--profile",
            paramLabel = "LEVEL",
            description = "l1 leaves out recommendations of level 2 (default: l2).")
    private @Nullable String profile;

    @Option(
            names = "--live-filters",
            description = {
                "Read system call filters from the kernel, which stops each process for a moment;",
                "without it only where no bundle of the runtime tells what filter was set."
            })
    private boolean liveFilters;

    @Option(
            names = "--host-root",
            paramLabel = "DIR",
            description =
                    "Where the host's root directory is mounted, for an audit from inside a container (default: /).")
    private @Nullable Path hostRoot;

    @Option(
            names = "--built-from",
            paramLabel = "DOCKERFILE",
            description = {
                "A Dockerfile that images here may be built from: findings name its lines.",
                "Files of compose projects are known by the labels of their containers."
            })
    private List<Path> dockerfiles = List.of();

    @Option(
            names = "--save-facts",
            paramLabel = "FILE",
            description = "Write what was gathered as JSON and judge nothing; - for standard output.")
    private @Nullable String saveFacts;

    @Option(
            names = "--facts",
            paramLabel = "FILE",
            description = "Judge facts that --save-facts wrote, on whatever host; several make one report.")
    private List<Path> facts = List.of();

    @Option(
            names = "--host",
            paramLabel = "ssh://HOST",
            description = "Audit other hosts that have caisson, by ssh; several make one report.")
    private List<String> hosts = List.of();

    @Option(
            names = "--watch",
            paramLabel = "SECONDS",
            arity = "0..1",
            fallbackValue = "60",
            description = {
                "After the report, audit again and again and tell what changed,",
                "with so many seconds in between (${FALLBACK-VALUE})."
            })
    private @Nullable Integer watch;

    /// Audits what the options name.
    /// @param show takes the report
    /// @param command its output takes facts and changes
    int run(
            Severity failOn,
            @Nullable Path waivers,
            @Nullable Path baseline,
            Consumer<Report> show,
            CommandLine command) {
        PrintWriter out = command.getOut();
        HostAuditRequest request = request(failOn, waivers, baseline);
        if (watch != null && watch < 1) {
            throw invalid("--watch takes a number of seconds from 1 on, not " + watch);
        }
        if (saveFacts != null) {
            if (!dockerfiles.isEmpty()) {
                throw invalid("--built-from names lines in a report, and --save-facts makes none; take one out");
            }
            if (!facts.isEmpty() || !hosts.isEmpty()) {
                refuseBesideFacts();
            }
            save(HostAudit.facts(request), saveFacts, out);
            return 0;
        }
        Report report = report(request, command.getErr());
        show.accept(report);
        if (watch != null) {
            AuditWatch.run(
                    report,
                    () -> report(request(failOn, waivers, baseline), command.getErr()),
                    Duration.ofSeconds(watch),
                    line -> {
                        out.println(line);
                        OutputFailure.check(out);
                    });
        }
        return report.exitCode();
    }

    /// Audits this host and proposes files with which checks would pass.
    Proposal propose(Severity failOn, @Nullable Path waivers, @Nullable Path baseline) {
        if (saveFacts != null || watch != null || !facts.isEmpty() || !hosts.isEmpty() || target != null) {
            throw invalid(
                    "--fix is for this host as a whole, and stands beside --save-facts, --facts, --host, --watch or"
                            + " --target; take one out");
        }
        return HostAudit.propose(request(failOn, waivers, baseline), dockerfiles);
    }

    /// @param err gets a line for each host that was not judged: the report may go to a file
    private Report report(HostAuditRequest request, PrintWriter err) {
        if (facts.isEmpty() && hosts.isEmpty()) {
            return HostAudit.run(request, dockerfiles);
        }
        if (!dockerfiles.isEmpty()) {
            throw invalid("--built-from is for the audit of this host, and stands beside --facts or --host;"
                    + " take it out, or give it where the facts are gathered without --save-facts");
        }
        refuseBesideFacts();
        List<HostJson> gathered = new ArrayList<>();
        for (Path file : facts) {
            String name = String.valueOf(file.getFileName());
            try {
                gathered.add(saved(file, name.replaceFirst("\\.json$", "")));
            } catch (IOException e) {
                throw new AuditException(
                        AuditException.Code.INPUT_UNREADABLE,
                        file + " cannot be read: " + NamedFile.reason(e) + ".",
                        e);
            }
        }
        gathered.addAll(new RemoteHosts("ssh").gather(hosts));
        gathered.stream()
                .filter(host -> !host.problem().isEmpty())
                .forEach(host -> err.println("caisson: host " + OneLine.of(host.host()) + " was not audited: "
                        + OneLine.of(host.problem())));
        err.flush();
        return HostAudit.judge(gathered, request);
    }

    private static HostJson saved(Path file, String host) throws IOException {
        try (var in = Files.newInputStream(file)) {
            byte[] json = in.readNBytes(RemoteHosts.MOST_BYTES + 1);
            return json.length > RemoteHosts.MOST_BYTES
                    ? new HostJson(host, "", RemoteHosts.TOO_MUCH)
                    : new HostJson(host, new String(json, StandardCharsets.UTF_8), "");
        }
    }

    /// Readable by its owner alone: it says much about the host.
    private static void save(String json, String file, PrintWriter out) {
        if (file.equals("-")) {
            out.print(json);
            OutputFailure.check(out);
            return;
        }
        Path path = HostPath.of(file);
        try {
            Files.deleteIfExists(path);
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(path, json);
        } catch (IOException e) {
            throw OutputFailure.of(path, e);
        }
    }

    private HostAuditRequest request(Severity failOn, @Nullable Path waivers, @Nullable Path baseline) {
        Instant now = Instant.now();
        return new HostAuditRequest(
                socket(),
                root(),
                // who names a socket asks about that engine
                socket().isPresent()
                        ? Optional.empty()
                        : Optional.of(Caller.current().directories().state()),
                socket().isPresent()
                        ? Optional.empty()
                        : Optional.of(Caller.current().directories().networks()),
                target(),
                version(),
                level(),
                liveFilters,
                now.getEpochSecond(),
                LocalDate.ofInstant(now, ZoneOffset.UTC),
                failOn,
                Optional.ofNullable(waivers),
                Optional.ofNullable(baseline));
    }

    /// Files are judged by what they say alone; an option of the live host beside them is a mistake.
    void refuseBesideFiles() {
        boolean used = Stream.of(docker, target, benchmark, profile, hostRoot, saveFacts)
                .anyMatch(Objects::nonNull);
        if (used || liveFilters || watch != null || !facts.isEmpty() || !hosts.isEmpty() || !dockerfiles.isEmpty()) {
            throw invalid("an option that audits hosts stands beside a FILE; name no FILE, or take the option out");
        }
    }

    /// Refuses options of collecting beside facts: what was gathered elsewhere is complete, and they would change
    /// nothing.
    private void refuseBesideFacts() {
        boolean used = Stream.of(docker, target, hostRoot, saveFacts).anyMatch(Objects::nonNull);
        if (used || liveFilters) {
            throw invalid("--docker, --target, --host-root, --live-filters and --save-facts say what to "
                    + "gather here and do nothing beside --host or --facts; take them out");
        }
    }

    private static AuditException invalid(String sentence) {
        return new AuditException(AuditException.Code.OPTION_INVALID, sentence + ".");
    }

    private Optional<Path> socket() {
        if (docker == null) {
            return Optional.empty();
        }
        String path = docker.startsWith(UNIX) ? docker.substring(UNIX.length()) : docker;
        if (!path.startsWith("/")) {
            throw invalid("--docker takes unix:///PATH, not " + docker);
        }
        return Optional.of(HostPath.of(path));
    }

    private Path root() {
        if (hostRoot == null) {
            return Path.of("/");
        }
        if (!Files.isDirectory(hostRoot.resolve("etc"))) {
            throw invalid("--host-root " + hostRoot + " has no directory etc, so no host is mounted there");
        }
        return hostRoot.toAbsolutePath().normalize();
    }

    private Optional<String> target() {
        if (target != null && !(target.startsWith("container:") || target.startsWith("image:"))) {
            throw invalid("--target takes container:NAME or image:REFERENCE, not " + target);
        }
        return Optional.ofNullable(target);
    }

    private Optional<String> version() {
        if (benchmark == null) {
            return Optional.empty();
        }
        String version = benchmark.startsWith(CIS) ? benchmark.substring(CIS.length()) : benchmark;
        if (!Checks.CIS_VERSIONS.contains(version)) {
            throw invalid("--benchmark takes cis-docker-1.8, cis-docker-1.7 or cis-docker-1.6, not " + benchmark);
        }
        return Optional.of(version);
    }

    private int level() {
        return switch (profile) {
            case "l1" -> 1;
            case "l2" -> 2;
            case null -> 2;
            case String other -> throw invalid("--profile takes l1 or l2, not " + other);
        };
    }
}
