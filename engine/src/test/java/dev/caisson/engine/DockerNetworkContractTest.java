package dev.caisson.engine;

import dev.caisson.engine.ReachCells.Cell;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/// The contract for Docker: it shows that the contract is Docker's. Needs Debian's packages docker.io and docker-cli.
@Tag("peers")
@Timeout(240)
class DockerNetworkContractTest extends NetworkContract {
    private ReachBed bed;

    @BeforeEach
    void start() throws Exception {
        bed = DockerReachBed.start();
    }

    @AfterEach
    void close() {
        bed.close();
    }

    @Override
    ReachBed bed() {
        return bed;
    }

    @Override
    Map<String, Predicate<Cell>> stricter() {
        return Map.of();
    }

    @Override
    Map<String, Predicate<Cell>> wider() {
        return Map.of();
    }

    @Override
    boolean answersFromWhereItWasAsked() {
        return false; // its relay of UDP answers from another address of the host
    }

    @Override
    Predicate<Cell> tried() {
        return _ -> true;
    }
}
