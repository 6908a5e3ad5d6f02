package dev.caisson.build;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Emulation;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Builds images from Dockerfiles.
///
/// ```java
/// try (var engine = Engine.open(); var images = Images.open(EngineOptions.standard())) {
///     BuildResult result = new Builder(engine, images, EngineOptions.standard()).build(request, BuildListener.none());
/// }
/// ```
///
/// Each `RUN` has a container of its own, with the limits and the filter of every other container and without a path of
/// the host. The result of each step stays in the store, and the next build takes it where everything that it was made
/// of is the same.
public final class Builder {
    private static final int SHORT_ID = 12;

    private final Engine engine;
    private final Images images;
    private final EngineOptions options;

    /// @param options those of the engine and of the images
    public Builder(Engine engine, Images images, EngineOptions options) {
        this.engine = present(engine, "engine");
        this.images = present(images, "images");
        this.options = present(options, "options");
    }

    /// Builds an image. An interrupt ends it; nothing is left then but results of steps that were done.
    /// @throws BuildException with exit status 1 and, mostly, the place in the Dockerfile
    /// and the code of whatever failed: the Dockerfile, the store, a registry or the engine
    public BuildResult build(BuildRequest request, BuildListener listener) throws InterruptedException {
        present(request, "request");
        present(listener, "listener");
        try {
            return run(request, new OneAtATime(listener));
        } catch (BuildException e) {
            throw e;
        } catch (ContainerFileException e) {
            throw new BuildException(e.code(), e.place().orElse(null), problem(e), e);
        } catch (CaissonException e) {
            if (Thread.interrupted()) { // what was interrupted below has thrown its own
                throw new InterruptedException(e.sentence());
            }
            throw new BuildException(e.code(), null, e.sentence(), e);
        }
    }

    /// Returns what is wrong with a Dockerfile in the form of all errors, and what to do.
    private static String problem(ContainerFileException e) {
        String sentence = e.problem();
        boolean isCapital =
                sentence.startsWith("There ") || sentence.startsWith("The ") || sentence.startsWith("Only ");
        String plain = (isCapital ? Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1) : sentence)
                .replaceFirst("\\.$", "");
        return switch (e.error()) {
            case DOCKERFILE_UNKNOWN_INSTRUCTION ->
                plain + ": write one of "
                        + Stream.of(Keyword.values()).map(Keyword::name).collect(Collectors.joining(", "));
            case DOCKERFILE_EMPTY -> plain + ": begin it with FROM and the name of an image";
            case DOCKERFILE_NO_STAGE -> plain + ": write FROM above it";
            default -> plain;
        };
    }

    private BuildResult run(BuildRequest request, BuildListener listener) throws InterruptedException {
        Dockerfile dockerfile = Dockerfile.parse(request.dockerfile());
        StageGraph graph = StageGraph.of(
                dockerfile,
                request.arguments(),
                request.target(),
                new StageGraph.Platforms(request.platform(), Emulation::obstacleHere));
        for (String unused : graph.unused()) {
            listener.warns("build argument " + unused + " is not declared by any ARG: it changes nothing");
        }
        requireStatement(request.notes());
        Instant started = Instant.now();
        var materials = new Materials();
        Leftovers.clear(options); // containers of killed builds, whose lease is over
        var store = new LayerStore(images);
        var done = new DoneSteps(store);
        try (Workplace workplace = Workplace.open(options);
                Trees trees = new Trees(store, workplace, request, images, listener, materials);
                RemoteSteps remote = RemoteSteps.open(
                        request.cached() ? request.caches().from() : List.of(), images.shared(), listener)) {
            var steps = new StepRunner(
                    request,
                    listener,
                    store,
                    workplace,
                    trees,
                    new RunStep(engine, options, request.network()),
                    options,
                    remote,
                    done,
                    materials);
            Set<Integer> again = graph.again(request.again());
            new StageSchedule(
                            index -> new StageRun(
                                    graph,
                                    graph.stage(index),
                                    trees,
                                    steps,
                                    request.cached() && !again.contains(index)),
                            Runtime.getRuntime().availableProcessors(),
                            listener::waits)
                    .run(graph.needed().stream().map(Stage::index).toList());
            Snapshot last = present(trees.stage(graph.target().index()), "the target");
            Map<String, Object> more = request.caches().inline()
                    ? Map.of(
                            CacheDocument.MEMBER,
                            CacheDocument.fields(
                                    done.of(graph.chain(), last.document().diffIds())))
                    : Map.of();
            BuildNotes said = request.notes();
            ImageNotes notes = said.provenance()
                    .map(wanted -> new ProvenanceStatement(request, wanted, materials, started).notes(said))
                    .orElseGet(() -> new ImageNotes(said.manifest(), Map.of(), Optional.empty()));
            BuildResult result = finish(last, request, store, steps, more, notes);
            for (BuildCaches.Export export : request.caches().to()) {
                done.write(
                        export.place(), stage -> export.all() || graph.chain().contains(stage), images.shared());
            }
            return result;
        }
    }

    private static void requireStatement(BuildNotes notes) {
        if (!notes.index().isEmpty() && notes.provenance().isEmpty()) {
            throw new BuildException(
                    "BUILD_ANNOTATION",
                    "an image without provenance has no index to annotate: ask for provenance, too");
        }
    }

    /// @param more members of the configuration beside those of the specification
    private BuildResult finish(
            Snapshot last,
            BuildRequest request,
            LayerStore store,
            StepRunner steps,
            Map<String, Object> more,
            ImageNotes notes) {
        ConfigDocument document = last.document();
        if (!request.labels().isEmpty()) {
            document = document.settings(document.settings().labels(request.labels()));
        }
        Snapshot named = last.document(document);
        Snapshot files = named.image().isPresent() ? named : steps.empty(named);
        document = files.document();
        ImageReference first = request.names().isEmpty()
                ? unnamed(document, request.listed())
                : request.names().getFirst();
        StoredImage image = store.add(files.image().orElseThrow(), document.toJson(more), first, notes);
        for (ImageReference name : request.names()) {
            if (!name.equals(first)) {
                store.tag(image, name);
            }
        }
        return new BuildResult(image, store.id(image));
    }

    /// An image that nobody names is called by the beginning of its id.
    private static ImageReference unnamed(ConfigDocument document, boolean listed) {
        String id = new ContentHash().add(document.toJson()).hex();
        if (!listed) {
            return LayerStore.name("image-" + id);
        }
        return new ImageReference("localhost", "build", Optional.of(id.substring(0, SHORT_ID)), Optional.empty());
    }
}
