package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.Optional;

/// Settings of a compose service that only one rule asks for.
final class Composes {
    private Composes() {}

    static Optional<YamlMap> body(Workload workload) {
        return workload.origin() instanceof WorkloadOrigin.Compose origin
                ? Optional.of(origin.service().body())
                : Optional.empty();
    }

    /// Returns the place at which a switch is set to `wanted`.
    static Optional<Place> flag(Workload workload, String key, boolean wanted) {
        return scalar(workload, key)
                .filter(entry -> text(entry).equalsIgnoreCase(Boolean.toString(wanted)))
                .map(YamlEntry::place);
    }

    static Optional<YamlEntry> scalar(Workload workload, String key) {
        return body(workload).flatMap(body -> body.entry(key)).filter(entry -> entry.value() instanceof YamlScalar);
    }

    static String text(YamlEntry entry) {
        return entry.value() instanceof YamlScalar scalar ? scalar.value() : "";
    }
}
