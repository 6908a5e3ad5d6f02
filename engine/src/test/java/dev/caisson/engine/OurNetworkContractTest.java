package dev.caisson.engine;

import dev.caisson.engine.ReachCells.Cell;
import dev.caisson.engine.ReachCells.GuestAt;
import dev.caisson.engine.ReachCells.HostAt;
import dev.caisson.engine.ReachCells.Kind;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/// The contract for us.
@Tag("root")
@Tag("netns")
@Timeout(240)
class OurNetworkContractTest extends NetworkContract {
    private @Nullable ReachBed bed;

    @BeforeEach
    void start() throws Exception {
        bed = make();
    }

    /// Makes what is tried.
    ReachBed make() throws InterruptedException {
        return new OurReachBed(false);
    }

    @AfterEach
    void close() {
        if (bed != null) {
            bed.close();
        }
    }

    @Override
    ReachBed bed() {
        return Objects.requireNonNull(bed);
    }

    @Override
    Map<String, Predicate<Cell>> stricter() {
        return Map.of(
                "services of the host are closed to containers",
                cell -> isContainer(cell.from()) && isOfTheHost(cell) && !isPingOfAGateway(cell),
                "a container of the host's network sends no raw packets",
                cell -> cell.from().equals("stack") && cell.kind() == Kind.PING,
                "a neighbor reaches containers by published ports of the host alone",
                cell -> cell.from().equals(ReachCells.NEIGHBOR) && cell.to() instanceof GuestAt,
                "a neighbor does not reach the host by its addresses on networks",
                cell -> cell.from().equals(ReachCells.NEIGHBOR)
                        && isOfTheHost(cell)
                        && !cell.to().label().startsWith("host@lan"));
    }

    static boolean isContainer(String who) {
        return !List.of(ReachCells.HOST, ReachCells.NEIGHBOR, "stack").contains(who);
    }

    private static boolean isOfTheHost(Cell cell) {
        return cell.to() instanceof HostAt to && !ReachCells.isPublished(to.port());
    }

    /// Of a network that the container is on.
    private static boolean isPingOfAGateway(Cell cell) {
        return cell.kind() == Kind.PING
                && cell.to() instanceof HostAt to
                && ReachCells.guest(cell.from()).networks().contains(to.where());
    }

    @Override
    Map<String, Predicate<Cell>> wider() {
        return Map.of();
    }

    @Override
    boolean answersFromWhereItWasAsked() {
        return true;
    }

    @Override
    Predicate<Cell> tried() {
        return _ -> true;
    }
}
