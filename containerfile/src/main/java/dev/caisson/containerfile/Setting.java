package dev.caisson.containerfile;

/// A value that takes effect, and the place in the files that decided it.
public record Setting<T>(T value, Place place) {}
