package dev.caisson.image;

import java.util.List;

/// The result of comparing what the store has of an image with its digests.
///
/// @param blobs how many were read: manifest, configuration and layers
/// @param trees how many unpacked layers were compared with what their archives unpack to
/// @param notCompared layers that are not unpacked here, or that lie above one that differs or is missing
/// @param faults what differs; empty if nothing does
public record ImageCheck(int blobs, int trees, int notCompared, List<Fault> faults) {
    /// A difference.
    ///
    /// @param code stable: DIGEST_MISMATCH, TREE_DIFFERS, NOT_FOUND or another code of an [ImageException]
    public record Fault(String code, String sentence) {}

    public ImageCheck {
        faults = List.copyOf(faults);
    }

    /// Returns true if nothing differs.
    public boolean isSound() {
        return faults.isEmpty();
    }
}
