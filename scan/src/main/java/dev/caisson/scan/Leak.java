package dev.caisson.scan;

/// A secret that was found. The value itself is in no field.
/// @param masked the first two characters and the length
/// @param reason why the confidence is what it is, in words that follow a colon
/// @param mark tells two random values apart without giving either away: 24 bits of a digest; empty for values that
///     people choose, which could be guessed by it
/// @param known the name of the value of a store that it is, such as `db@3`; empty if it is none
/// @param allowed why it is tolerated, as its line says; empty if it is not
public record Leak(
        LeakRule rule,
        Place place,
        String masked,
        Confidence confidence,
        String reason,
        String mark,
        String known,
        String allowed) {
    /// Returns it with something more to the reason.
    public Leak because(String more) {
        return new Leak(rule, place, masked, confidence, reason + more, mark, known, allowed);
    }

    /// Returns it as allowed for a reason; if that is empty, as not allowed, whatever its line says.
    public Leak allowed(String why) {
        return new Leak(rule, place, masked, confidence, reason, mark, known, why);
    }
}
