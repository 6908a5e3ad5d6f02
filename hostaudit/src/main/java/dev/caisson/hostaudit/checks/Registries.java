package dev.caisson.hostaudit.checks;

import java.util.regex.Pattern;

/// Judges registries by what dockerd's settings call them: `HOST`, `HOST:PORT`, a range of addresses, a mirror's URL.
final class Registries {
    private static final String PLAIN = "http://";
    /// Ranges that begin at least as narrow as 127.0.0.0/8, ports left aside.
    private static final Pattern THIS_HOST = Pattern.compile("localhost(?::\\d+)?"
            + "|127(?:\\.\\d{1,3}){3}(?::\\d+|/(?:[89]|[12]\\d|3[0-2]))?"
            + "|::1(?:/128)?|\\[::1](?::\\d+)?");

    private Registries() {}

    /// True if only this very host can be meant.
    static boolean isThisHost(String registry) {
        return THIS_HOST.matcher(registry).matches();
    }

    /// True for a mirror on another host that is asked without TLS.
    static boolean isPlainMirror(String url) {
        return url.startsWith(PLAIN)
                && !isThisHost(url.substring(PLAIN.length()).split("/", 2)[0]);
    }
}
