package dev.caisson.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.engine.ReachCells.Cell;
import dev.caisson.engine.ReachCells.Guest;
import dev.caisson.engine.ReachCells.HostAt;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/// The contract's published ports for us, on a host whose `net.bridge.bridge-nf-call-iptables` is 1, as a
/// dockerd beside us sets it.
@Tag("root")
@Tag("netns")
@Timeout(240)
class FilteredBridgesContractTest extends OurNetworkContractTest {
    @Override
    ReachBed make() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/proc/sys/net/bridge")), "the kernel has no module br_netfilter");
        return new OurReachBed(true);
    }

    @Override
    Predicate<Cell> tried() {
        return cell -> isContainer(cell.from()) && cell.to() instanceof HostAt to && ReachCells.isPublished(to.port());
    }

    @Override
    Map<String, Predicate<Cell>> stricter() {
        return Map.of(
                "a frame that a bridge has led to its own port does not go back there, nor to an isolated one",
                cell -> cell.to() instanceof HostAt to && isLedBack(ReachCells.guest(cell.from()), to));
    }

    @Override
    Map<String, Predicate<Cell>> wider() {
        return Map.of();
    }

    private static boolean isLedBack(Guest from, HostAt to) {
        String way = from.networks().contains(to.where())
                ? to.where()
                : from.networks().getFirst();
        return ReachCells.published(to.port())
                .filter(guest -> guest.networks().contains(way))
                .filter(guest -> guest.equals(from) || way.equals(ReachCells.APART))
                .isPresent();
    }
}
