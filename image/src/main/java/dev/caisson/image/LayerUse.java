package dev.caisson.image;

import java.io.IOException;
import java.io.InputStream;

/// Takes the layers of an image one after the other, lowest first.
@FunctionalInterface
public interface LayerUse {
    /// Takes one layer.
    /// @param index 0 for the lowest
    /// @param archive the uncompressed tar archive; valid during the call, need not be read to its end
    void layer(int index, InputStream archive) throws IOException;
}
