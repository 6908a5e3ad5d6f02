package dev.caisson.image;

/// How much an image may bring, all its layers together. Each is far above what real images have and far below what a
/// host can bear.
///
/// @param bytes of all files, holes not counted, and of all uncompressed layers with their headers
/// @param size of one file, holes counted
/// @param entries in all layers together
/// @param pathBytes of one name, in UTF-8
/// @param depth of directories
/// @param headerBytes of one extended header
/// @param ratio of uncompressed to compressed bytes, once `ratioGrace` bytes came out
record UnpackLimits(
        long bytes, long size, int entries, int pathBytes, int depth, int headerBytes, long ratio, long ratioGrace) {
    static final UnpackLimits DEFAULT =
            new UnpackLimits(64L << 30, 1L << 40, 2_000_000, 4095, 128, 1 << 20, 200, 32L << 20);
}
