package dev.caisson.engine;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.Snapshot;
import dev.caisson.spec.ContainerSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;

/// Opens several sessions of one snapshot beside each other: all of them, or none.
///
/// @param places how many containers the engine runs at most
/// @param opening opens one
record Fork(int places, Opening opening) {
    /// More launches beside each other than there are processors wait for each other in the kernel.
    private static final int AT_ONCE = 2 * Runtime.getRuntime().availableProcessors();

    interface Opening {
        Session open(ContainerSpec spec) throws InterruptedException;
    }

    List<Session> of(Snapshot snapshot, int count, UnaryOperator<ContainerSpec> change) throws InterruptedException {
        if (count < 1) {
            throw ArgumentException.invalid("a fork into " + count + " sessions: ask for 1 or more");
        }
        if (count > places) {
            throw new EngineException(
                    "FORK_PLACES",
                    "a fork into " + count + " sessions does not fit into an engine that runs " + places
                            + " containers: ask for fewer, or raise the engine's runs");
        }
        var specs = new ArrayList<ContainerSpec>();
        for (int i = 0; i < count; i++) {
            specs.add(change.apply(ContainerSpec.of(snapshot.asImage())));
        }
        var turn = new Semaphore(AT_ONCE);
        var opened = new ArrayList<Future<Session>>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (ContainerSpec spec : specs) {
                opened.add(threads.submit(() -> {
                    turn.acquire();
                    try {
                        return opening.open(spec);
                    } finally {
                        turn.release();
                    }
                }));
            }
            var sessions = new ArrayList<Session>();
            for (Future<Session> one : opened) {
                sessions.add(one.get());
            }
            return List.copyOf(sessions);
        } catch (ExecutionException e) {
            RuntimeException failure = Failures.unchecked(e);
            takeBack(opened, failure);
            throw failure;
        } catch (InterruptedException | RuntimeException | Error e) {
            takeBack(opened, e);
            throw e;
        }
    }

    /// Closes those that were opened. Their tasks have ended: closing their executor waits for them.
    private static void takeBack(List<Future<Session>> opened, Throwable failure) {
        for (Future<Session> one : opened) {
            if (one.state() == Future.State.SUCCESS) {
                try {
                    one.resultNow().close();
                } catch (RuntimeException e) { // the others go all the same
                    failure.addSuppressed(e);
                }
            }
        }
    }
}
