package dev.caisson.cli;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.Checks;
import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.HostAuditRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options of `caisson audit` that concern the audit of a live host.
final class HostOptions {
    private static final String UNIX = "unix://";
    private static final String CIS = "cis-docker-";

    @Option(
            names = "--docker",
            paramLabel = "unix:///PATH",
            description = "The engine's socket (default: the usual places).")
    private @Nullable String docker;

    @Option(
            names = "--target",
            paramLabel = "TARGET",
            description = "Only container:NAME or image:REFERENCE, with the checks of that kind.")
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
            description = "Read system call filters from the kernel, which stops each process for a moment.")
    private boolean liveFilters;

    @Option(
            names = "--host-root",
            paramLabel = "DIR",
            description =
                    "Where the host's root directory is mounted, for an audit from inside a container (default: /).")
    private @Nullable Path hostRoot;

    HostAuditRequest request(Severity failOn, @Nullable Path waivers, @Nullable Path baseline) {
        Instant now = Instant.now();
        return new HostAuditRequest(
                socket(),
                root(),
                Directories.options().state(),
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
        if (docker != null || target != null || benchmark != null || profile != null || hostRoot != null) {
            throw invalid("--docker, --target, --benchmark, --profile and --host-root audit a live host; name no FILE");
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
        return Optional.of(Path.of(path));
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
