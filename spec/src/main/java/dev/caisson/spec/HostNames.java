package dev.caisson.spec;

import java.util.regex.Pattern;

/// The form of names of machines.
final class HostNames {
    private static final Pattern NAME = Pattern.compile("(?i)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?");

    private HostNames() {}

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }
}
