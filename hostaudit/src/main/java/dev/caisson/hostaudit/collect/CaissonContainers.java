package dev.caisson.hostaudit.collect;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Claims;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.ContainerTruth;
import dev.caisson.hostaudit.kernel.Proc;
import dev.caisson.hostaudit.kernel.ProcessTable;
import dev.caisson.text.MalformedJsonException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Containers of Caisson itself, by the records of its state directory: `engines/ENGINE/ID.json`.
final class CaissonContainers {
    private final Optional<Path> state;
    private final ProcessTable table;
    private final ContainerTruth truths;
    private final CaissonNetworks networks;
    private final List<Gap> gaps;

    CaissonContainers(
            Optional<Path> state, CaissonNetworks networks, ProcessTable table, ContainerTruth truths, List<Gap> gaps) {
        this.state = state;
        this.networks = networks;
        this.table = table;
        this.truths = truths;
        this.gaps = gaps;
    }

    List<ContainerFacts> collect() {
        Optional<Path> engines =
                state.map(directory -> directory.resolve("engines")).filter(Files::isReadable);
        if (engines.isEmpty()) {
            return List.of();
        }
        try (Stream<Path> records = Files.walk(engines.get(), 2)) {
            return records.filter(file -> file.toString().endsWith(".json")
                            && !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .flatMap(file -> container(file).stream())
                    .toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            gaps.add(new Gap(engines.get().toString(), "containers of Caisson cannot be listed: " + e.getMessage()));
            return List.of();
        }
    }

    private Optional<ContainerFacts> container(Path file) {
        Tree record;
        try {
            record = Proc.text(file).map(Tree::parse).orElse(Tree.NONE);
        } catch (MalformedJsonException e) {
            gaps.add(new Gap(file.toString(), "it is no record of a container"));
            return Optional.empty();
        }
        long pid = record.at("pid").number(0);
        // with the start time a pid names one process
        if (pid == 0
                || !table.all().contains(pid)
                || Proc.startTime(pid).orElse(0L) != record.at("startTime").number(-1)) {
            return Optional.empty();
        }
        String id = record.at("id").textOr("");
        Optional<Truth> truth = Optional.empty();
        String reason = "";
        try {
            truth = Optional.of(truths.read(id, pid, List.of()));
        } catch (IllegalStateException e) {
            reason = String.valueOf(e.getMessage());
        }
        String name = record.at("name").textOr("");
        CaissonNetworks.Joined joined = networks.of(id);
        return Optional.of(new ContainerFacts(
                id,
                name.isEmpty() ? id : name,
                record.at("image").textOr(""),
                "",
                "running",
                record.at("createdMillis").number(0) / 1000,
                claims(record, pid, joined),
                Optional.of(joined.reach()),
                truth,
                reason));
    }

    /// Reads the records; everything else is what Caisson gives every container.
    private static Claims claims(Tree record, long pid, CaissonNetworks.Joined joined) {
        var none = new ArrayList<String>();
        return new Claims(
                pid,
                "",
                false,
                none,
                none,
                List.of("no-new-privileges"),
                "",
                shares(record, "NETWORK") ? "host" : joined.mode(),
                "",
                shares(record, "IPC") ? "host" : "private",
                shares(record, "UTS") ? "host" : "",
                "",
                record.at("cgroupParent").textOr(""),
                record.at("memoryLimit").number(0),
                0,
                0,
                0,
                0,
                "",
                record.at("pidsLimit").number(0),
                false,
                "no",
                0,
                none,
                none,
                none,
                none,
                List.of(),
                joined.ports(),
                none,
                "caisson",
                Map.of(),
                Map.of("size", record.at("writableBytes").textOr("")),
                none,
                "",
                none,
                none,
                Map.of(),
                joined.names(),
                false);
    }

    /// True if it is planned without a namespace of its own, in the host's.
    private static boolean shares(Tree record, String namespace) {
        List<String> own = record.at("namespaces").texts();
        return !own.isEmpty() && !own.contains(namespace);
    }
}
