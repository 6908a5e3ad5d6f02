package dev.caisson.spec;

import java.util.regex.Pattern;

/// The form of names of machines.
final class HostNames {
    private static final Pattern NAME = Pattern.compile("(?i)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?");

    private static final Pattern LABELS = Pattern.compile("[^.]{1,63}(?:\\.[^.]{1,63})*");

    private HostNames() {}

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    /// True for a name that a question of DNS can carry, RFC 1035 section 2.3.4; `/etc/hosts` may have others.
    static boolean canBeAskedFor(String text) {
        return isName(text) && LABELS.matcher(text).matches();
    }
}
