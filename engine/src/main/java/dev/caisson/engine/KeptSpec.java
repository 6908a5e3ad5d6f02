package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SpecException;
import dev.caisson.spec.SpecJson;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import java.util.Optional;
import java.util.function.BiConsumer;

/// The spec of a container that outlives its command, in its directory: what it was asked to be, with the limits that
/// `update` has given it since. A container is made again of it once its monitor is gone.
final class KeptSpec {
    static final String NAME = "spec.json";
    private static final int MOST_BYTES = 32 << 20;

    private KeptSpec() {}

    static void write(Fd directory, ContainerSpec spec) {
        KeptFile.writeText(directory, NAME, SpecJson.write(spec));
    }

    /// Returns the spec of a container; empty as with [#read], or if the container is gone.
    static Optional<ContainerSpec> of(ContainerId id, EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return among.find(id).flatMap(among::open).flatMap(found -> {
            try (Fd kept = found) {
                return read(kept);
            }
        });
    }

    /// Passes on each container that has one.
    static void each(EngineOptions options, BiConsumer<KeptDirectory.Entry, ContainerSpec> to) {
        var kept = new KeptDirectory(options.data(), options.state());
        for (KeptDirectory.Entry entry : kept.entries()) {
            Optional<Fd> found = kept.open(entry);
            if (found.isPresent()) {
                try (Fd own = found.get()) {
                    read(own).ifPresent(spec -> to.accept(entry, spec));
                }
            }
        }
    }

    /// Empty if it was not written, or by a later version, or a power failure came before the disk had all of it.
    static Optional<ContainerSpec> read(Fd directory) {
        return KeptFile.readText(directory, NAME, MOST_BYTES).flatMap(json -> {
            try {
                return Optional.of(SpecJson.read(json));
            } catch (SpecException e) {
                return Optional.empty();
            }
        });
    }
}
