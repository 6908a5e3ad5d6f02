package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Directory;
import dev.caisson.build.Operation.Nothing;
import dev.caisson.build.Operation.Run;
import dev.caisson.containerfile.Place;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.NewLayer;
import dev.caisson.image.StoredImage;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/// Carries out the steps of stages, or takes their results from the store. Used by the threads of all stages: the
/// same step of two stages is carried out once.
final class StepRunner {
    /// Paths that are directories: to look into an image of several layers takes a mount.
    private static final KnownOfImages<ImagePath, Boolean> DIRECTORIES = new KnownOfImages<>(1024);

    private final BuildRequest request;
    private final BuildListener listener;
    private final LayerStore store;
    private final Trees trees;
    private final RunStep runs;
    private final RunMounts mounts;
    private final Download download;
    private final RemoteSteps remote;
    private final DoneSteps done;
    private final Materials materials;
    private final AtomicInteger steps = new AtomicInteger();
    private final Map<String, Lock> locks = new ConcurrentHashMap<>();
    private final Set<String> fresh = ConcurrentHashMap.newKeySet();

    StepRunner(
            BuildRequest request,
            BuildListener listener,
            LayerStore store,
            Workplace workplace,
            Trees trees,
            RunStep runs,
            EngineOptions options,
            RemoteSteps remote,
            DoneSteps done,
            Materials materials) {
        this.materials = materials;
        this.remote = remote;
        this.done = done;
        this.request = request;
        this.listener = listener;
        this.store = store;
        this.trees = trees;
        this.runs = runs;
        this.mounts = new RunMounts(workplace, trees, request, options);
        this.download = new Download(workplace);
    }

    /// Returns whether progress shows a step: those that only change the configuration take no time.
    static boolean isCounted(BuildStep step) {
        return !(step.operation() instanceof Nothing);
    }

