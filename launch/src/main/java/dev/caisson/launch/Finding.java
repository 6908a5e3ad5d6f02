package dev.caisson.launch;

/// One thing that the policy has against a wish.
///
/// @param code stable, upper case with underscores
/// @param sentence what is wrong and what to do
public record Finding(String code, String sentence) {}
