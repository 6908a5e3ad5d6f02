package dev.caisson.cli.view;

import dev.caisson.cli.text.JsonText;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.SetIdPrograms;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a container ended and what it was denied, for programs: the last object of `caisson logs --format json`. A
/// container that runs has no verdict, one whose engine was killed the verdict `KILLED` and nothing else.
final class EndJson {
    private EndJson() {}

    static String of(KeptContainer kept, boolean running, Optional<RunResult> result) {
        var end = new LinkedHashMap<String, Object>();
        end.put("id", kept.id().value());
        end.put("name", kept.name().orElse(""));
        end.put("labels", kept.labels());
        end.put("running", running);
        if (!running) {
            end.put("verdict", result.map(known -> known.verdict().name()).orElse("KILLED"));
        }
        result.ifPresent(known -> {
            end.put("exitStatus", known.exitStatus());
            end.put("signal", known.signal());
            end.put("oomKills", known.oomKills());
            end.put("pidsRefused", known.pidsRefused());
            end.put("peakMemory", known.peakMemory().count());
            end.put("wallClockNanos", known.wallClock().toNanos());
            end.put("cpuTimeNanos", known.cpuTime().toNanos());
        });
        end.put(
                "streamFailures",
                result.map(RunResult::streamFailures).orElse(List.of()).stream()
                        .map(failure -> Map.of(
                                "stream", failure.stream().name(),
                                "reason", failure.reason().name(),
                                "detail", failure.detail()))
                        .toList());
        end.put(
                "obstacles",
                result.map(RunResult::obstacles).orElse(List.of()).stream()
                        .map(Enum::name)
                        .toList());
        SetIdPrograms setId = result.map(RunResult::setIdPrograms).orElseGet(kept::setIdPrograms);
        end.put("setIdPrograms", setId.files());
        end.put("setIdProgramsMissing", setId.missing());
        List<Denial> denials = result.map(RunResult::denials).orElseGet(kept::denials);
        end.put("denials", denials.stream().map(Denial::fields).toList());
        List<DeniedDestination> destinations =
                result.map(RunResult::deniedDestinations).orElseGet(kept::deniedDestinations);
        end.put(
                "deniedDestinations",
                destinations.stream().map(DeniedDestination::fields).toList());
        kept.logFailure().ifPresent(why -> end.put("logFailure", why));
        return JsonText.of(Map.of("end", end));
    }
}
