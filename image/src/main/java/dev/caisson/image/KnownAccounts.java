package dev.caisson.image;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Accounts that were looked up in trees of the store, which do not change: to look into an image of several
/// layers takes a mount of its own. May be used by several threads.
final class KnownAccounts {
    private static final int MOST = 256;
    private static final int MOST_GROUPS = 64;
    private static final float LOAD = 0.75f;

    /// @param digest of the image; that of a snapshot is another one when it is taken again
    private record Place(Digest digest, List<Layer> layers, String user) {}

    private static final Map<Place, Account> KNOWN = new LinkedHashMap<>(16, LOAD, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, Account> eldest) {
            return size() > MOST;
        }
    };

    private KnownAccounts() {}

    /// Returns an account of a root file system, which is looked up unless it is known.
    static Account of(Rootfs rootfs, String user, Supplier<Account> lookup) {
        boolean isFixed = rootfs.digest().isPresent()
                && rootfs.binds().isEmpty()
                && rootfs.layers().stream().allMatch(Layer::removable);
        if (!isFixed) {
            return lookup.get();
        }
        var place = new Place(rootfs.digest().orElseThrow(), rootfs.layers(), user);
        synchronized (KNOWN) {
            Account known = KNOWN.get(place);
            if (known != null) {
                return known;
            }
        }
        Account found = lookup.get();
        if (found.groups().size() <= MOST_GROUPS) {
            synchronized (KNOWN) {
                KNOWN.put(place, found);
            }
        }
        return found;
    }
}
