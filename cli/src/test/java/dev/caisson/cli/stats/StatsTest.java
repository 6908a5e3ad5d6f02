package dev.caisson.cli.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.template.Table;
import dev.caisson.engine.ContainerUsage;
import dev.caisson.engine.Survey.Sample;
import dev.caisson.engine.Survey.Total;
import dev.caisson.engine.WritableUse;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.InterfaceUse.Traffic;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// What samples look like for people, programs and Prometheus.
class StatsTest {
    private static final String ID = "0123456789abcdef".repeat(4);

    private static Sample sample(String name, Optional<String> tenant, long nanoTime, Duration cpu) {
        var stall = new Pressure.Stall(1.5, 0.5, 0.1, Duration.ofMillis(1500));
        var usage = new Usage(
                Optional.of(new Usage.Memory(
                        Bytes.mebibytes(40),
                        Optional.of(Bytes.mebibytes(50)),
                        Bytes.mebibytes(64),
                        Bytes.ZERO,
                        Bytes.mebibytes(20),
                        Bytes.mebibytes(18),
                        Bytes.mebibytes(8),
                        Optional.of(Bytes.mebibytes(2)),
                        Optional.of(Bytes.mebibytes(1)),
                        3,
                        1)),
                new Usage.Cpu(cpu, cpu, Duration.ZERO, new Usage.Throttling(10, 4, Duration.ofMillis(250))),
                Optional.of(new Usage.Pids(7, Optional.of(9L), Limits.UNLIMITED_PIDS, 0)),
                Optional.of(List.of(new Usage.Io(new BlockDevice(8, 0), 4096, 8192, 1, 2))),
                Optional.of(new Usage.Pressures(
                        new Pressure(stall, stall), new Pressure(stall, stall), new Pressure(stall, stall))));
        var writable = new WritableUse(Bytes.mebibytes(3), Bytes.mebibytes(32), 12, 8192);
        return new Sample(
                ID,
                name,
                "oci:/srv/\"quoted\"",
                "caisson/" + ID,
                tenant,
                Instant.ofEpochSecond(1_700_000_000),
                nanoTime,
                new ContainerUsage(
                        usage,
                        Optional.of(writable),
                        List.of(
                                new InterfaceUse("eth0", new Traffic(3 << 20, 30, 1, 2), new Traffic(1024, 10, 0, 0)),
                                new InterfaceUse("eth1", new Traffic(1 << 20, 5, 0, 0), new Traffic(0, 0, 0, 0)))));
    }

    @Test
    void prometheus_reads_it_with_the_names_of_cadvisor() {
        String text =
                PrometheusText.of(List.of(sample("web", Optional.of("a"), 0, Duration.ofMillis(2500))), List.of());

        String labels = "{id=\"/caisson/" + ID + "\",name=\"web\",image=\"oci:/srv/\\\"quoted\\\"\",tenant=\"a\"";
        assertThat(text.lines())
                .contains(
                        "# TYPE container_cpu_usage_seconds_total counter",
                        "container_cpu_usage_seconds_total" + labels + "} 2.500000000",
                        "container_cpu_cfs_throttled_periods_total" + labels + "} 4",
                        "container_memory_working_set_bytes" + labels + "} " + (32 << 20),
                        "container_memory_rss" + labels + "} " + (20 << 20),
                        "container_memory_kernel_usage" + labels + "} " + (2 << 20),
                        "container_oom_events_total" + labels + "} 1",
                        "container_threads_max" + labels + "} 0",
                        "container_fs_usage_bytes" + labels + "} " + (3 << 20),
                        "container_fs_writes_bytes_total" + labels + ",device=\"8:0\"} 8192",
                        "container_network_receive_bytes_total" + labels + ",interface=\"eth0\"} " + (3 << 20),
                        "container_network_receive_errors_total" + labels + ",interface=\"eth0\"} 1",
                        "container_network_receive_packets_dropped_total" + labels + ",interface=\"eth0\"} 2",
                        "container_network_transmit_packets_total" + labels + ",interface=\"eth0\"} 10",
                        "container_network_transmit_bytes_total" + labels + ",interface=\"eth1\"} 0",
                        "container_pressure_io_stalled_seconds_total" + labels + "} 1.500000000",
                        "container_start_time_seconds" + labels + "} 1700000000");
        assertThat(text.lines().filter(line -> !line.startsWith("#")))
                .allMatch(line -> line.matches("[a-z_]+\\{([a-z]+=\"([^\"\\\\]|\\\\.)*\",?)+} [0-9.]+"));
    }