    private Instant now() {
        return request.latest().orElseGet(() -> Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    /// The place of a step in its build.
    ///
    /// @param stage its number
    /// @param shown the stage and the number of the step in it
    record Position(int stage, String shown) {}

    /// @param takesResult whether the result is taken from an earlier build
    Snapshot run(BuildStep step, Snapshot before, Position position, boolean takesResult) throws InterruptedException {
        if (!isCounted(step)) {
            return before.document(before.document().settings(step.after()).and(step.createdBy()));
        }
        int number = steps.incrementAndGet();
        long begun = System.nanoTime();
        listener.begins(number, position.shown(), step.text());
        Result result;
        try {
            result = result(new Turn(step, before, position.stage(), number, takesResult));
        } catch (InterruptedException e) {
            listener.cancels(number);
            throw e;
        } catch (CaissonException e) {
            if (Thread.currentThread().isInterrupted()) { // what was interrupted below has thrown its own
                listener.cancels(number);
            } else {
                listener.fails(number, RemoteSteps.sentence(e));
            }
            throw e;
        }
        listener.ends(number, result.cached(), Duration.ofNanos(System.nanoTime() - begun));
        return result.snapshot();
    }

    /// A step that is to be carried out, or taken.
    ///
    /// @param number in the whole build
    private record Turn(BuildStep step, Snapshot before, int stage, int number, boolean takesResult) {}

    private record Result(Snapshot snapshot, boolean cached) {}

    private Result result(Turn turn) throws InterruptedException {
        return switch (turn.step().operation()) {
            case Directory directory -> directory(directory, turn);
            case Copy copy -> copy(copy, turn);
            case Run run -> run(run, turn);
            case Nothing _ -> throw new IllegalStateException("a step of nothing is counted");
        };
    }

    /// Makes the result of a step that nobody has made before.
    private interface Making {
        StoredImage image(Instant now) throws InterruptedException;
    }

    /// Takes over the image of a step.
    private Result taken(Turn turn, StoredImage image, String key, boolean cached) {
        done.add(turn.stage(), key, image);
        ConfigDocument files = store.config(image);
        ConfigDocument document = turn.before()
                .document()
                .settings(turn.step().after())
                .and(turn.step().createdBy(), files.lastDiffId().orElseThrow(), files.created());
        return new Result(new Snapshot(Optional.of(image), key, document), cached);
    }

    private Result made(Turn turn, String key, Making making) throws InterruptedException {
        Lock lock = locks.computeIfAbsent(key, _ -> new ReentrantLock());
        lock.lockInterruptibly();
        try {
            Optional<StoredImage> there =
                    turn.takesResult() || fresh.contains(key) ? store.find(key, turn.before()) : Optional.empty();
            if (there.isEmpty() && turn.takesResult()) {
                there = fetched(turn, key);
            }
            if (there.isPresent()) {
                return taken(turn, there.get(), key, true);
            }
            StoredImage image = making.image(now());
            fresh.add(key);
            return taken(turn, image, key, false);
        } finally {
            lock.unlock();
        }
    }

    /// Takes the result of a step from a place outside the store. It is carried out where that fails.
    private Optional<StoredImage> fetched(Turn turn, String key) throws InterruptedException {
        Optional<RemoteSteps.Found> found = remote.find(key);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(store.take(turn.before(), found.get(), key));
        } catch (CaissonException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException(e.sentence());
            }
            listener.warns(
                    "the result of a step is not taken from " + found.get().place() + ": " + RemoteSteps.sentence(e));
            return Optional.empty();
        }
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

    /// A path in an image, whose links are followed.
    private record ImagePath(Digest manifest, String path) {}

    private Result directory(Directory directory, Turn turn) throws InterruptedException {
        BuildStep step = turn.step();
        Snapshot before = turn.before();
        String key = key(before)
                .add("directory")
                .add(directory.path())
                .add(directory.user())
                .hex();
        if (turn.takesResult() && store.find(key).isPresent()) { // so that it was not there, and no file is looked at
            return made(turn, key, now -> directory(directory, turn, key, trees.files(before), now));
        }
        Optional<ImagePath> place = before.image().map(image -> new ImagePath(image.manifest(), directory.path()));
        if (place.flatMap(DIRECTORIES::find).isPresent()) {
            return there(turn);
        }
        FileTree files = trees.files(before);
        var layer = new LayerBuilder(files, step.place());
        if (layer.kind(layer.follow(directory.path())) == LayerBuilder.Kind.DIRECTORY) {
            place.ifPresent(path -> DIRECTORIES.remember(path, true));
            return there(turn);
        }
        return made(turn, key, now -> directory(directory, turn, key, files, now));
    }

    /// Returns the result where the directory is in the image below.
    private static Result there(Turn turn) {
        Snapshot before = turn.before();
        BuildStep step = turn.step();
        return new Result(
                before.document(before.document().settings(step.after()).and(step.createdBy())), true);
    }

    private StoredImage directory(Directory directory, Turn turn, String key, FileTree files, Instant now)
            throws InterruptedException {
        var layer = new LayerBuilder(files, turn.step().place());
        LayerBuilder.Owner owner = placed(turn.step(), () -> CopyStep.owner(files, directory.user()));
        layer.directories(layer.follow(directory.path()), owner, now);
        return store.add(turn.before(), layer(layer, request.latest()), key, now);
    }

    private interface Call<T> {
        T get() throws InterruptedException;
    }

    /// Gives errors of rooms that know no Dockerfile the place of the instruction.
    private static <T> T placed(BuildStep step, Call<T> call) throws InterruptedException {
        try {
            return call.get();
        } catch (BuildException e) {
            throw e.place().isPresent() ? e : new BuildException(e.code(), step.place(), e.problem(), e);
        } catch (CaissonException e) {
            throw new BuildException(e.code(), step.place(), e.sentence(), e);
        }
    }

    private Result copy(Copy copy, Turn turn) throws InterruptedException {
        BuildStep step = turn.step();
        Snapshot before = turn.before();
        List<Download.Fetched> fetched = download.all(copy);
        materials.add(copy, fetched);
        return placed(step, () -> {
            var copied = new CopyStep(copy, step.place(), trees.of(copy.origin()), fetched, trees);
            ContentHash hash = key(before);
            copied.hash(hash);
            String key = hash.hex();
            return made(turn, key, now -> {
                NewLayer layer = layer(copied.layer(trees.files(before), now), request.latest());
                return store.add(before, layer, key, now);
            });
        });
    }

    private Result run(Run run, Turn turn) throws InterruptedException {
        Place place = turn.step().place();
        Snapshot before = turn.before();
        StoredImage image = before.image()
                .orElseThrow(() -> new BuildException(
                        "BUILD_RUN_SCRATCH",
                        place,
                        "an image of nothing has no program to run: copy one into it first"));
        try (RunMounts.Prepared prepared = mounts.prepare(run, place)) {
            String key = key(run, before, prepared);
            return made(turn, key, _ -> {
                placed(turn.step(), () -> {
                    prepared.make(() -> trees.files(before));
                    return prepared;
                });
                try (RunOutput output =
                        prepared.output((isError, text) -> listener.output(turn.number(), isError, text))) {
                    return runs.run(
                            run,
                            LayerStore.image(image),
                            place,
                            prepared::addTo,
                            output,
                            request.latest(),
                            layer -> store.add(before, layer, key, now()));
                }
            });
        }
    }

    private String key(Run run, Snapshot before, RunMounts.Prepared prepared) {
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
        return hash.hex();
    }

    /// Gives an image of nothing the one layer that every image has.
    Snapshot empty(Snapshot before) {
        String key = key(before).add("empty").hex();
        var layer = new LayerBuilder(trees.files(before), request.dockerfile().place(0, 0));
        Instant now = now();
        StoredImage image = store.add(before, layer(layer, request.latest()), key, now);
        ConfigDocument document = before.document()
                .and("FROM scratch", store.config(image).lastDiffId().orElseThrow(), now);
        return new Snapshot(Optional.of(image), key, document);
    }
}
