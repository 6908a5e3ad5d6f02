package dev.caisson.hostaudit;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.Facts;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Optional;

/// Requests of tests: everything, on one day, of no saved state.
final class LiveRequests {
    private LiveRequests() {}

    static HostAuditRequest of(Optional<Path> socket, Path root) {
        return at(System.currentTimeMillis() / 1000, socket, root);
    }

    /// @param second when the audit takes it to be
    static HostAuditRequest at(long second, Optional<Path> socket, Path root) {
        return new HostAuditRequest(
                socket,
                root,
                Optional.of(Path.of("/nowhere")),
                Optional.empty(),
                Optional.empty(),
                2,
                false,
                second,
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
    }

    /// Of one benchmark, or of one level.
    static HostAuditRequest of(Facts facts, Optional<String> benchmark, int level) {
        HostAuditRequest all = at(facts.second(), Optional.empty(), Path.of("/"));
        return new HostAuditRequest(
                all.socket(),
                all.hostRoot(),
                all.caissonState(),
                all.target(),
                benchmark,
                level,
                false,
                all.second(),
                all.today(),
                all.failOn(),
                all.waivers(),
                all.baseline());
    }

    /// Of one container or image, if any, with the containers of Caisson's own state and filters as the kernel has
    /// them.
    static HostAuditRequest about(Optional<String> target, Optional<Path> socket, Path root, Path state) {
        HostAuditRequest all = of(socket, root);
        return new HostAuditRequest(
                socket,
                root,
                socket.isPresent() ? Optional.empty() : Optional.of(state),
                target,
                all.benchmark(),
                all.level(),
                true,
                all.second(),
                all.today(),
                all.failOn(),
                all.waivers(),
                all.baseline());
    }
}
