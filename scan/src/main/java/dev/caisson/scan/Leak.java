package dev.caisson.scan;

/// A secret that was found. The value itself is in no field.
/// @param masked the first two characters and the length
/// @param reason why the confidence is what it is, in words that follow a colon
/// @param mark tells two random values apart without giving either away: 24 bits of a digest; empty for values that
///     people choose, which could be guessed by it
public record Leak(LeakRule rule, Place place, String masked, Confidence confidence, String reason, String mark) {}
