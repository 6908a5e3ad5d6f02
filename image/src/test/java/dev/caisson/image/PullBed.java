package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.file.Path;

/// A store below a directory, and an image that registries say something about.
record PullBed(Path directory, SampleImage image) {
    static PullBed in(Path directory) throws IOException {
        return new PullBed(directory, new SampleImage("y"));
    }

    ImageStore store() {
        return ImageStore.open(directory.resolve("store"));
    }

    StoredImage pull(ScriptedRegistry registry, String name, RegistryLogins logins) {
        try (ImageStore store = store()) {
            return store.pull(ImageReference.parse(registry.name() + "/" + name), logins, PullListener.none());
        }
    }

    /// Returns the error of a pull that leaves the store without an image.
    CaissonException refused(ScriptedRegistry.Script script) throws IOException {
        try (var registry = new ScriptedRegistry(script)) {
            CaissonException refused =
                    catchThrowableOfType(CaissonException.class, () -> pull(registry, "app:1", RegistryLogins.none()));
            var _ = Thread.interrupted();
            assertThat(refused).isNotNull();
            try (ImageStore store = store()) {
                assertThat(store.images()).isEmpty();
            }
            return refused;
        }
    }
}
