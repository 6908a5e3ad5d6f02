package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import dev.caisson.launch.monitor.HealthLog;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.spec.Denial;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What the health checks of a container have shown.
///
/// @param streak failures in a row
/// @param probes the last five, the oldest first
/// @param denials system calls of any of them that the filter denied, since the container was created
public record HealthReport(Health status, int streak, List<Probe> probes, List<Denial> denials) {
    /// The health of a container.
    public enum Health {
        /// It has no health check, or was never started.
        NONE,
        /// Nothing is known yet.
        STARTING,
        HEALTHY,
        UNHEALTHY;

        /// Returns Docker's word.
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /// One health check.
    ///
    /// @param code exit code, 128 and its signal, or -1: it took too long, or could not be started
    /// @param output at most the first 4 KiB of both streams
    public record Probe(Instant started, Instant finished, int code, String output) {}

    public HealthReport {
        present(status, "status");
        probes = allPresent(probes, "probes");
        denials = allPresent(denials, "denials");
    }

    static HealthReport of(Optional<MonitorState> known, Optional<HealthLog> log, List<Denial> denials) {
        return new HealthReport(
                known.map(ToldState::health).orElse(Health.NONE),
                log.map(HealthLog::streak).orElse(0),
                log.map(HealthLog::probes).orElse(List.of()).stream()
                        .map(probe -> new Probe(probe.started(), probe.finished(), probe.code(), probe.output()))
                        .toList(),
                denials);
    }
}
