package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import java.nio.file.Path;

/// A place outside the store for layers of builds, which several machines can share.
public sealed interface CachePlace {
    /// A manifest in a registry: a cache of its own, or an image.
    record InRegistry(ImageReference reference, RegistryLogins logins) implements CachePlace {
        public InRegistry {
            present(reference, "reference");
            present(logins, "logins");
        }

        @Override
        public String toString() {
            return reference.toString();
        }
    }

    /// A directory in the form of an OCI layout.
    ///
    /// @param path absolute
    record InDirectory(Path path) implements CachePlace {
        public InDirectory {
            present(path, "path");
        }

        @Override
        public String toString() {
            return path.toString();
        }
    }
}
