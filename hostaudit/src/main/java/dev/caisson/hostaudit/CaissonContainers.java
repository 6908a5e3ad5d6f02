package dev.caisson.hostaudit;

import dev.caisson.hostaudit.ContainerFacts.Claims;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import io.avaje.json.JsonDataException;
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
    private final Path state;
    private final ProcessTable table;
    private final ContainerTruth truths;

    CaissonContainers(Path state, ProcessTable table, ContainerTruth truths) {
        this.state = state;
        this.table = table;
        this.truths = truths;
    }

    List<ContainerFacts> collect() {
        Path engines = state.resolve("engines");
        if (!Files.isReadable(engines)) {
            return List.of();
        }
        try (Stream<Path> records = Files.walk(engines, 2)) {
            return records.filter(file -> file.toString().endsWith(".json")
                            && !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .flatMap(file -> container(file).stream())
                    .toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    private Optional<ContainerFacts> container(Path file) {
        Tree record;
        try {
            record = Proc.text(file).map(Tree::parse).orElse(Tree.NONE);
        } catch (JsonDataException e) {
            return Optional.empty();
        }
        long pid = record.at("pid").number(0);
        // with the start time a pid names one process
        if (pid == 0 || startTime(pid) != record.at("startTime").number(-1)) {
            return Optional.empty();
        }
        String id = record.at("id").textOr("");
        Optional<Truth> truth = Optional.empty();
        String reason = "";
        try {
            truth = Optional.of(truths.read(id, pid));
        } catch (IllegalStateException e) {
            reason = String.valueOf(e.getMessage());
        }
        String name = record.at("name").textOr("");
        return Optional.of(new ContainerFacts(
                id,
                name.isEmpty() ? id : name,
                record.at("image").textOr(""),
                "",
                "running",
                record.at("createdMillis").number(0) / 1000,
                claims(record, pid),
                truth,
                reason));
    }

    private long startTime(long pid) {
        String stat = Proc.text(pid, "stat").orElse("");
        String[] rest = stat.substring(Math.min(stat.length(), stat.lastIndexOf(')') + 1))
                .split(" ", -1);
        return table.all().contains(pid) && rest.length > 20 ? Long.parseLong(rest[20]) : 0;
    }

    /// What the record says; the rest is what Caisson gives every container.
    private static Claims claims(Tree record, long pid) {
        var none = new ArrayList<String>();
        return new Claims(
                pid,
                "",
                false,
                none,
                none,
                List.of("no-new-privileges"),
                "",
                "",
                "",
                "private",
                "",
                "",
                record.at("cgroupParent").textOr(""),
                record.at("memoryLimit").number(0),
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
                List.of(),
                none,
                "caisson",
                Map.of(),
                Map.of("size", record.at("writableBytes").textOr("")),
                none,
                "",
                none,
                Map.of(),
                none);
    }
}
