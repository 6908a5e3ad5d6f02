package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.ReachBed.Place;
import dev.caisson.engine.ReachCells.Cell;
import dev.caisson.engine.ReachCells.GuestAt;
import dev.caisson.engine.ReachCells.HostAt;
import dev.caisson.engine.ReachCells.Lan;
import dev.caisson.engine.ReachCells.NeighborAt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// Tests who reaches whom on networks: each cell of [ReachCells] is tried with packets, from inside of who
/// asks. The same for us and for Docker, but for cells that one of the two has closed on purpose.
abstract class NetworkContract {
    private static final double SECONDS = 2.5;
    private static final double MORE_SECONDS = 8;
    private static final int AT_ONCE = 6;

    abstract ReachBed bed();

    /// Names what is closed here though Docker has it open, each with its cells.
    abstract Map<String, Predicate<Cell>> stricter();

    /// Names what is open here though Docker has it closed, each with its cells.
    abstract Map<String, Predicate<Cell>> wider();

    /// True if an answer of UDP must come from the address that was asked.
    abstract boolean answersFromWhereItWasAsked();

    /// What some test of the contract tries.
    abstract Predicate<Cell> tried();

    @Test
    void each_cell_is_open_or_closed_as_in_docker_but_for_those_that_are_stricter_by_name() throws Exception {
        List<Cell> cells = ReachCells.all().stream().filter(tried()).toList();
        Map<Cell, String> found = ask(cells, SECONDS);
        List<Cell> doubted = cells.stream().filter(cell -> !isAs(cell, found)).toList();
        found.putAll(ask(doubted, MORE_SECONDS)); // a busy machine may have been too slow

        List<String> wrong = cells.stream()
                .filter(cell -> !isAs(cell, found))
                .map(cell -> cell + ": expected " + wanted(cell).orElse("nobody") + ", found " + found.get(cell))
                .toList();
        assertThat(wrong).as(matrix(cells, found)).isEmpty();
        assertNoNameIsIdle(cells, stricter(), true);
        assertNoNameIsIdle(cells, wider(), false);
    }

    private static void assertNoNameIsIdle(List<Cell> cells, Map<String, Predicate<Cell>> names, boolean open) {
        names.forEach((name, which) -> assertThat(cells)
                .as("a cell that differs from Docker's, which is %s, for: %s", open ? "open" : "closed", name)
                .anyMatch(cell -> which.test(cell) && ReachCells.expected(cell).isPresent() == open));
    }

    private Optional<String> wanted(Cell cell) {
        if (is(cell, stricter())) {
            return Optional.empty();
        }
        return is(cell, wider()) ? Optional.of(((GuestAt) cell.to()).guest()) : ReachCells.expected(cell);
    }

    private static boolean is(Cell cell, Map<String, Predicate<Cell>> names) {
        return names.values().stream().anyMatch(which -> which.test(cell));
    }

    private boolean isAs(Cell cell, Map<Cell, String> found) {
        String answer = found.getOrDefault(cell, "-");
        Optional<String> wanted =
                cell.kind() == ReachCells.Kind.PING ? wanted(cell).map(_ -> "echo") : wanted(cell);
        if (answersFromWhereItWasAsked() && answer.contains(" by ")) {
            return false;
        }
        return answer.split(" ", 2)[0].equals(wanted.orElse("-"));
    }

    private Map<Cell, String> ask(List<Cell> cells, double seconds) throws Exception {
        Map<String, Map<String, Cell>> questions = new TreeMap<>();
        for (Cell cell : cells) {
            questions
                    .computeIfAbsent(cell.from(), _ -> new LinkedHashMap<>())
                    .put(cell.kind() + "/" + address(cell) + "/" + port(cell), cell);
        }
        Map<Cell, String> found = new LinkedHashMap<>();
        try (var threads = Executors.newFixedThreadPool(AT_ONCE)) {
            var asked = new LinkedHashMap<Map<String, Cell>, Future<Map<String, String>>>();
            questions.forEach((from, all) -> {
                Callable<Map<String, String>> task = () -> bed().ask(from, seconds, List.copyOf(all.keySet()));
                asked.put(all, threads.submit(task));
            });
            for (var one : asked.entrySet()) {
                one.getValue()
                        .get()
                        .forEach((target, answer) -> found.put(one.getKey().get(target), answer));
            }
        }
        return found;
    }

    private String address(Cell cell) {
        boolean four = cell.family() == 4;
        return switch (cell.to()) {
            case GuestAt to ->
                Objects.requireNonNull(bed().places().get(to.label())).address(cell.family());
            case NeighborAt _ -> four ? Lan.NEIGHBOR4 : Lan.NEIGHBOR6;
            case HostAt to ->
                switch (to.where()) {
                    case "lan" -> four ? Lan.HOST4 : Lan.HOST6;
                    case "loopback" -> four ? "127.0.0.1" : "::1";
                    default ->
                        bed().places().entrySet().stream()
                                .filter(place -> place.getKey().endsWith("@" + to.where()))
                                .map(Map.Entry::getValue)
                                .map((Place place) -> place.gateway(cell.family()))
                                .findFirst()
                                .orElseThrow();
                };
        };
    }

    private static String port(Cell cell) {
        return switch (cell.to()) {
            case GuestAt _, NeighborAt _ -> ReachCells.SERVED;
            case HostAt to -> to.port();
        };
    }

    /// A line for each pair, a column for each way: `+` open, `.` closed, `!` not as expected.
    private String matrix(List<Cell> cells, Map<Cell, String> found) {
        var lines = new LinkedHashMap<String, List<String>>();
        for (Cell cell : cells) {
            String mark = isAs(cell, found) ? "" : "!";
            lines.computeIfAbsent("%-9s %-20s".formatted(cell.from(), cell.to().label()), _ -> new ArrayList<>())
                    .add("%s%d %s%s"
                            .formatted(
                                    cell.kind(),
                                    cell.family(),
                                    found.getOrDefault(cell, "-").equals("-") ? "." : "+",
                                    mark));
        }
        var text = new StringBuilder("\n");
        lines.forEach((pair, ways) ->
                text.append(pair).append(String.join("  ", ways)).append('\n'));
        return text.toString();
    }
}
