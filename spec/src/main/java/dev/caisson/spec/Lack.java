package dev.caisson.spec;

/// A limit that was asked for and that this machine has nothing to enforce with.
///
/// @param limit its name, as in `memory-swap`
/// @param reason what is missing, and where it helps what to do
public record Lack(String limit, String reason) {
    @Override
    public String toString() {
        return limit + ": " + reason;
    }
}
