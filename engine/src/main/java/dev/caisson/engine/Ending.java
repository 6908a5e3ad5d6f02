package dev.caisson.engine;

import static dev.caisson.state.KeptFile.number;
import static dev.caisson.state.KeptFile.text;
import static dev.caisson.state.KeptFile.texts;

import dev.caisson.linux.Fd;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.state.KeptFile;
import dev.caisson.state.KeptRun;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a container ended, as it is kept.
///
/// @param logFailure why its log ends early; empty where it does not
record Ending(RunResult result, Instant time, String logFailure) {
    /// Keeps how a container ended.
    /// @param ran whether it did; one that did not is not kept
    static void keep(KeptRun kept, boolean ran, RunResult result) {
        kept.end(ran, result.denials(), failure -> new Ending(result, Instant.now(), failure).fields());
    }

    /// Returns the fields for the file, by name.
    Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("verdict", result.verdict().name());
        fields.put("exitCode", result.exitCode());
        fields.put("signal", result.signal());
        fields.put("wallClockNanos", result.wallClock().toNanos());
        fields.put("cpuTimeNanos", result.cpuTime().toNanos());
        fields.put("peakMemory", result.peakMemory().count());
        result.resources().put(fields);
        fields.put("oomKills", result.oomKills());
        fields.put("pidsRefused", result.pidsRefused());
        fields.put(
                "streamFailures",
                result.streamFailures().stream().map(Ending::fields).toList());
        fields.put("obstacles", result.obstacles().stream().map(Obstacle::name).toList());
        result.setIdPrograms().put(fields);
        fields.put(
                "deniedDestinations",
                result.deniedDestinations().stream()
                        .map(DeniedDestination::fields)
                        .toList());
        fields.put("endedMillis", time.toEpochMilli());
        fields.put("logFailure", logFailure);
        return fields;
    }

    /// Reads the end from the directory of a retained container; empty if its engine was killed.
    static Optional<Ending> in(Fd directory, ContainerId id) {
        return KeptFile.ending(directory, fields -> of(fields, id, KeptFile.denials(directory)));
    }

    private static Ending of(Map<?, ?> fields, ContainerId id, List<Denial> denials) {
        return new Ending(
                new RunResult(
                        id,
                        Verdict.valueOf(text(fields, "verdict")),
                        (int) number(fields, "exitCode"),
                        (int) number(fields, "signal"),
                        RunResult.Captured.NOTHING,
                        RunResult.Captured.NOTHING,
                        Duration.ofNanos(number(fields, "wallClockNanos")),
                        Duration.ofNanos(number(fields, "cpuTimeNanos")),
                        Bytes.of(number(fields, "peakMemory")),
                        number(fields, "oomKills"),
                        number(fields, "pidsRefused"),
                        denials,
                        destinations(fields),
                        Optional.empty(),
                        streamFailures(fields),
                        obstacles(fields),
                        SetIdPrograms.of(fields),
                        RunResult.Resources.of(fields)),
                Instant.ofEpochMilli(number(fields, "endedMillis")),
                text(fields, "logFailure"));
    }

    static Map<String, String> fields(StreamFailure failure) {
        return Map.of(
                "stream", failure.stream().name(),
                "reason", failure.reason().name(),
                "detail", failure.detail());
    }

    private static List<StreamFailure> streamFailures(Map<?, ?> fields) {
        var failures = new ArrayList<StreamFailure>();
        for (Object one : (List<?>) KeptFile.need(fields, "streamFailures")) {
            var known = (Map<?, ?>) one;
            failures.add(new StreamFailure(
                    StreamFailure.Stream.valueOf(text(known, "stream")),
                    StreamFailure.Reason.valueOf(text(known, "reason")),
                    text(known, "detail")));
        }
        return List.copyOf(failures);
    }

    private static List<DeniedDestination> destinations(Map<?, ?> fields) {
        return fields.get("deniedDestinations") instanceof List<?> all
                ? all.stream()
                        .map(one -> DeniedDestinations.of((Map<?, ?>) one))
                        .toList()
                : List.of(); // kept by an earlier version
    }

    private static List<Obstacle> obstacles(Map<?, ?> fields) {
        return fields.containsKey("obstacles")
                ? texts(fields, "obstacles").stream().map(Obstacle::valueOf).toList()
                : List.of(); // kept by an earlier version
    }
}
