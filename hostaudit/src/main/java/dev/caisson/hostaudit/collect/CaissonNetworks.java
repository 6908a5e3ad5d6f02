package dev.caisson.hostaudit.collect;

import dev.caisson.hostaudit.facts.ContainerFacts.Publication;
import dev.caisson.hostaudit.facts.ContainerFacts.Reach;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.text.MalformedJsonException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Networks and published ports of Caisson's containers, by its records: `networks/ID.json` and `containers/ID.json`.
final class CaissonNetworks {
    private static final String JSON = ".json";

    /// What a container has.
    ///
    /// @param names of its networks, as they were joined
    /// @param ports none on internal networks alone, which nobody reaches from outside
    record Joined(List<String> names, List<Publication> ports, Reach reach) {
        static final Joined NONE = new Joined(List.of(), List.of(), new Reach(false, Optional.empty()));

        /// Returns the first network, as Docker names it; one without may have loopback alone, or another's network.
        String mode() {
            return names.isEmpty() ? "" : names.getFirst();
        }
    }

    private final Optional<Path> directory;
    private final List<Gap> gaps;

    CaissonNetworks(Optional<Path> directory, List<Gap> gaps) {
        this.directory = directory;
        this.gaps = gaps;
    }

    Joined of(String container) {
        Tree record = read("containers", container);
        var names = new ArrayList<String>();
        boolean led = false;
        for (Tree place : record.at("attachments").list()) {
            Tree network = read("networks", place.at("network").textOr(""));
            names.add(network.at("name").textOr(place.at("network").textOr("")));
            led |= !network.at("internal").truth();
        }
        Tree undeclared = record.at("undeclared");
        return names.isEmpty()
                ? Joined.NONE
                : new Joined(
                        List.copyOf(names),
                        led ? ports(record) : List.of(),
                        new Reach(!led, undeclared.present() ? Optional.of(undeclared.texts()) : Optional.empty()));
    }

    private static List<Publication> ports(Tree record) {
        return record.at("ports").list().stream()
                .map(port -> new Publication(
                        port.at("containerPort").textOr("") + "/"
                                + port.at("transport").textOr(""),
                        port.at("address").textOr(""),
                        (int) port.at("hostPort").number(0)))
                .sorted(Comparator.comparing(Publication::port)
                        .thenComparing(Publication::hostAddress)
                        .thenComparingInt(Publication::hostPort))
                .toList();
    }

    private Tree read(String kind, String id) {
        if (directory.isEmpty() || !id.matches("[0-9a-f]+")) {
            return Tree.NONE;
        }
        Path file = directory.get().resolve(kind).resolve(id + JSON);
        try {
            return Proc.text(file).map(Tree::parse).orElse(Tree.NONE);
        } catch (MalformedJsonException e) {
            gaps.add(new Gap(file.toString(), "it is no record of a network or of a container on one"));
            return Tree.NONE;
        }
    }
}
