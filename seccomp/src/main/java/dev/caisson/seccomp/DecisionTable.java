package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The decisions of a filter, read back from its instructions: for every call of every ABI of its machine one row. It
/// works on filters that any runtime made.
public final class DecisionTable {
    /// The decisions for one call.
    /// @param ways in the program's order; one without conditions where the arguments do not matter
    public record Row(Architecture abi, int number, String name, List<Way> ways) {
        public Row {
            ways = List.copyOf(ways);
        }

        public boolean dependsOnArguments() {
            return ways.stream().map(Way::action).distinct().count() > 1;
        }

        /// The least restrictive action that some arguments get.
        public Action loosest() {
            return ways.stream()
                    .map(Way::action)
                    .reduce((a, b) -> a.isStricterThan(b) ? b : a)
                    .orElse(Action.KILL_PROCESS);
        }
    }

    /// One way through the filter.
    /// @param conditions on the 32-bit halves of the arguments, `arg0[0] == 2`, all of which hold
    /// @param example a call that goes this way
    public record Way(List<String> conditions, Action action, SeccompData example) {
        public Way {
            conditions = List.copyOf(conditions);
        }
    }

    private final List<Row> rows;

    private DecisionTable(List<Row> rows) {
        this.rows = List.copyOf(rows);
    }

    /// Reads a filter back.
    /// @throws SeccompException FILTER_UNREADABLE where it holds instructions that cannot be followed
    public static DecisionTable of(Filter filter) {
        var rows = new ArrayList<Row>();
        for (Architecture abi : abis(filter)) {
            for (int number : SyscallTable.get().calls(abi).keySet()) {
                int entered = abi == Architecture.X32 ? number | Architecture.X32_BIT : number;
                List<Way> ways = Paths.of(filter, abi.auditValue(), entered).stream()
                        .map(path -> new Way(
                                path.tests().stream().map(WordTest::toString).toList(), path.action(), path.example()))
                        .toList();
                String name = SyscallTable.get()
                        .byNumber(abi, number)
                        .map(Syscall::name)
                        .orElseThrow();
                rows.add(new Row(abi, number, name, ways));
            }
        }
        return new DecisionTable(rows);
    }

    /// The ABIs of the filter's machine.
    static Set<Architecture> abis(Filter filter) {
        Set<Architecture> abis = EnumSet.of(filter.architecture());
        abis.addAll(filter.architecture().compatible());
        return abis;
    }

    public List<Row> rows() {
        return rows;
    }

    public Optional<Row> row(Architecture abi, String name) {
        return rows.stream()
                .filter(row -> row.abi() == abi && row.name().equals(name))
                .findFirst();
    }

    /// Returns a text for people: for each ABI the calls with the same decision together, those that depend on
    /// arguments one by one.
    @Override
    public String toString() {
        var text = new StringBuilder();
        Map<Architecture, List<Row>> byAbi =
                rows.stream().collect(Collectors.groupingBy(Row::abi, LinkedHashMap::new, Collectors.toList()));
        byAbi.forEach((abi, own) -> {
            text.append(abi).append('\n');
            Map<Action, TreeSet<String>> plain = new LinkedHashMap<>();
            own.stream()
                    .filter(row -> !row.dependsOnArguments())
                    .forEach(row -> plain.computeIfAbsent(row.loosest(), a -> new TreeSet<>())
                            .add(row.name()));
            plain.forEach((action, names) -> text.append("  ")
                    .append(action)
                    .append("  ")
                    .append(names.size())
                    .append(" calls: ")
                    .append(String.join(" ", names))
                    .append('\n'));
            own.stream().filter(Row::dependsOnArguments).forEach(row -> {
                text.append("  ").append(row.name()).append('\n');
                row.ways()
                        .forEach(way -> text.append("    ")
                                .append(way.conditions().isEmpty() ? "always" : String.join(", ", way.conditions()))
                                .append("  ")
                                .append(way.action())
                                .append('\n'));
            });
        });
        return text.toString();
    }
}
