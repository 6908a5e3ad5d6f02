package dev.caisson.containerfile;

/// The user that a process starts as, and why we say so.
public sealed interface RunAs {
    String reason();

    /// The superuser, user id 0.
    record Root(Place place, String reason) implements RunAs {}

    /// Another user.
    record Other(Place place, String user, boolean numeric, String reason) implements RunAs {}

    /// Nobody can tell from the files.
    record Unknown(Place place, String reason) implements RunAs {}
}
