package dev.caisson.hostaudit;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.linux.AuditRules;
import dev.caisson.linux.ErrnoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;

/// Situations that a search for words in the engine's answers does not see, by the id of CIS Docker Benchmark 1.6, and
/// the right answer to each, in `reference.tsv`.
final class ReferenceTable {
    private static final String FORMAT = "%2s %-6s %-54s %-11s %-15s %-6s %-30s %s%n";
    private static final String GROUP = "caisson-hostaudit-limited";
    private static final List<String> CONTROLLERS = List.of("memory", "pids");

    /// Where a situation stands.
    enum Run {
        /// containers and images in an engine as it comes
        CONTAINERS("live"),
        /// an engine set up without care, its files and its one container
        CARELESS("live, engine 2"),
        /// an engine set up with care
        CAREFUL("live, engine 3"),
        /// facts that another kernel gave: this one has neither AppArmor nor SELinux
        RECORDED("recorded facts");

        private final String text;

        Run(String text) {
            this.text = text;
        }
    }

    /// @param byText what a search for words in the engine's answers gives; empty where
    ///     the situation is not among those that were compared
    /// @param subject empty for the worst answer about any
    private record Row(
            String cis, String situation, String byText, Run run, String check, String subject, Status right) {}

    private static final List<Row> ROWS = rows();

    private static List<Row> rows() {
        try (var in = ReferenceTable.class.getResourceAsStream("reference.tsv")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(line -> line.split("\t", -1))
                    .map(cells -> new Row(
                            cells[0],
                            cells[1],
                            cells[2],
                            Run.valueOf(cells[3].toUpperCase(Locale.ROOT)),
                            cells[4],
                            cells[5],
                            Status.valueOf(cells[6].toUpperCase(Locale.ROOT).replace('-', '_'))))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ReferenceTable() {}

    private static List<Path> groups() {
        return CONTROLLERS.stream()
                .map(controller -> Path.of("/sys/fs/cgroup", controller, GROUP))
                .toList();
    }

    static void start(BiConsumer<String, String> run, Dockerd daemon) throws IOException {
        for (Path group : groups()) {
            Files.createDirectories(group);
        }
        Files.writeString(Path.of("/sys/fs/cgroup/memory", GROUP, "memory.limit_in_bytes"), "67108864");
        Files.writeString(Path.of("/sys/fs/cgroup/pids", GROUP, "pids.max"), "64");
        run.accept("ref-parent-limits", "--cgroup-parent /" + GROUP + " " + ContainerCases.SLEEP);
        run.accept("ref-user-zero", "--user 0:0 " + ContainerCases.SLEEP);
        run.accept("ref-root-home", "--volume /root:/x " + ContainerCases.SLEEP);
        run.accept("ref-var-run", "--volume /var/run:/x " + ContainerCases.SLEEP);
        run.accept("ref-port-1024", "--publish 127.0.0.1:1024:22 " + ContainerCases.SLEEP);
        run.accept("ref-host-port", "--network host bb actor listen 23");
        run.accept("ref-ipv6-wildcard", "--publish [::]:8026:22 " + ContainerCases.SLEEP);
        run.accept("ref-device-below", "--device /dev/kmsg:/dev/sub/kmsg --cap-drop MKNOD " + ContainerCases.SLEEP);
        run.accept("ref-device-elsewhere", "--device /dev/kmsg:/srv/kmsg --cap-drop MKNOD " + ContainerCases.SLEEP);
        run.accept("ref-device-rule", "--device-cgroup-rule b\u00a07:*\u00a0rwm " + ContainerCases.SLEEP);
        run.accept(
                "ref-device-rule-only",
                "--cap-drop MKNOD --device-cgroup-rule b\u00a07:*\u00a0rwm " + ContainerCases.SLEEP);
        run.accept("ref-pids-of-host", "--pid container:bad-host-pids " + ContainerCases.SLEEP);
    }

    /// The recommendations whose answers were compared, in their order; a number in the table is a place in this list.
    static List<String> compared() {
        return ROWS.stream()
                .filter(row -> !row.byText().isEmpty())
                .map(Row::cis)
                .distinct()
                .toList();
    }

    /// Where the kernel tells nobody its audit rules, as in a pid namespace, that is the right answer.
    private static boolean isOfUnreadAuditRules(Row row) {
        if (!row.check().startsWith("audit-")) {
            return false;
        }
        try {
            return AuditRules.read().isEmpty();
        } catch (ErrnoException e) {
            return true;
        }
    }

    /// Prints the table and returns the rows that are not right.
    static List<String> print(Map<Run, List<Finding>> findings) {
        List<String> wrong = new ArrayList<>();
        System.out.printf(FORMAT, "", "CIS", "what is true", "by text", "here", "", "check", "where");
        for (Row row : ROWS) {
            Status answer = findings.getOrDefault(row.run(), List.of()).stream()
                    .filter(finding -> finding.check().name().equals(row.check())
                            && (row.subject().isEmpty()
                                    || finding.subject().name().equals(row.subject())))
                    .map(Finding::status)
                    .min(java.util.Comparator.comparingInt(LiveEngineTest.WORST::indexOf))
                    .orElse(Status.NOT_EVALUATED);
            boolean right = answer == row.right() || (isOfUnreadAuditRules(row) && answer == Status.NOT_EVALUATED);
            System.out.printf(
                    FORMAT,
                    row.byText().isEmpty() ? "" : compared().indexOf(row.cis()) + 1,
                    row.cis(),
                    row.situation(),
                    row.byText().isEmpty() ? "-" : row.byText(),
                    answer.word(),
                    right ? "right" : "WRONG, should be " + row.right().word(),
                    row.check(),
                    row.run().text);
            if (!right) {
                wrong.add(row.toString());
            }
        }
        System.out.println(ROWS.size() + " situations of " + compared().size() + " recommendations that were compared");
        return wrong;
    }
}
