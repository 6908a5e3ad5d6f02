package dev.caisson.hostaudit;

import dev.caisson.audit.Severity;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Optional;

/// Requests of tests: everything, of no saved state.
final class LiveRequests {
    private LiveRequests() {}

    static HostAuditRequest of(Optional<Path> socket, Path root) {
        return new HostAuditRequest(
                socket,
                root,
                Path.of("/nowhere"),
                Optional.empty(),
                Optional.empty(),
                2,
                false,
                System.currentTimeMillis() / 1000,
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
    }
}
