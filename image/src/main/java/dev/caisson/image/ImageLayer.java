package dev.caisson.image;

/// A layer of an image of the store.
///
/// @param diffId of its archive when uncompressed
/// @param blob of its bytes as they lie in the store
/// @param size of these bytes
public record ImageLayer(Digest diffId, Digest blob, long size) {}
