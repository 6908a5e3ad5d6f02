package dev.caisson.engine;

import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import dev.caisson.state.EventJournal;
import dev.caisson.state.KeptFile;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads from the events of a state directory what containers were denied outside of their networks: each destination
/// once, the first 64 of a container, as far back as the journal goes.
final class DeniedDestinations {
    private static final int MOST = 64;
    private static final String NAME = "domain";
    private static final String ADDRESS = "address";
    private static final String PORT = "port";
    private static final String PROTOCOL = "protocol";
    private static final String REASON = "reason";
    /// Counts what else a container was denied meanwhile.
    static final String MORE = "more";

    private static final Set<String> OWN = Set.of(NAME, ADDRESS, PORT, PROTOCOL, REASON, MORE);
    private static final System.Logger LOG = System.getLogger(DeniedDestinations.class.getName());

    private DeniedDestinations() {}

    static Map<String, String> attributes(DeniedDestination denied) {
        var attributes = new LinkedHashMap<String, String>();
        put(attributes, NAME, denied.name());
        put(attributes, ADDRESS, denied.address());
        if (denied.port() != 0) {
            attributes.put(PORT, Integer.toString(denied.port()));
        }
        attributes.put(PROTOCOL, denied.protocol());
        attributes.put(REASON, denied.reason());
        return attributes;
    }

    /// Returns the attributes of an event without labels that have the name of a part which this denial does not have:
    /// an image could write a destination with them, or hide one.
    static Map<String, String> withoutLabels(Map<String, String> attributes, Map<String, String> denied) {
        var own = new LinkedHashMap<>(attributes);
        own.keySet().removeIf(key -> OWN.contains(key) && !denied.containsKey(key));
        return own;
    }

    private static void put(Map<String, String> attributes, String key, String value) {
        if (!value.isEmpty()) {
            attributes.put(key, value);
        }
    }

    /// Returns those of a container, the first first.
    static List<DeniedDestination> of(EngineOptions options, ContainerId id) {
        Set<DeniedDestination> found = new LinkedHashSet<>();
        try (var journal = new EventJournal(options.state())) {
            for (String line : journal.next()) {
                if (found.size() < MOST && line.contains(EgressDenials.ACTION) && line.contains(id.value())) {
                    LifeEvent.parse(line)
                            .filter(event -> event.action().equals(EgressDenials.ACTION)
                                    && event.id().equals(id.value()))
                            .flatMap(DeniedDestinations::of)
                            .ifPresent(found::add);
                }
            }
        }
        return List.copyOf(found);
    }

    private static Optional<DeniedDestination> of(LifeEvent event) {
        Map<String, String> attributes = event.attributes();
        try {
            return Optional.of(new DeniedDestination(
                    attributes.getOrDefault(NAME, ""),
                    attributes.getOrDefault(ADDRESS, ""),
                    Integer.parseInt(attributes.getOrDefault(PORT, "0")),
                    attributes.getOrDefault(PROTOCOL, ""),
                    attributes.getOrDefault(REASON, "")));
        } catch (NumberFormatException e) {
            return Optional.empty(); // not a line of ours
        }
    }

    /// Returns a run's result with what it was denied, once that is among the events. If these cannot be read, the
    /// result stays as it is.
    static RunResult told(RunResult result, ContainerSpec spec, EngineOptions options) {
        if (!(spec.network() instanceof Network.Joined joined) || joined.egress() instanceof Egress.All) {
            return result;
        }
        EgressDenials.settle(options);
        try {
            return result.withDenied(of(options, result.id()));
        } catch (ErrnoException e) {
            LOG.log(System.Logger.Level.WARNING, "what a container was denied could not be read", e);
            return result;
        }
    }

    /// Reads one that was written with its fields.
    static DeniedDestination of(Map<?, ?> fields) {
        return new DeniedDestination(
                KeptFile.text(fields, "name"),
                KeptFile.text(fields, ADDRESS),
                (int) KeptFile.number(fields, PORT),
                KeptFile.text(fields, PROTOCOL),
                KeptFile.text(fields, REASON));
    }
}
