package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Place;

/// One word of an instruction or a shell command.
/// @param value the word without its quotes
/// @param raw the word as it is written
/// @param place where it stands, quotes included
public record Word(String value, String raw, Place place) {
    /// True if the value may hold something that only the build knows: a variable or a command's output.
    public boolean expands() {
        return value.indexOf('$') >= 0 || raw.indexOf('`') >= 0;
    }
}
