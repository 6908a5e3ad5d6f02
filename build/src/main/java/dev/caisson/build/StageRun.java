package dev.caisson.build;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Directory;
import dev.caisson.build.Operation.Nothing;
import dev.caisson.build.Operation.Origin;
import dev.caisson.build.Operation.Run;
import dev.caisson.containerfile.build.Base;
import dev.caisson.containerfile.build.Stage;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A stage while it is built: its result so far and the steps that are left. Used by one thread at a time.
final class StageRun {
    private final StageGraph graph;
    private final Stage stage;
    private final Trees trees;
    private final StepRunner runner;
    private final boolean takesResults;
    private List<BuildStep> steps = List.of();
    private int next;
    private long counted;
    private int number;
    private @Nullable Snapshot now;

    /// @param takesResults whether its steps are taken from earlier builds
    StageRun(StageGraph graph, Stage stage, Trees trees, StepRunner runner, boolean takesResults) {
        this.graph = graph;
        this.stage = stage;
        this.trees = trees;
        this.runner = runner;
        this.takesResults = takesResults;
    }

    int index() {
        return stage.index();
    }

    /// Carries out steps until one needs a stage that is not done.
    /// @return the number of that stage; empty if this stage is done
    Optional<Integer> advance() throws InterruptedException {
        Snapshot files = now;
        if (files == null) {
            if (stage.base() instanceof Base.Earlier(Stage earlier) && !trees.isDone(earlier.index())) {
                return Optional.of(earlier.index());
            }
            files = begin();
        }
        while (next < steps.size()) {
            BuildStep step = steps.get(next);
            Optional<Integer> missing = stages(step.operation())
                    .filter(index -> !trees.isDone(index))
                    .findFirst();
            if (missing.isPresent()) {
                now = files;
                return missing;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            next++;
            number += StepRunner.isCounted(step) ? 1 : 0;
            var place = new StepRunner.Position(stage.index(), stage.label() + " " + number + "/" + counted);
            files = runner.run(step, files, place, takesResults);
        }
        trees.add(stage.index(), files);
        return Optional.empty();
    }

    private Snapshot begin() {
        Snapshot base = switch (stage.base()) {
            case Base.Scratch _ -> Snapshot.scratch(graph.platform(stage));
            case Base.Earlier earlier -> present(trees.stage(earlier.stage().index()), "an earlier stage");
            case Base.Image image ->
                trees.image(
                        image.reference().toString(),
                        graph.platform(stage),
                        stage.baseWord().place());
            case Base.Unknown unknown -> throw new IllegalStateException(unknown.reason());
        };
        Settings settings = base.document().settings();
        steps = new StagePlanner(graph, stage, settings).plan();
        counted = steps.stream().filter(StepRunner::isCounted).count();
        return base.document(base.document().settings(settings.asBase().withoutTriggers()));
    }

    /// Returns the stages whose files a step reads.
    private static Stream<Integer> stages(Operation operation) {
        Stream<Origin> origins = switch (operation) {
            case Nothing _, Directory _ -> Stream.of();
            case Copy copy -> Stream.of(copy.origin());
            case Run run ->
                run.mounts().stream()
                        .filter(RunMount.Bind.class::isInstance)
                        .map(mount -> ((RunMount.Bind) mount).origin());
        };
        return origins.filter(Origin.Stage.class::isInstance).map(origin -> ((Origin.Stage) origin).index());
    }
}
