package dev.caisson.seccomp;

/// Rules that come on top of a profile for what a container is given besides: whatever the profile is, it
/// denies what they deny.
public enum Restriction {
    /// Files of the host: none is leased.
    VOLUMES("volumes.json"),
    /// Files of the host that can be written to: none becomes set-user-ID or set-group-ID.
    WRITABLE_VOLUMES("writable-volumes.json");

    private final String resource;

    Restriction(String resource) {
        this.resource = resource;
    }

    /// Its rules as a profile's JSON; the default action means nothing.
    String json() {
        return Profile.resource(resource);
    }
}
