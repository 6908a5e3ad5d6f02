package dev.caisson.secret;

import java.util.List;
import java.util.Optional;

/// The changes that a store gets with another identity.
///
/// @param unlocker as before if empty
/// @param recovery who else can decrypt every file; as before if empty
/// @param sameDisk accepts a new key file on the file system of the store
public record Rekey(Optional<Unlocker> unlocker, Optional<List<Recipient>> recovery, boolean sameDisk) {
    public Rekey {
        recovery = recovery.map(List::copyOf);
    }
}