    @Test
    void a_metric_is_described_once_for_all_containers() {
        String text = PrometheusText.of(
                List.of(
                        sample("one", Optional.empty(), 0, Duration.ZERO),
                        sample("two", Optional.empty(), 0, Duration.ZERO)),
                List.of());

        assertThat(text.lines().filter(line -> line.startsWith("# TYPE"))).doesNotHaveDuplicates();
        assertThat(text).doesNotContain("tenant=");
    }

    @Test
    void programs_get_bytes_and_nanoseconds() {
        Sample before = sample("web", Optional.empty(), 0, Duration.ZERO);
        Sample now = sample("web", Optional.empty(), 1_000_000_000, Duration.ofMillis(1500));

        assertThat(StatsJson.of(Map.of(ID, before), List.of(now), Map.of(), List.of()))
                .startsWith("[{\"id\":\"" + ID + "\"")
                .contains(
                        "\"processors\":1.5",
                        "\"totalNanos\":1500000000",
                        "\"workingSet\":" + (32 << 20),
                        "\"kernel\":" + (2 << 20),
                        "\"slab\":" + (1 << 20))
                .contains(
                        "\"networks\":{\"eth0\":{\"rx_bytes\":3145728,\"rx_packets\":30,\"rx_errors\":1,\"rx_dropped\":2,"
                                + "\"tx_bytes\":1024,\"tx_packets\":10,\"tx_errors\":0,\"tx_dropped\":0},\"eth1\":{")
                .contains("\"pids\":{\"current\":7,\"peak\":9,\"refused\":0}")
                .endsWith("}]");
    }

    @Test
    void tenants_are_told_beside_their_containers() {
        Sample now = sample("web", Optional.of("a"), 1_000_000_000, Duration.ofMillis(1500));
        Sample before = sample("web", Optional.of("a"), 0, Duration.ZERO);
        var total = new Total(
                "a", "caisson/tenant-a", 2, now.nanoTime(), now.usage().group());
        var earlier = new Total("a", "caisson/tenant-a", 2, 0, before.usage().group());

        assertThat(new StatsLine(Integer.MAX_VALUE).of(earlier, total))
                .startsWith("tenant        a ")
                .contains("150.0%", "32 MiB / 64 MiB");
        assertThat(new StatsLine(Integer.MAX_VALUE).of(before, now, "", "")).contains(" 4 MiB / 1 KiB ");
        assertThat(StatsJson.of(Map.of(), List.of(), Map.of(total.path(), earlier), List.of(total)))
                .startsWith(
                        "[{\"tenant\":\"a\",\"cgroup\":\"caisson/tenant-a\",\"containers\":2,\"cpu\":{\"processors\":1.5,");
        assertThat(PrometheusText.of(List.of(now), List.of(total)).lines())
                .contains(
                        "# TYPE caisson_tenant_memory_limit_bytes gauge",
                        "caisson_tenant_containers{tenant=\"a\"} 2",
                        "caisson_tenant_cpu_usage_seconds_total{tenant=\"a\"} 1.500000000",
                        "caisson_tenant_memory_usage_bytes{tenant=\"a\"} " + (40 << 20),
                        "caisson_tenant_memory_limit_bytes{tenant=\"a\"} " + (64 << 20),
                        "caisson_tenant_threads_max{tenant=\"a\"} 0");
    }

