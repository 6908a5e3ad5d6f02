package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.ContainerSpec;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import jdk.jfr.FlightRecorder;

/// Takes what callers ask an engine to start to its start: through the line for a place, while the engine is
/// open, in a thread of the engine's.
final class Launches {
    private final RunQueue queue;
    private final EngineThreads threads;
    private final Tally tally;
    private final LaunchGate gate;
    private final Readiness readiness;
    private final Preparation preparation;
    private final Starter starter;

    Launches(
            RunQueue queue,
            EngineThreads threads,
            Tally tally,
            LaunchGate gate,
            Readiness readiness,
            Preparation preparation,
            Starter starter) {
        this.queue = queue;
        this.threads = threads;
        this.tally = tally;
        this.gate = gate;
        this.readiness = readiness;
        this.preparation = preparation;
        this.starter = starter;
    }

    /// Starts one. Whoever is interrupted meanwhile leaves nothing.
    /// @param idle whether it waits, in place of a program
    Container start(ContainerSpec spec, Streams streams, Observers observers, boolean idle)
            throws InterruptedException {
        present(spec, "spec");
        present(streams, "streams");
        queue.enter();
        Container container;
        try {
            container =
                    threads.launch(cancelled -> tally.launch(() -> launch(spec, streams, observers, idle, cancelled)));
        } catch (RuntimeException e) {
            queue.leave();
            throw observers.coded(e instanceof RejectedExecutionException ? readiness.explain(e) : e);
        } catch (LinkageError e) {
            queue.leave();
            throw FileShortage.coded(e);
        } catch (InterruptedException | Error e) {
            queue.leave();
            throw e;
        }
        container.outcome().whenKnown(queue::leave);
        return container;
    }

    /// The class of an event is loaded and woven where somebody may be recording only: that takes longer than a
    /// launch.
    private Container launch(
            ContainerSpec spec, Streams wanted, Observers observers, boolean idle, BooleanSupplier cancelled) {
        if (!FlightRecorder.isInitialized()) {
            return launchNow(spec, wanted, observers, idle, cancelled);
        }
        var event = new LaunchEvent();
        event.begin();
        event.image = spec.image().toString();
        try {
            Container container = launchNow(spec, wanted, observers, idle, cancelled);
            event.id = container.id().value();
            return container;
        } finally {
            event.commit();
        }
    }

    private Container launchNow(
            ContainerSpec spec, Streams wanted, Observers observers, boolean idle, BooleanSupplier cancelled) {
        try {
            gate.whileOpen(() -> {
                starter.begin(spec);
                return true;
            });
            Preparation.Prepared prepared =
                    preparation.prepare(spec, observers::progress).idle(idle);
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("the caller was interrupted");
            }
            return gate.whileOpen(() -> starter.start(prepared, wanted, observers::standing));
        } catch (RuntimeException e) { // of what closing took away, too
            throw readiness.explain(e);
        }
    }
}
