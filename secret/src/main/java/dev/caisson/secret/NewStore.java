package dev.caisson.secret;

import java.util.List;

/// What a new store is to be.
///
/// @param unlocker of which a key file is made if it does not exist
/// @param recovery who else can decrypt every file, as with a key that is kept offline
/// @param sameDisk accepts a key file on the file system of the store
public record NewStore(Unlocker unlocker, List<Recipient> recovery, boolean sameDisk) {
    public NewStore {
        recovery = List.copyOf(recovery);
    }
}
