package dev.caisson.cli.stats;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Survey.Sample;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Usage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a template of `docker stats` can name, in docker's words: one container between two samples.
final class StatsRow {
    /// The table that docker prints.
    static final String COLUMNS =
            "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

    static final Map<String, String> HEADERS = Map.of(
            "Container", "CONTAINER",
            "ID", "CONTAINER ID",
            "Name", "NAME",
            "CPUPerc", "CPU %",
            "MemUsage", "MEM USAGE / LIMIT",
            "MemPerc", "MEM %",
            "NetIO", "NET I/O",
            "BlockIO", "BLOCK I/O",
            "PIDs", "PIDS");

    private static final int SHORT_ID = 12;
    private static final int DIGITS = 3;

    private StatsRow() {}

    static Map<String, Object> of(Sample before, Sample now) {
        Usage usage = now.usage().group();
        List<InterfaceUse> links = now.usage().interfaces();
        List<Usage.Io> disks = usage.io().orElse(List.of());
        var row = new LinkedHashMap<String, Object>();
        row.put(
                "BlockIO",
                pair(
                        disks.stream().mapToLong(Usage.Io::readBytes).sum(),
                        disks.stream().mapToLong(Usage.Io::writtenBytes).sum()));
        row.put("CPUPerc", percent(StatsLine.processors(before, now)));
        row.put("Container", now.id().substring(0, SHORT_ID));
        row.put("ID", now.id().substring(0, SHORT_ID));
        row.put("MemPerc", percent(StatsLine.memoryPart(now)));
        row.put(
                "MemUsage",
                usage.memory()
                        .map(memory -> memory(memory.workingSet()) + " / " + memory(memory.limit()))
                        .orElse("-- / --"));
        row.put("Name", OneLine.of(now.name()));
        row.put(
                "NetIO",
                pair(
                        links.stream()
                                .mapToLong(link -> link.received().bytes())
                                .sum(),
                        links.stream().mapToLong(link -> link.sent().bytes()).sum()));
        row.put("PIDs", usage.pids().map(pids -> Long.toString(pids.current())).orElse("--"));
        return row;
    }

    private static String percent(double part) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * part);
    }

    private static String pair(long in, long out) {
        return SizeText.of(in, DIGITS) + " / " + SizeText.of(out, DIGITS);
    }

    private static String memory(Bytes bytes) {
        return bytes.isUnlimited() ? "unlimited" : SizeText.memory(bytes.count());
    }
}
