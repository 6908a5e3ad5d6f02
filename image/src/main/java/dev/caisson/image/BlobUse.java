package dev.caisson.image;

import java.io.IOException;
import java.io.InputStream;

/// Takes blobs of an image one after the other.
@FunctionalInterface
public interface BlobUse {
    /// Takes one blob.
    /// @param content valid during the call
    void blob(Digest digest, long size, InputStream content) throws IOException;
}
