package dev.caisson.image.registry;

import java.net.URI;
import java.util.Optional;

/// Judges an address that a registry leads to, by a redirect or to a token service.
final class NextAddress {
    private NextAddress() {}

    /// Returns why an address is not asked; empty if it may be. The address itself is not in the text: it may hold a
    /// signature or a password.
    ///
    /// @param isHere true if the registry was named as this machine
    /// @param from who leads there
    static Optional<String> fault(boolean isHere, URI from, URI to) {
        boolean isPlain = "http".equals(to.getScheme()) && "http".equals(from.getScheme()) && isHere;
        if (to.getHost() == null || to.getUserInfo() != null) {
            return Optional.of("an address without a host, or with a password");
        }
        boolean isSame = isSame(from, to);
        if (!isSame && !"https".equals(to.getScheme()) && !(isPlain && Registry.isLoopbackName(Registry.host(to)))) {
            return Optional.of("an address that is not of https");
        }
        return !isSame && !isHere && Registry.isNear(Registry.host(to))
                ? Optional.of("this machine")
                : Optional.empty();
    }

    /// True if whoever leads there is asked in the same way.
    private static boolean isSame(URI from, URI to) {
        return to.getScheme() != null
                && to.getScheme().equals(from.getScheme())
                && to.getAuthority().equals(from.getAuthority());
    }
}
