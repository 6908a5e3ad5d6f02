package dev.caisson.cli.stats;

import dev.caisson.engine.Survey.Sample;
import dev.caisson.engine.Survey.Total;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.InterfaceUse.Traffic;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// Samples in Prometheus' text format 0.0.4, with cAdvisor's names and units, so that boards made for
/// those show them.
final class PrometheusText {
    private final List<Sample> samples;
    private final StringBuilder text = new StringBuilder();

    private PrometheusText(List<Sample> samples) {
        this.samples = samples;
    }

    static String of(List<Sample> samples, List<Total> totals) {
        var text = new PrometheusText(samples);
        text.cpu();
        text.memory();
        text.processes();
        text.files();
        text.networks();
        text.pressure();
        text.gauge(
                "container_start_time_seconds",
                "When it was made, since 1970.",
                sample -> Optional.of(sample.created().toEpochMilli() / 1000.0));
        text.tenants(totals);
        return text.text.toString();
    }

    private void cpu() {
        counter(
                "container_cpu_usage_seconds_total",
                "Processor time.",
                seconds(usage -> usage.cpu().total()));
        counter(
                "container_cpu_user_seconds_total",
                "Processor time of programs.",
                seconds(usage -> usage.cpu().user()));
        counter(
                "container_cpu_system_seconds_total",
                "Processor time in the kernel.",
                seconds(usage -> usage.cpu().system()));
        counter("container_cpu_cfs_periods_total", "Periods of its quota in which it ran.", of(usage ->
                (double) usage.cpu().throttling().periods()));
        counter("container_cpu_cfs_throttled_periods_total", "Periods in which the quota was used up.", of(usage ->
                (double) usage.cpu().throttling().throttledPeriods()));
        counter(
                "container_cpu_cfs_throttled_seconds_total",
                "Time that the quota made it wait.",
                seconds(usage -> usage.cpu().throttling().throttledTime()));
    }

    private void memory() {
        gauge("container_memory_usage_bytes", "Memory, page cache included.", memory(Usage.Memory::current));
        gauge(
                "container_memory_working_set_bytes",
                "Memory that cannot be taken back without harm.",
                memory(Usage.Memory::workingSet));
        gauge("container_memory_rss", "Memory of its processes.", memory(Usage.Memory::anonymous));
        gauge("container_memory_cache", "Page cache and files in memory.", memory(Usage.Memory::file));
        gauge(
                "container_memory_kernel_usage",
                "Memory that the kernel keeps for it.",
                sample -> sample.usage()
                        .group()
                        .memory()
                        .flatMap(Usage.Memory::kernel)
                        .map(kernel -> (double) kernel.count()));
        gauge("container_memory_swap", "Memory that was swapped out.", memory(Usage.Memory::swap));
        gauge(
                "container_memory_max_usage_bytes",
                "Most memory at once.",
                sample -> sample.usage()
                        .group()
                        .memory()
                        .flatMap(Usage.Memory::peak)
                        .map(peak -> (double) peak.count()));
        counter(
                "container_memory_failcnt",
                "Times at the memory limit.",
                sample -> sample.usage().group().memory().map(memory -> (double) memory.limitHits()));
        counter(
                "container_oom_events_total",
                "Processes killed at the memory limit.",
                sample -> sample.usage().group().memory().map(memory -> (double) memory.oomKills()));
        gauge(
                "container_spec_memory_limit_bytes",
                "The memory limit, 0 for none.",
                memory(memory -> memory.limit().isUnlimited() ? Bytes.ZERO : memory.limit()));
    }

    private void processes() {
        gauge(
                "container_threads",
                "Processes and threads.",
                sample -> sample.usage().group().pids().map(pids -> (double) pids.current()));
        gauge(
                "container_threads_max",
                "Most processes and threads, 0 for no limit.",
                sample -> sample.usage()
                        .group()
                        .pids()
                        .map(pids -> pids.limit() == Limits.UNLIMITED_PIDS ? 0.0 : pids.limit()));
    }

