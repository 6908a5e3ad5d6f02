package dev.caisson.gate;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// The head of a request that is for one host.
///
/// @param target in origin form, `/path?query`, or `*`
record RequestHead(String method, String target, Fields fields) {
    private static final int LONGEST_LINE = 16_384;
    private static final String VERSION = "HTTP/1.1";
    private static final String SCHEME = "https://";
    private static final int HTTPS = 443;
    /// Fields without which the server would read the end of the request somewhere else than the gate.
    private static final Set<String> ENDS = Set.of("content-length", "transfer-encoding");

    private static final Set<String> REPEATABLE = Set.of("GET", "HEAD", "OPTIONS");

    /// Reads one.
    /// @return empty if the connection ended before it began
    static Optional<RequestHead> read(Input input) throws IOException, Refusal {
        Optional<String> line = input.line(LONGEST_LINE);
        if (line.isEmpty()) {
            return Optional.empty();
        }
        String[] words = line.get().split(" ", -1);
        if (line.get().startsWith("PRI * HTTP/2")) {
            throw new Refusal(Refusal.VERSION, "the greeting of TLS did not agree on HTTP/2: offer h2 there");
        }
        if (words.length != 3 || !Fields.isToken(words[0]) || words[1].isEmpty()) {
            throw Refusal.malformed("the request line is not METHOD TARGET HTTP/1.1");
        }
        if (!words[2].equals(VERSION)) {
            throw new Refusal(Refusal.VERSION, "the version of HTTP is not 1.1: use HTTP/1.1");
        }
        return Optional.of(new RequestHead(words[0], words[1], Fields.read(input)));
    }

    /// Refuses a target that is too long.
    static void requireTarget(String target) throws Refusal {
        if (target.length() > LONGEST_LINE) {
            throw new Refusal(
                    Refusal.TOO_LARGE,
                    "the request's target is longer than " + LONGEST_LINE + " bytes: send a shorter one");
        }
    }

    /// Returns the same with its target in origin form.
    ///
    /// @param host that the connection is for
    /// @throws Refusal if it is for another host, or is one of those that do not pass a gate
    RequestHead checked(String host, int port) throws Refusal {
        requireMethod();
        List<String> hosts = fields.values("host");
        if (hosts.size() != 1) {
            throw Refusal.malformed("the request has " + hosts.size() + " Host fields: send one");
        }
        requireHost(hosts.getFirst(), host, port);
        if (fields.members("connection").stream().anyMatch(ENDS::contains)) {
            throw Refusal.malformed("Connection names a field that says where the request ends: leave that out of it");
        }
        if (fields.has("upgrade")) {
            WebSocket.requireGreeting(this);
        }
        if (fields.members("expect").stream().anyMatch(one -> !one.equals("100-continue"))) {
            throw Refusal.malformed("Expect is not 100-continue: leave it out");
        }
        fields.isChunked();
        fields.contentLength();
        return new RequestHead(method, target(host, port), fields);
    }

    private void requireMethod() throws Refusal {
        String name = method.toUpperCase(Locale.ROOT);
        if (name.equals("CONNECT") || name.equals("TRACE") || name.equals("TRACK")) {
            throw new Refusal(Refusal.NOT_IMPLEMENTED, "the method " + name + " does not pass a gate: use another one");
        }
    }

    private static void requireHost(String found, String host, int port) throws Refusal {
        String asked = found.toLowerCase(Locale.ROOT);
        boolean same = (port == HTTPS && asked.equals(host)) || asked.equals(host + ":" + port);
        if (!same) {
            throw new Refusal(
                    Refusal.MISDIRECTED,
                    "the request is for another host than its connection, which is for " + host + ":" + port
                            + ": open one for that host");
        }
    }

    private String target(String host, int port) throws Refusal {
        String path = target;
        if (!target.startsWith("/") && !target.equals("*")) {
            if (!target.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
                throw new Refusal(Refusal.MISDIRECTED, "the request's target is not a path: send /PATH");
            }
            String rest = target.substring(SCHEME.length());
            int end = 0;
            while (end < rest.length() && rest.charAt(end) != '/' && rest.charAt(end) != '?') {
                end++;
            }
            requireHost(rest.substring(0, end), host, port);
            path = rest.substring(end).startsWith("/") ? rest.substring(end) : "/" + rest.substring(end);
        }
        if (path.equals("*") && !method.equals("OPTIONS")) {
            throw Refusal.malformed("the target '*' is for OPTIONS alone: send /PATH");
        }
        if (path.chars().anyMatch(one -> one <= ' ' || one >= 0x7f || one == '#' || one == '\\')) {
            throw Refusal.malformed("the request's target has a character that no address has: encode it");
        }
        return path;
    }

    /// Returns the target without its query.
    String path() {
        int mark = target.indexOf('?');
        return mark < 0 ? target : target.substring(0, mark);
    }

    /// Returns the query; empty if there is none.
    String query() {
        int mark = target.indexOf('?');
        return mark < 0 ? "" : target.substring(mark + 1);
    }

    /// True if a body follows.
    boolean hasBody() throws Refusal {
        return fields.isChunked() || fields.contentLength().orElse(0L) > 0;
    }

    /// True if it may be sent again when nothing has come back.
    boolean isRepeatable() throws Refusal {
        return REPEATABLE.contains(method) && !hasBody();
    }

    /// True if the connection is to end with the answer.
    boolean closes() {
        return fields.members("connection").contains("close");
    }
}
