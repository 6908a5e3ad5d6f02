package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.state.State;
import java.nio.file.Path;

/// The directories of an engine, and its own bounds.
///
/// @param state what lives as long as the kernel runs: a directory that only root can enter, best in memory
/// @param data images, and writable layers on disk
/// @param driver who answers for the place of control groups; the same for all engines of a state directory
/// @param capturedOutput memory that [Streams.Capture] may take for all containers that run at one time; a run for
///     which there is no more ends as [Verdict#OUTPUT]
/// @param runs most containers that run at one time; [Engine#run] and [Engine#start] wait in line for a place, first
///     come, first served
/// @param gateIsolation where the values of gates are
public record EngineOptions(
        Path state, Path data, CgroupDriver driver, Bytes capturedOutput, int runs, GateIsolation gateIsolation) {
    public static final Path DEFAULT_STATE = State.STANDARD;
    public static final Path DEFAULT_DATA = Path.of("/var/lib/caisson");
    /// No bound on [#runs].
    public static final int UNLIMITED_RUNS = Integer.MAX_VALUE;

    private static final int SHARE_OF_HEAP = 4;

    public static EngineOptions standard() {
        return new EngineOptions(DEFAULT_STATE, DEFAULT_DATA);
    }

    /// With groups of the engine's own.
    public EngineOptions(Path state, Path data) {
        this(state, data, CgroupDriver.CGROUPFS);
    }

    /// With a quarter of this JVM's heap for captured output, and any number of runs.
    public EngineOptions(Path state, Path data, CgroupDriver driver) {
        this(state, data, driver, Bytes.of(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP), UNLIMITED_RUNS);
    }

    /// With gates in processes of their own.
    public EngineOptions(Path state, Path data, CgroupDriver driver, Bytes capturedOutput, int runs) {
        this(state, data, driver, capturedOutput, runs, GateIsolation.PROCESS);
    }

    public EngineOptions {
        present(gateIsolation, "gateIsolation");
        present(driver, "driver");
        present(capturedOutput, "capturedOutput");
        if (!present(state, "state").isAbsolute() || !present(data, "data").isAbsolute()) {
            throw ArgumentException.invalid("the engine's directories " + state + " and " + data
                    + " must be absolute paths: begin them with /");
        }
        if (runs < 1) {
            throw ArgumentException.invalid("an engine of " + runs + " runs starts nothing: give 1 or more");
        }
    }

    /// Returns the directory of the networks that containers of [#state] can join.
    public Path networks() {
        return data.resolve("networks").resolve(State.lastingName(state));
    }

    /// With so much memory for captured output.
    public EngineOptions capturedOutput(Bytes most) {
        return new EngineOptions(state, data, driver, most, runs, gateIsolation);
    }

    /// With at most so many containers at one time.
    public EngineOptions runs(int most) {
        return new EngineOptions(state, data, driver, capturedOutput, most, gateIsolation);
    }

    /// With the values of gates there.
    public EngineOptions gateIsolation(GateIsolation isolation) {
        return new EngineOptions(state, data, driver, capturedOutput, runs, isolation);
    }
}
