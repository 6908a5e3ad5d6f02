package dev.caisson.cli.view;

import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.engine.Images;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.engine.RunningContainer;
import dev.caisson.engine.SetIdPrograms;
import dev.caisson.engine.Volumes;
import dev.caisson.error.CaissonException;
import dev.caisson.network.Networks;
import dev.caisson.spec.Denial;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Finds the object that a name stands for, in the form in which Docker inspects it.
///
/// @param size whether a container's has what was written into its root
record NamedObject(EngineOptions options, boolean size) {
    /// Codes of errors that say that there is none of a name.
    private static final Set<String> UNKNOWN = Set.of(
            "CONTAINER_UNKNOWN",
            "IMAGE_UNKNOWN",
            "BAD_NAME",
            "NETWORK_NOT_FOUND",
            "VOLUME_UNKNOWN",
            "ARGUMENT_INVALID");

    /// The kinds of objects with names, in the order in which Docker looks for one.
    enum Kind {
        CONTAINER,
        IMAGE,
        NETWORK,
        VOLUME;

        static Optional<Kind> called(String word) {
            return Arrays.stream(values())
                    .filter(kind -> kind.word().equals(word))
                    .findFirst();
        }

        static String words() {
            List<String> words = Arrays.stream(values()).map(Kind::word).toList();
            return words.stream().limit(words.size() - 1L).collect(Collectors.joining(", ")) + " or " + words.getLast();
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Returns the first that has this name. A name that nothing has is told as that of a container, which most are.
    Map<String, ? extends @Nullable Object> any(String name) throws InterruptedException {
        var missed = new ArrayList<CaissonException>();
        for (Kind kind : Kind.values()) {
            try {
                return of(kind, name);
            } catch (CaissonException e) {
                if (!UNKNOWN.contains(e.code())) {
                    throw e;
                }
                missed.add(e);
            }
        }
        throw missed.getFirst();
    }

    Map<String, ? extends @Nullable Object> of(Kind kind, String name) throws InterruptedException {
        return switch (kind) {
            case CONTAINER -> container(name);
            case IMAGE -> image(name);
            case NETWORK -> network(name);
            case VOLUME -> volume(name);
        };
    }

    private Map<String, Object> container(String name) throws InterruptedException {
        ContainerStatus status = ContainerStatus.find(name, options);
        Optional<DetachedContainer> detached =
                DetachedContainer.find(status.id().value(), options);
        Optional<RunningContainer> running = RunningContainer.find(status.id().value(), options);
        OptionalInt stopSignal = running.isPresent() || detached.isPresent() || !status.kept()
                ? OptionalInt.empty()
                : KeptContainer.find(status.id().value(), options).stopSignal();
        Map<String, Object> object =
                InspectObject.of(status, detached, running, stopSignal, NetworkPlaces.of(status.id(), options));
        object.put("ExecIDs", running.map(RunningContainer::execs).orElse(List.of()));
        Optional<KeptContainer> kept = kept(status);
        object.put(
                "Denials",
                kept.map(KeptContainer::denials).orElse(List.of()).stream()
                        .map(Denial::fields)
                        .toList());
        SetIdPrograms setId = kept.map(KeptContainer::setIdPrograms).orElse(SetIdPrograms.NONE);
        object.put("SetIdPrograms", setId.files());
        object.put("SetIdProgramsMissing", setId.missing());
        if (size) {
            object.put("SizeRw", DiskUse.written(status, options).count());
        }
        return object;
    }

    /// Nothing is recorded of a container that `run --rm` has in the foreground.
    private Optional<KeptContainer> kept(ContainerStatus status) {
        try {
            return Optional.of(KeptContainer.find(status.id().value(), options));
        } catch (EngineException e) {
            if (e.code().equals("CONTAINER_NOT_KEPT")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Map<String, @Nullable Object> image(String name) {
        try (Images images = Images.open(options)) {
            return ImageObject.of(images, images.find(name));
        }
    }

    private Map<String, Object> network(String name) {
        try (Networks networks = HostNetworks.open(options)) {
            return NetworkObject.of(networks.get(name), networks, NetworkObject.containers(options));
        }
    }

    private Map<String, Object> volume(String name) {
        Volumes all = Volumes.of(options);
        return VolumeObject.of(all.get(name), all);
    }
}
