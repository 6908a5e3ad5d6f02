package dev.caisson.build;

import dev.caisson.containerfile.Place;

/// One instruction with everything resolved.
///
/// @param text the instruction as people see it in progress
/// @param createdBy what the image's history says of it; without secrets
/// @param operation what it does to files
/// @param after the configuration that results
record BuildStep(Place place, String text, String createdBy, Operation operation, Settings after) {}
