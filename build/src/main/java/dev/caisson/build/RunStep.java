package dev.caisson.build;

import dev.caisson.build.Operation.Run;
import dev.caisson.build.Operation.RunNetwork;
import dev.caisson.containerfile.Place;
import dev.caisson.engine.Attachment;
import dev.caisson.engine.ContainerState;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.NewLayer;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.WritableLayer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Carries out a `RUN`: in a container of its own with all the default limits, whose changes become a
/// layer. The container outlives a killed build by no more than its lease.
final class RunStep {
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final Duration RENEWAL = Duration.ofSeconds(15);
    private static final long MOST_BYTES = 16L << 30;
    private static final String LABEL = "dev.caisson.build";

    private final Engine engine;
    private final EngineOptions options;
    private final Network network;

    RunStep(Engine engine, EngineOptions options, Network network) {
        this.engine = engine;
        this.options = options;
        this.network = network;
    }

    /// Runs the program, and gives what it has changed to `keep`.
    ///
    /// @param mounts adds what the program sees beside its image
    /// @throws BuildException BUILD_RUN_FAILED
    <T> T run(
            Run run,
            Image image,
            Place place,
            Function<ContainerSpec, ContainerSpec> mounts,
            RunOutput output,
            Optional<Instant> latest,
            Function<NewLayer, T> keep)
            throws InterruptedException {
        DetachedContainer container;
        try {
            container = engine.create(
                    mounts.apply(spec(run, image)),
                    DetachedOptions.STANDARD.lease(LEASE).imageVolumes(false)); // what a step writes is the image's
        } catch (CaissonException e) {
            throw failed(place, e);
        }
        try {
            require(place, follow(container, place, output));
            return keep.apply(new NewLayer(tar -> write(container, tar, latest), true));
        } finally {
            remove(container);
        }
    }

    private static void write(DetachedContainer container, OutputStream tar, Optional<Instant> latest)
            throws IOException {
        try {
            container.writeLayer(tar, latest);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the build was interrupted", e);
        }
    }

    private ContainerSpec spec(Run run, Image image) {
        ContainerSpec spec = ContainerSpec.of(image, run.command())
                .entrypoint(List.of())
                .workingDirectory(run.workingDirectory())
                .network(run.network() == RunNetwork.NONE ? Network.none() : network)
                .writableLayer(WritableLayer.STANDARD.size(room()))
                .label(LABEL, "1");
        for (Map.Entry<String, String> variable : run.environment().entrySet()) {
            spec = spec.environment(variable.getKey(), variable.getValue());
        }
        return run.user().isEmpty() ? spec : spec.user(run.user());
    }

    /// Half of what the disk has left, at most.
    private Bytes room() {
        try {
            long free = Files.getFileStore(options.data()).getUsableSpace();
            return Bytes.of(Math.max(Bytes.mebibytes(64).count(), Math.min(MOST_BYTES, free / 2)));
        } catch (IOException e) {
            throw Workplace.failed(e);
        }
    }

    private static BuildException failed(Place place, CaissonException e) {
        return new BuildException(e.code(), place, e.sentence(), e);
    }

    private static ContainerState follow(DetachedContainer container, Place place, RunOutput output)
            throws InterruptedException {
        try (Attachment attachment = container.attachBeforeStart()) {
            container.start();
            long[] renewed = {System.nanoTime()};
            return attachment.follow(entries -> entries.forEach(output::take), () -> renew(container, renewed));
        } catch (CaissonException e) {
            throw failed(place, e);
        }
    }

    private static boolean renew(DetachedContainer container, long[] renewed) {
        if (Thread.currentThread().isInterrupted()) {
            return false;
        }
        if (System.nanoTime() - renewed[0] > RENEWAL.toNanos()) {
            renewed[0] = System.nanoTime();
            try {
                container.renew(LEASE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    private static void require(Place place, ContainerState state) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Optional<ContainerState.End> end = state.lastEnd();
        if (end.isEmpty()) {
            throw new BuildException(
                    "BUILD_RUN_FAILED",
                    place,
                    "nobody knows how the command ended, as its container was lost: build again");
        }
        if (end.get().status() != 0) {
            String why = end.get().outOfMemory() ? ", and a process of it was killed at the memory limit" : "";
            throw new BuildException(
                    "BUILD_RUN_FAILED",
                    place,
                    "the command ended with the status " + end.get().status() + why + ": see its output above");
        }
    }

    /// Removes the container also while this thread is asked to end.
    private static void remove(DetachedContainer container) {
        boolean interrupted = Thread.interrupted();
        try {
            container.remove(true);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
