package dev.caisson.build;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/// Carries out the stages of a build side by side. A stage gives its thread back while it needs another one that is
/// not done, so that no number of threads is too small.
final class StageSchedule {
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(200);

    private final IntFunction<StageRun> stages;
    private final int atOnce;
    private final Runnable waits;
    private final Set<Integer> begun = new HashSet<>();
    private final Set<Integer> done = new HashSet<>();
    private final Map<Integer, List<StageRun>> waiting = new HashMap<>();

    /// The end of a turn of a stage.
    private record Turn(StageRun stage, Optional<Integer> needs) {}

    /// @param stages makes the run of a stage, by its number
    /// @param atOnce the most stages that are carried out at a time
    /// @param waits called from time to time while stages are carried out
    StageSchedule(IntFunction<StageRun> stages, int atOnce, Runnable waits) {
        this.stages = stages;
        this.atOnce = atOnce;
        this.waits = waits;
    }

    /// Carries out these stages, and others that they turn out to need. The first failure interrupts the others, is
    /// waited for, and is thrown.
    void run(List<Integer> wanted) throws InterruptedException {
        boolean isAlone = wanted.size() == 1 && !Thread.currentThread().isVirtual();
        Optional<Turn> here = isAlone ? Optional.of(turnHere(wanted.getFirst())) : Optional.empty();
        if (here.filter(turn -> turn.needs().isEmpty()).isPresent()) {
            return;
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(
                Math.max(1, atOnce),
                Thread.ofPlatform().name("caisson build ", 0).factory())) {
            var turns = new ExecutorCompletionService<Turn>(threads);
            try {
                here.ifPresent(turn -> take(turn, turns));
                wanted.forEach(index -> begin(index, turns));
                while (done.size() < begun.size()) {
                    Future<Turn> turn = turns.poll(BETWEEN_LOOKS.toNanos(), TimeUnit.NANOSECONDS);
                    if (turn == null) {
                        waits.run();
                    } else {
                        take(turn.get(), turns);
                    }
                }
            } catch (ExecutionException e) {
                throw failure(e);
            } finally {
                threads.shutdownNow(); // interrupts what goes on; closing waits for its end
            }
        }
    }

    /// Carries a stage out on the thread of the caller, as nothing can go on beside it.
    private Turn turnHere(int index) throws InterruptedException {
        begun.add(index);
        StageRun stage = stages.apply(index);
        return new Turn(stage, stage.advance());
    }

    private static RuntimeException failure(ExecutionException e) throws InterruptedException {
        return switch (e.getCause()) {
            case RuntimeException failed -> failed;
            case InterruptedException interrupted -> throw interrupted;
            case Error error -> throw error;
            case null, default -> new IllegalStateException("a stage failed", e);
        };
    }

    private void begin(int index, CompletionService<Turn> turns) {
        if (begun.add(index)) {
            submit(stages.apply(index), turns);
        }
    }

    private static void submit(StageRun stage, CompletionService<Turn> turns) {
        turns.submit(() -> new Turn(stage, stage.advance()));
    }

    private void take(Turn turn, CompletionService<Turn> turns) {
        int index = turn.stage().index();
        if (turn.needs().isEmpty()) {
            done.add(index);
            List<StageRun> next = waiting.remove(index);
            if (next != null) {
                next.forEach(stage -> submit(stage, turns));
            }
        } else if (done.contains(turn.needs().get())) {
            submit(turn.stage(), turns); // it was done meanwhile
        } else {
            int needed = turn.needs().get();
            waiting.computeIfAbsent(needed, _ -> new ArrayList<>()).add(turn.stage());
            begin(needed, turns); // a trigger of a base image may name a stage that nothing else needs
        }
    }
}
