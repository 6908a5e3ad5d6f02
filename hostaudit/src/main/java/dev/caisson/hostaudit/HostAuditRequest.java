package dev.caisson.hostaudit;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.Scope;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Optional;

/// Selects what of a host is audited, and how.
///
/// @param socket the engine's API by a path of this process; the host's usual places are tried where it is
///     empty
/// @param hostRoot where the host's root directory is mounted: `/`, or another path in a container that
///     audits its host
/// @param caissonState the state directory of Caisson's own engine, whose containers are audited too; empty to leave
///     them out
/// @param caissonNetworks the directory with the records of its networks, `EngineOptions.networks()`; where it
///     is empty, published ports and networks of its containers are not known
/// @param target `container:NAME` or `image:REFERENCE`; everything where it is empty
/// @param benchmark `1.6`, `1.7` or `1.8`: only checks that answer a recommendation of that CIS Docker
///     Benchmark
/// @param level 1 leaves out recommendations of level 2
/// @param liveFilters reads system call filters from the kernel, which stops each process for a moment;
///     otherwise what the runtime was given is read where it can be found
/// @param second of the audit, seconds since 1970
/// @param today the day by which waivers are judged
/// @param failOn the severity from which an open finding makes the run fail
/// @param waivers a file of waivers
/// @param baseline a JSON report whose findings are known
public record HostAuditRequest(
        Optional<Path> socket,
        Path hostRoot,
        Optional<Path> caissonState,
        Optional<Path> caissonNetworks,
        Optional<String> target,
        Optional<String> benchmark,
        int level,
        boolean liveFilters,
        long second,
        LocalDate today,
        Severity failOn,
        Optional<Path> waivers,
        Optional<Path> baseline) {
    /// Without networks of Caisson's.
    public HostAuditRequest(
            Optional<Path> socket,
            Path hostRoot,
            Optional<Path> caissonState,
            Optional<String> target,
            Optional<String> benchmark,
            int level,
            boolean liveFilters,
            long second,
            LocalDate today,
            Severity failOn,
            Optional<Path> waivers,
            Optional<Path> baseline) {
        this(
                socket,
                hostRoot,
                caissonState,
                Optional.empty(),
                target,
                benchmark,
                level,
                liveFilters,
                second,
                today,
                failOn,
                waivers,
                baseline);
    }

    /// The part of the request that says what is collected.
    Scope scope() {
        return new Scope(socket, hostRoot, caissonState, caissonNetworks, target, liveFilters, second);
    }
}
