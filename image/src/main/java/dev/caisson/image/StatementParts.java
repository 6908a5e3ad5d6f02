package dev.caisson.image;

import java.util.ArrayList;
import java.util.List;

/// The statements of others about an image, which stand beside it in its index.
///
/// @param blobs that the manifests of statements name, of whatever type these call them
/// @param manifests of statements
/// @param index of the image and of these manifests
record StatementParts(List<Descriptor> blobs, List<Descriptor> manifests, Descriptor index) {
    StatementParts {
        blobs = List.copyOf(blobs);
        manifests = List.copyOf(manifests);
    }

    /// Returns all of them, each behind those that it names.
    List<Descriptor> all() {
        var all = new ArrayList<>(blobs);
        all.addAll(manifests);
        all.add(index);
        return all;
    }
}
