package dev.caisson.cli.stats;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ContainerUsage;
import dev.caisson.engine.Survey.Sample;
import dev.caisson.engine.Survey.Total;
import dev.caisson.engine.WritableUse;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// One container's line for people: what it used between two samples.
final class StatsLine {
    /// Format for a file, or a terminal that is wide enough.
    private static final String WIDE = "%-12s  %-16.16s  %7s %-10s  %21s %-10s  %9s  %28s  %17s  %17s  %5s  %6s";
    /// Format for 80 columns.
    private static final String NARROW = "%-16.16s  %7s %-10s  %19s  %9s  %3s";
    private static final int WIDE_COLUMNS = 178;

    private final boolean wide;

    /// @param columns that a line may have
    StatsLine(int columns) {
        this.wide = columns >= WIDE_COLUMNS;
    }

    String header() {
        return row(List.of(
                "CONTAINER",
                "NAME",
                "CPU",
                "",
                "MEMORY / LIMIT",
                "",
                "PIDS",
                "WRITTEN / SIZE FILES",
                "READ / WRITE",
                "NET IN / OUT",
                "STALL",
                "OOM"));
    }

    /// @param cpu sparkline of processor time, empty for none
    /// @param memory sparkline of memory, empty for none
    String of(Sample before, Sample now, String cpu, String memory) {
        return line(
                now.id().substring(0, 12),
                now.name().isEmpty() ? "-" : OneLine.of(now.name()),
                processors(before, now),
                now.usage(),
                cpu,
                memory);
    }

    /// A tenant's line, which stands in for a container's.
    String of(Total before, Total now) {
        return line(
                "tenant",
                (wide ? "" : "tenant ") + OneLine.of(now.tenant()),
                processors(before.usage(), now.usage(), now.nanoTime() - before.nanoTime()),
                new ContainerUsage(now.usage(), Optional.empty()),
                "",
                "");
    }

    private String line(String id, String name, double processors, ContainerUsage all, String cpu, String memory) {
        Usage usage = all.group();
        return row(List.of(
                id,
                name,
                String.format(Locale.ROOT, "%.1f%%", 100 * processors),
                cpu,
                usage.memory().map(StatsLine::memory).orElse("-"),
                memory,
                usage.pids().map(StatsLine::pids).orElse("-"),
                all.writable().map(StatsLine::writable).orElse("-"),
                usage.io().map(StatsLine::io).orElse("-"),
                all.interfaces().isEmpty() ? "-" : traffic(all.interfaces()),
                usage.pressure()
                        .map(pressures -> String.format(
                                Locale.ROOT,
                                "%.0f%%",
                                Math.max(
                                        pressures.cpu().some().last10(),
                                        Math.max(
                                                pressures.memory().some().last10(),
                                                pressures.io().some().last10()))))
                        .orElse("-"),
                usage.memory().map(used -> Long.toString(used.oomKills())).orElse("-")));
    }

    /// The most important of all columns where there is no room for the others.
    private String row(List<String> all) {
        Object[] shown = wide
                ? all.toArray()
                : new Object[] {all.get(1), all.get(2), all.get(3), all.get(4), all.get(6), all.get(11)};
        return String.format(Locale.ROOT, wide ? WIDE : NARROW, shown).stripTrailing();
    }

    /// Processors that were busy with it between the two samples.
    static double processors(Sample before, Sample now) {
        return processors(before.usage().group(), now.usage().group(), now.nanoTime() - before.nanoTime());
    }

    static double processors(Usage before, Usage now, long elapsed) {
        Duration used = now.cpu().total().minus(before.cpu().total());
        return elapsed <= 0 ? 0 : (double) used.toNanos() / elapsed;
    }

    /// Returns the used part of the memory limit; 0 without a limit.
    static double memoryPart(Sample sample) {
        Optional<Usage.Memory> memory = sample.usage().group().memory();
        return memory.filter(used -> !used.limit().isUnlimited())
                .map(used -> (double) used.workingSet().count() / used.limit().count())
                .orElse(0.0);
    }

    private static String memory(Usage.Memory memory) {
        return memory.workingSet() + " / " + memory.limit();
    }

    private static String pids(Usage.Pids pids) {
        return pids.current() + (pids.limit() == Limits.UNLIMITED_PIDS ? "" : "/" + pids.limit());
    }

    private static String writable(WritableUse writable) {
        return writable.used() + " / " + writable.size() + " " + writable.inodes() + "f";
    }

    private static String traffic(List<InterfaceUse> links) {
        return Bytes.of(links.stream()
                        .mapToLong(link -> link.received().bytes())
                        .sum()) + " / "
                + Bytes.of(links.stream().mapToLong(link -> link.sent().bytes()).sum());
    }

    private static String io(List<Usage.Io> disks) {
        return Bytes.of(disks.stream().mapToLong(Usage.Io::readBytes).sum()) + " / "
                + Bytes.of(disks.stream().mapToLong(Usage.Io::writtenBytes).sum());
    }
}
