package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Directory;
import dev.caisson.build.Operation.Nothing;
import dev.caisson.build.Operation.Run;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.image.NewLayer;
import dev.caisson.image.StoredImage;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Carries out the steps of stages, or takes their results from the store.
final class StepRunner {
    private final BuildRequest request;
    private final BuildListener listener;
    private final LayerStore store;
    private final Trees trees;
    private final RunStep runs;
    private final RunMounts mounts;
    private final Download download;
    private int steps;
    private boolean takesResults;

    StepRunner(
            BuildRequest request,
            BuildListener listener,
            LayerStore store,
            Workplace workplace,
            Trees trees,
            RunStep runs,
            EngineOptions options) {
        this.request = request;
        this.listener = listener;
        this.store = store;
        this.trees = trees;
        this.runs = runs;
        this.mounts = new RunMounts(workplace, trees, request.secrets(), options);
        this.download = new Download(workplace);
    }

    /// Says whether the steps to come are taken from earlier builds.
    void takesResults(boolean value) {
        takesResults = value;
    }

    /// Returns whether progress shows a step: those that only change the configuration take no time.
    static boolean isCounted(BuildStep step) {
        return !(step.operation() instanceof Nothing);
    }

    private Instant now() {
        return request.latest().orElseGet(() -> Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    /// @param where the stage and the number of the step in it
    Snapshot run(BuildStep step, Snapshot before, String where) throws InterruptedException {
        if (!isCounted(step)) {
            return before.document(before.document().settings(step.after()).and(step.createdBy()));
        }
        int number = ++steps;
        long begun = System.nanoTime();
        listener.begins(number, where, step.text());
        Result result = switch (step.operation()) {
            case Directory directory -> directory(directory, step, before);
            case Copy copy -> copy(copy, step, before);
            case Run run -> run(run, step, before, number);
            case Nothing _ -> throw new IllegalStateException("a step of nothing is counted");
        };
        listener.ends(number, result.cached(), Duration.ofNanos(System.nanoTime() - begun));
        return result.snapshot();
    }

    private record Result(Snapshot snapshot, boolean cached) {}

    /// Makes the result of a step that nobody has made before.
    private interface Making {
        NewLayer layer(Instant now);
    }

    /// Takes over the image of a step.
    private Result taken(BuildStep step, Snapshot before, StoredImage image, String key, boolean cached) {
        ConfigDocument files = store.config(image);
        ConfigDocument document = before.document()
                .settings(step.after())
                .and(step.createdBy(), files.lastDiffId().orElseThrow(), files.created());
        return new Result(new Snapshot(Optional.of(image), key, document), cached);
    }

    private Optional<StoredImage> cached(String key) {
        return takesResults ? store.find(key) : Optional.empty();
    }

    private Result made(BuildStep step, Snapshot before, String key, Making making) {
        Optional<StoredImage> there = cached(key);
        if (there.isPresent()) {
            return taken(step, before, there.get(), key, true);
        }
        Instant now = now();
        StoredImage image = store.add(before.image(), making.layer(now), key, now);
        return taken(step, before, image, key, false);
    }

    private static NewLayer layer(LayerBuilder layer, Optional<Instant> latest) {
        return new NewLayer(tar -> layer.write(tar, latest), true);
    }

    private ContentHash key(Snapshot before) {
        return new ContentHash()
                .add("1")
                .add(before.key())
                .add(request.latest().map(Instant::toString).orElse(""));
    }

    // ---- the kinds of steps

    private Result directory(Directory directory, BuildStep step, Snapshot before) {
        FileTree files = trees.files(before);
        var layer = new LayerBuilder(files, step.place());
        String path = layer.follow(directory.path());
        if (layer.kind(path) == LayerBuilder.Kind.DIRECTORY) {
            ConfigDocument document = before.document().settings(step.after()).and(step.createdBy());
            return new Result(before.document(document), true);
        }
        String key = key(before)
                .add("directory")
                .add(directory.path())
                .add(directory.user())
                .hex();
        return made(step, before, key, now -> {
            layer.directories(path, placed(step, () -> CopyStep.owner(files, directory.user())), now);
            return layer(layer, request.latest());
        });
    }

    private interface Call<T> {
        T get();
    }

    /// Gives errors of rooms that know no Dockerfile the place of the instruction.
    private static <T> T placed(BuildStep step, Call<T> call) {
        try {
            return call.get();
        } catch (BuildException e) {
            throw e.place().isPresent() ? e : new BuildException(e.code(), step.place(), e.problem(), e);
        } catch (CaissonException e) {
            throw new BuildException(e.code(), step.place(), e.sentence(), e);
        }
    }

    private Result copy(Copy copy, BuildStep step, Snapshot before) throws InterruptedException {
        List<Download.Fetched> fetched = download.all(copy);
        return placed(step, () -> {
            var copied = new CopyStep(copy, step.place(), trees.of(copy.origin()), fetched, trees);
            ContentHash hash = key(before);
            copied.hash(hash);
            return made(
                    step, before, hash.hex(), now -> layer(copied.layer(trees.files(before), now), request.latest()));
        });
    }

    private Result run(Run run, BuildStep step, Snapshot before, int number) throws InterruptedException {
        StoredImage image = before.image()
                .orElseThrow(() -> new BuildException(
                        "BUILD_RUN_SCRATCH",
                        step.place(),
                        "an image of nothing has no program to run: copy one into it first"));
        try (RunMounts.Prepared prepared = mounts.prepare(run, step.place())) {
            ContentHash hash = key(before).add("run").add(run.command().size());
            run.command().forEach(hash::add);
            run.keyEnvironment().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(variable -> hash.add(variable.getKey()).add(variable.getValue()));
            hash.add(run.user())
                    .add(run.workingDirectory())
                    .add(run.network().name())
                    .add(request.network().toString());
            run.script().ifPresent(script -> hash.add(script.content()));
            prepared.hash(hash);
            String key = hash.hex();
            Optional<StoredImage> there = cached(key);
            if (there.isPresent()) {
                return taken(step, before, there.get(), key, true);
            }
            prepared.make();
            try (RunOutput output = prepared.output(text -> listener.output(number, text))) {
                StoredImage made = runs.run(
                        run,
                        LayerStore.image(image),
                        step.place(),
                        prepared::addTo,
                        output,
                        request.latest(),
                        layer -> store.add(before.image(), layer, key, now()));
                return taken(step, before, made, key, false);
            }
        }
    }

    /// Gives an image of nothing the one layer that every image has.
    Snapshot empty(Snapshot before) {
        String key = key(before).add("empty").hex();
        var layer = new LayerBuilder(trees.files(before), request.dockerfile().place(0, 0));
        Instant now = now();
        StoredImage image = store.add(Optional.empty(), layer(layer, request.latest()), key, now);
        ConfigDocument document = before.document()
                .and("FROM scratch", store.config(image).lastDiffId().orElseThrow(), now);
        return new Snapshot(Optional.of(image), key, document);
    }
}