    private void files() {
        gauge(
                "container_fs_usage_bytes",
                "Bytes in the writable layer.",
                sample -> sample.usage().writable().map(writable ->
                        (double) writable.used().count()));
        gauge(
                "container_fs_limit_bytes",
                "Size of the writable layer.",
                sample -> sample.usage().writable().map(writable ->
                        (double) writable.size().count()));
        gauge(
                "container_fs_inodes_total",
                "Files that the writable layer can hold.",
                sample -> sample.usage().writable().map(writable -> (double) writable.mostInodes()));
        gauge(
                "container_fs_inodes_free",
                "Files that can still be made.",
                sample -> sample.usage().writable().map(writable ->
                        (double) (writable.mostInodes() - writable.inodes())));
        disks("container_fs_reads_bytes_total", "Bytes read from a disk.", Usage.Io::readBytes);
        disks("container_fs_writes_bytes_total", "Bytes written to a disk.", Usage.Io::writtenBytes);
        disks("container_fs_reads_total", "Reads of a disk.", Usage.Io::readOperations);
        disks("container_fs_writes_total", "Writes to a disk.", Usage.Io::writeOperations);
    }

    private void networks() {
        networks("receive", "received", InterfaceUse::received);
        networks("transmit", "sent", InterfaceUse::sent);
    }

    private void networks(String way, String word, Function<InterfaceUse, Traffic> traffic) {
        String name = "container_network_" + way;
        links(name + "_bytes_total", "Bytes " + word + ".", traffic.andThen(Traffic::bytes));
        links(name + "_packets_total", "Packets " + word + ".", traffic.andThen(Traffic::packets));
        links(name + "_errors_total", "Damaged packets " + word + ".", traffic.andThen(Traffic::errors));
        links(
                name + "_packets_dropped_total",
                "Packets lost that were " + word + ".",
                traffic.andThen(Traffic::dropped));
    }

    private void links(String metric, String help, Function<InterfaceUse, Long> figure) {
        if (samples.stream().allMatch(sample -> sample.usage().interfaces().isEmpty())) {
            return;
        }
        head(metric, help, "counter");
        for (Sample sample : samples) {
            for (InterfaceUse link : sample.usage().interfaces()) {
                line(metric, labels(sample) + ",interface=\"" + link.name() + "\"", figure.apply(link));
            }
        }
    }

    private void pressure() {
        stalls("cpu", Usage.Pressures::cpu);
        stalls("memory", Usage.Pressures::memory);
        stalls("io", Usage.Pressures::io);
    }

    /// Under names of their own: a sum over all containers would count them twice.
    private void tenants(List<Total> totals) {
        if (totals.isEmpty()) {
            return;
        }
        tenants("containers", "Containers that run.", "gauge", totals, total -> (double) total.containers());
        tenants(
                "cpu_usage_seconds_total",
                "Processor time.",
                "counter",
                totals,
                total -> toSeconds(total.usage().cpu().total()));
        tenants(
                "memory_usage_bytes",
                "Memory, page cache included.",
                "gauge",
                totals,
                total -> total.usage()
                        .memory()
                        .map(memory -> (double) memory.current().count())
                        .orElse(0.0));
        tenants(
                "memory_limit_bytes",
                "The memory ceiling, 0 for none.",
                "gauge",
                totals,
                total -> total.usage()
                        .memory()
                        .filter(memory -> !memory.limit().isUnlimited())
                        .map(memory -> (double) memory.limit().count())
                        .orElse(0.0));
        tenants(
                "oom_events_total",
                "Processes killed at a memory limit.",
                "counter",
                totals,
                total -> total.usage()
                        .memory()
                        .map(memory -> (double) memory.oomKills())
                        .orElse(0.0));
        tenants(
                "threads",
                "Processes and threads.",
                "gauge",
                totals,
                total -> total.usage()
                        .pids()
                        .map(pids -> (double) pids.current())
                        .orElse(0.0));
        tenants(
                "threads_max",
                "Most processes and threads, 0 for no ceiling.",
                "gauge",
                totals,
                total -> total.usage()
                        .pids()
                        .filter(pids -> pids.limit() != Limits.UNLIMITED_PIDS)
                        .map(pids -> (double) pids.limit())
                        .orElse(0.0));
    }

