package dev.caisson.image;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Unpacks layers as the store does: each into an overlay above those below.
final class LayeredUnpacking implements AutoCloseable {
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final UnpackLimits limits;
    private final LayerUnpacker.Ownership ownership;
    private final Path place = Files.createTempDirectory("layers");
    private final List<Fd> trees = new ArrayList<>();

    LayeredUnpacking(UnpackLimits limits, LayerUnpacker.Ownership ownership) throws IOException {
        this.limits = limits;
        this.ownership = ownership;
    }

    /// Unpacks them, and returns why they were refused; empty if they were not.
    Optional<ImageException> unpack(byte[]... layers) throws IOException {
        byte[] used = new UnpackBudget(limits, Long.MAX_VALUE).used();
        try {
            for (byte[] layer : layers) {
                var budget = new UnpackBudget(limits, Long.MAX_VALUE);
                budget.resume(used);
                add(layer, budget);
                used = budget.used();
            }
            return Optional.empty();
        } catch (ImageException e) {
            return Optional.of(e);
        }
    }

    private void add(byte[] layer, UnpackBudget budget) throws IOException {
        Path own = Files.createDirectory(place.resolve("tree" + trees.size()));
        Path work = Files.createDirectory(place.resolve("work" + trees.size()));
        Fd tree = FileSystem.open(own.toString(), READ);
        try {
            FileSystem.changeMode(tree, 0755);
            if (trees.isEmpty()) {
                apply(layer, tree, budget);
                return;
            }
            try (Fd beside = FileSystem.open(work.toString(), READ);
                    Fd overlay =
                            Mounts.overlay(trees.reversed(), tree, beside, EnumSet.of(Mounts.Attribute.NO_DEVICES));
                    Fd root = FileSystem.openAt(overlay, ".", READ, 0, FileSystem.RESOLVE_BENEATH)) {
                apply(layer, root, budget);
            }
        } finally {
            trees.add(tree);
        }
    }

    private void apply(byte[] layer, Fd root, UnpackBudget budget) throws IOException {
        try (var unpacker = new LayerUnpacker(root, budget, ownership)) {
            unpacker.apply(new TarReader(new ByteArrayInputStream(layer), limits));
            unpacker.finish();
        }
    }

    /// Describes what a container would see.
    Map<String, String> facts() throws IOException {
        if (trees.size() < 2) {
            return Unpacking.facts(place.resolve("tree0"));
        }
        try (Fd overlay = Mounts.overlay(trees.reversed(), null, null, EnumSet.of(Mounts.Attribute.READ_ONLY))) {
            return Unpacking.facts(Path.of("/proc/self/fd/" + overlay.number() + "/."));
        }
    }

    @Override
    public void close() throws IOException {
        trees.forEach(Fd::close);
        try (Fd above =
                FileSystem.open(Objects.requireNonNull(place.getParent()).toString(), READ)) {
            FileSystem.removeTree(above, place.getFileName().toString());
        }
    }
}
