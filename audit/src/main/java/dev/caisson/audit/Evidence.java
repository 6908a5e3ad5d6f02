package dev.caisson.audit;

import java.util.Optional;

/// A fact that a finding rests on.
/// @param source where it was read: a file, an API, `/proc`
/// @param text what was read; secrets are cut short
public record Evidence(String source, String text, Optional<Location> location) {}
