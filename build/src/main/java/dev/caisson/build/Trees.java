package dev.caisson.build;

import dev.caisson.build.Operation.Origin;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.dockerfile.DockerIgnore;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarArchive;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The trees that a build reads: its context, its stages and other images. Each is opened once, and closed with this.
/// Used by the threads of all stages.
final class Trees implements CopyStep.Archives, AutoCloseable {
    static final String NO_CONTEXT = "the build context, which is empty";

    private final LayerStore store;
    private final Workplace workplace;
    private final BuildRequest request;
    private final Images images;
    private final BuildListener listener;
    private final Materials materials;
    private final Object pulling = new Object();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Map<Integer, Snapshot> stages = new ConcurrentHashMap<>();
    private final Map<String, Snapshot> bases = new ConcurrentHashMap<>();
    private final Map<StoredImage, FileTree> trees = new ConcurrentHashMap<>();
    private Optional<FileTree> context = Optional.empty();
    private Optional<FileTree> nothing = Optional.empty();

    Trees(
            LayerStore store,
            Workplace workplace,
            BuildRequest request,
            Images images,
            BuildListener listener,
            Materials materials) {
        this.store = store;
        this.workplace = workplace;
        this.request = request;
        this.images = images;
        this.listener = listener;
        this.materials = materials;
    }

    /// Adds a stage that is done.
    void add(int index, Snapshot stage) {
        stages.put(index, stage);
    }

    boolean isDone(int index) {
        return stages.containsKey(index);
    }

    /// Returns the result of a stage; null if it is not done.
    @Nullable
    Snapshot stage(int index) {
        return stages.get(index);
    }

    /// Finds a base image, and fetches it where that is needed.
    Snapshot image(String name, Platform platform, Place place) {
        return bases.computeIfAbsent(platform + " " + name, _ -> base(name, platform, place));
    }

    private Snapshot base(String name, Platform platform, Place place) {
        StoredImage image;
        try {
            ImageReference reference = images.settled(ImageReference.parse(name));
            image = find(reference, platform);
            materials.add(reference, platform, image);
        } catch (CaissonException e) {
            throw new BuildException(
                    e.code(),
                    place,
                    name + " is no stage before this one, and there is no image to be had: " + e.sentence(),
                    e);
        }
        return new Snapshot(Optional.of(image), "image " + image.manifest(), store.config(image));
    }

    /// Fetches one image at a time: its layers come side by side.
    private StoredImage find(ImageReference reference, Platform platform) {
        synchronized (pulling) {
            Optional<StoredImage> there = request.pulled() ? Optional.empty() : images.find(reference, platform);
            if (there.isPresent()) {
                return there.get();
            }
            String name = reference.toString();
            try {
                return images.pullFiles(reference, platform, request.logins(), listener.pulls(name));
            } finally {
                listener.pulled(name);
            }
        }
    }

    /// Returns the tree that something is copied from.
    FileTree of(Origin origin) {
        return switch (origin) {
            case Origin.Context _ -> context();
            case Origin.Stage stage -> files(Optional.ofNullable(stages.get(stage.index())), "stage " + stage.index());
            case Origin.Image image ->
                files(Optional.of(image(image.name(), image.platform(), image.place())), "image " + image.name());
        };
    }

    private FileTree files(Optional<Snapshot> snapshot, String name) {
        return snapshot.flatMap(Snapshot::image).map(image -> tree(image, name)).orElseGet(this::nothing);
    }

    /// Returns the files of a snapshot.
    FileTree files(Snapshot snapshot) {
        return files(Optional.of(snapshot), "the image");
    }

    private FileTree tree(StoredImage image, String name) {
        return trees.computeIfAbsent(image, _ -> {
            ImageTree tree = opened(store.tree(image));
            return new FileTree(tree.root(), name, _ -> false, false);
        });
    }

    /// Has it closed with this.
    private <T extends AutoCloseable> T opened(T one) {
        synchronized (opened) {
            opened.push(one);
        }
        return one;
    }

    private synchronized FileTree nothing() {
        if (nothing.isEmpty()) {
            Fd empty = opened(workplace.freshDirectory());
            nothing = Optional.of(new FileTree(empty, "an empty stage", _ -> false, false));
        }
        return nothing.orElseThrow();
    }

    @Override
    public Optional<FileTree> unpacked(Fd file, String shown, TarArchive.Below below) {
        try {
            if (!TarArchive.isOne(file)) {
                return Optional.empty();
            }
            Fd directory = opened(workplace.freshDirectory());
            TarArchive.unpack(file, shown, directory, below);
            return Optional.of(new FileTree(directory, shown, _ -> false, false));
        } catch (IOException e) {
            throw new BuildException(
                    "BUILD_ARCHIVE",
                    null,
                    shown + " cannot be unpacked (" + e.getMessage() + "): make it again, or copy it as it is by"
                            + " ADD --unpack=false",
                    e);
        }
    }

    private synchronized FileTree context() {
        if (context.isEmpty()) {
            context = Optional.of(request.context().isEmpty() ? emptyContext() : openContext());
        }
        return context.orElseThrow();
    }

    private FileTree emptyContext() {
        Fd empty = opened(workplace.freshDirectory());
        return new FileTree(empty, NO_CONTEXT, _ -> false, false);
    }

    private FileTree openContext() {
        String path = request.context().orElseThrow().toString();
        try {
            Fd root = opened(FileSystem.open(path, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY));
            Optional<DockerIgnore> rules = request.ignore().map(DockerIgnore::parse);
            return FileTree.ofHost(
                    root,
                    "the build context",
                    file -> rules.filter(known -> known.excludes(file)).isPresent(),
                    rules.filter(DockerIgnore::hasExceptions).isPresent());
        } catch (ErrnoException e) {
            throw new BuildException(
                    "BUILD_CONTEXT",
                    null,
                    "the build context " + path + " cannot be opened (" + e.getMessage() + "): name a directory",
                    e);
        }
    }

    @Override
    public void close() {
        for (AutoCloseable one : opened) {
            switch (one) {
                case ImageTree tree -> tree.close();
                case Fd file -> file.close();
                default -> throw new IllegalStateException("something else was opened");
            }
        }
    }
}