    private void tenants(String metric, String help, String type, List<Total> totals, Function<Total, Double> figure) {
        String name = "caisson_tenant_" + metric;
        head(name, help, type);
        totals.forEach(total -> line(name, "tenant=\"" + escaped(total.tenant()) + "\"", figure.apply(total)));
    }

    private void stalls(String resource, Function<Usage.Pressures, Pressure> which) {
        counter(
                "container_pressure_" + resource + "_waiting_seconds_total",
                "Time in which some of its tasks waited for it.",
                sample -> sample.usage()
                        .group()
                        .pressure()
                        .map(which)
                        .map(stall -> toSeconds(stall.some().total())));
        counter(
                "container_pressure_" + resource + "_stalled_seconds_total",
                "Time in which all of its tasks waited for it.",
                sample -> sample.usage()
                        .group()
                        .pressure()
                        .map(which)
                        .map(stall -> toSeconds(stall.full().total())));
    }

    private void disks(String metric, String help, Function<Usage.Io, Long> figure) {
        boolean known =
                samples.stream().anyMatch(sample -> sample.usage().group().io().isPresent());
        if (!known) {
            return;
        }
        head(metric, help, "counter");
        for (Sample sample : samples) {
            for (Usage.Io disk : sample.usage().group().io().orElse(List.of())) {
                line(metric, labels(sample) + ",device=\"" + disk.device() + "\"", figure.apply(disk));
            }
        }
    }

    private static Function<Sample, Optional<Double>> seconds(Function<Usage, Duration> figure) {
        return sample -> Optional.of(toSeconds(figure.apply(sample.usage().group())));
    }

    private static Function<Sample, Optional<Double>> of(Function<Usage, Double> figure) {
        return sample -> Optional.of(figure.apply(sample.usage().group()));
    }

    private static Function<Sample, Optional<Double>> memory(Function<Usage.Memory, Bytes> figure) {
        return sample -> sample.usage().group().memory().map(memory ->
                (double) figure.apply(memory).count());
    }

    private static double toSeconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private void counter(String metric, String help, Function<Sample, Optional<Double>> figure) {
        metric(metric, help, "counter", figure);
    }

    private void gauge(String metric, String help, Function<Sample, Optional<Double>> figure) {
        metric(metric, help, "gauge", figure);
    }

    private void metric(String metric, String help, String type, Function<Sample, Optional<Double>> figure) {
        head(metric, help, type);
        for (Sample sample : samples) {
            figure.apply(sample).ifPresent(value -> line(metric, labels(sample), value));
        }
    }

    private void head(String metric, String help, String type) {
        text.append("# HELP ").append(metric).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(metric).append(' ').append(type).append('\n');
    }

    private void line(String metric, String labels, double value) {
        text.append(metric).append('{').append(labels).append("} ");
        text.append(
                value == Math.rint(value) && Math.abs(value) < 1L << 53
                        ? Long.toString((long) value)
                        : String.format(Locale.ROOT, "%.9f", value));
        text.append('\n');
    }

    /// The group's path stands for the container, as with cAdvisor.
    private static String labels(Sample sample) {
        return "id=\"/" + escaped(sample.path()) + "\",name=\""
                + escaped(sample.name().isEmpty() ? sample.id().substring(0, 12) : sample.name()) + "\",image=\""
                + escaped(sample.image()) + "\""
                + sample.tenant()
                        .map(tenant -> ",tenant=\"" + escaped(tenant) + "\"")
                        .orElse("");
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }
}
