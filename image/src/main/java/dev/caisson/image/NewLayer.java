package dev.caisson.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// A layer to be added to the store.
///
/// @param content writes its tar archive, uncompressed
/// @param compress whether the store keeps it compressed, with gzip: smaller, and slower to add
public record NewLayer(Content content, boolean compress) {
    /// Writes a layer's tar archive.
    @FunctionalInterface
    public interface Content {
        /// Writes all of it.
        /// @param tar stays the caller's to close
        void writeTo(OutputStream tar) throws IOException;
    }

    /// Returns the layer in a file, an uncompressed tar archive.
    public static NewLayer of(Path file, boolean compress) {
        return new NewLayer(tar -> Files.copy(file, tar), compress);
    }
}