    @Test
    void a_line_for_people_tells_the_processors_between_two_looks() {
        Sample before = sample("web\u001b[2J", Optional.empty(), 0, Duration.ZERO);
        Sample now = sample("web\u001b[2J", Optional.empty(), 2_000_000_000, Duration.ofMillis(500));

        assertThat(new StatsLine(Integer.MAX_VALUE).of(before, now, "", ""))
                .contains("0123456789ab", "25.0%", "32 MiB / 64 MiB", "3 MiB / 32 MiB", "4 KiB / 8 KiB", "2%")
                .doesNotContain("\u001b");
        assertThat(StatsLine.processors(now, now)).isZero();
    }

    @Test
    void a_line_fits_a_terminal_of80_columns() {
        Sample before = sample("a-name-that-is-longer-than-its-column", Optional.empty(), 0, Duration.ZERO);
        Sample now = sample(
                "a-name-that-is-longer-than-its-column", Optional.empty(), 2_000_000_000, Duration.ofMillis(500));
        var lines = new StatsLine(80);

        assertThat(lines.header())
                .hasSizeLessThanOrEqualTo(80)
                .contains("NAME", "CPU", "MEMORY / LIMIT", "PIDS", "OOM");
        assertThat(lines.of(before, now, "▁▂▃▄▅▆▇█▇▆", "▁▂▃▄▅▆▇█▇▆"))
                .hasSizeLessThanOrEqualTo(80)
                .contains("a-name-that-is-l", "25.0%", "▁▂▃▄▅▆▇█▇▆", "32 MiB / 64 MiB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"q", "\u0003"})
    @Tag("root")
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void the_live_view_ends_with_a_key_and_leaves_the_terminal_as_it_was(String key) throws Exception {
        List<String> words = CommandProcess.words("stats", "--interval", "200ms");
        words.add(words.indexOf("-Xrs"), "-Dcaisson.terminal=12");
        String command = String.join(" ", words) + "; echo status $?; stty -a | grep -ow -- -*icanon";
        Process process = new ProcessBuilder("script", "-qec", command, "/dev/null").start();
        var shown = new StringBuilder();
        for (int one = process.getInputStream().read();
                one >= 0;
                one = process.getInputStream().read()) {
            shown.append((char) one);
            if (shown.toString().endsWith("q ends")) {
                process.getOutputStream().write(key.getBytes(StandardCharsets.UTF_8));
                process.getOutputStream().flush();
            }
        }

        assertThat(shown.toString()).contains("MEMORY / LIMIT", "status 0").containsPattern("\\sicanon");
    }

    @Test
    void a_template_names_them_in_dockers_words() {
        Sample before = sample("web", Optional.empty(), 0, Duration.ZERO);
        Sample now = sample("web", Optional.empty(), 1_000_000_000, Duration.ofMillis(1500));
        List<Map<String, Object>> rows = List.of(StatsRow.of(before, now));

        assertThat(Table.of("{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}}", StatsRow.COLUMNS, StatsRow.HEADERS)
                        .lines(rows))
                .containsExactly("web 150.00% 32MiB / 64MiB 50.00%");
        assertThat(Table.of("{{.ID}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}", StatsRow.COLUMNS, StatsRow.HEADERS)
                        .lines(rows))
                .containsExactly("0123456789ab 4.19MB / 1.02kB 4.1kB / 8.19kB 7");
        assertThat(Table.of("table", StatsRow.COLUMNS, StatsRow.HEADERS)
                        .lines(rows)
                        .getFirst()
                        .split(" {2,}"))
                .containsExactly(
                        "CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS");
    }

    @Test
    void a_format_that_is_none_is_refused_before_anything_is_read() {
        var command = new CommandLine(new StatsCommand());
        command.parseArgs("--format", "yaml");

        assertThatThrownBy(() -> ((StatsCommand) command.getCommand()).call())
                .hasMessageContaining("--format is text, json, prometheus, table or a template");
    }

    @Test
    void a_sparkline_keeps_the_last_values() {
        var line = new Sparkline(4);
        for (double value : new double[] {1, 0, 0.5, 1, 2}) {
            line.add(value);
        }

        assertThat(line.draw(1)).isEqualTo("▁▃▅█");
        assertThat(new Sparkline(3).draw(0)).isEmpty();
    }
}
