package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Proposes changes to the mapping in which a workload's settings are written.
final class Fixes {
    private Fixes() {}

    /// A change of settings that may be called one thing in compose and another in Kubernetes. Kubernetes' are
    /// relative to the container.
    static Fix of(Workload workload, boolean safe, List<YamlChange> compose, List<YamlChange> kubernetes) {
        return switch (workload.origin()) {
            case WorkloadOrigin.Compose origin -> compose(origin, safe, compose);
            case WorkloadOrigin.Kubernetes origin ->
                new Fix.OfYaml(
                        safe,
                        Optional.empty(),
                        kubernetes.stream()
                                .map(change -> new Fix.Targeted(origin.container(), change))
                                .toList());
        };
    }

    static Fix compose(WorkloadOrigin.Compose origin, boolean safe, List<YamlChange> changes) {
        List<Fix.Targeted> targeted = changes.stream()
                .map(change -> new Fix.Targeted(definition(origin, change), change))
                .toList();
        return new Fix.OfYaml(safe, Optional.of(origin.service().name()), targeted);
    }

    /// A change of the pod's own settings.
    static Fix pod(WorkloadOrigin.Kubernetes origin, boolean safe, List<YamlChange> changes) {
        return new Fix.OfYaml(
                safe,
                Optional.empty(),
                changes.stream()
                        .map(change -> new Fix.Targeted(origin.pod().spec(), change))
                        .toList());
    }

    static Fix both(Fix first, Fix second) {
        if (first instanceof Fix.OfYaml one && second instanceof Fix.OfYaml two) {
            List<Fix.Targeted> all = new ArrayList<>(one.changes());
            all.addAll(two.changes());
            return new Fix.OfYaml(one.safe() && two.safe(), one.service(), all);
        }
        throw new IllegalArgumentException("only changes of YAML can be joined");
    }

    static Fix replace(boolean safe, Place place, String replacement) {
        return new Fix.OfText(safe, List.of(new Fix.Edit(place, replacement)));
    }

    /// The last file that has the item or the setting, else the first that has the service.
    private static YamlMap definition(WorkloadOrigin.Compose origin, YamlChange change) {
        List<YamlMap> definitions = origin.service().definitions();
        return definitions.reversed().stream()
                .filter(map -> has(map, change))
                .findFirst()
                .orElse(definitions.getFirst());
    }

    private static boolean has(YamlMap map, YamlChange change) {
        return switch (change) {
            case YamlChange.ReplaceItem replace -> hasItem(map, replace.path(), replace.item());
            case YamlChange.DropItem drop -> hasItem(map, drop.path(), drop.item());
            case YamlChange.Put put -> hasKey(map, put.path());
            case YamlChange.Append append -> hasKey(map, append.path());
            case YamlChange.Drop drop -> hasKey(map, drop.path());
        };
    }

    private static boolean hasKey(YamlMap map, List<String> path) {
        return map.entry(path.getFirst()).filter(entry -> !entry.merged()).isPresent();
    }

    private static boolean hasItem(YamlMap map, List<String> path, String item) {
        return path.size() == 1
                && map.seq(path.getFirst()).stream()
                        .flatMap(seq -> seq.items().stream())
                        .anyMatch(found -> found.place().text().equals(item));
    }
}
