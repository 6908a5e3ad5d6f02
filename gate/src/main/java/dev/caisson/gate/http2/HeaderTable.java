package dev.caisson.gate.http2;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The tables that indices of a header block lead to, RFC 7541 section 2.3: the static one, and behind it the fields
/// that were sent before, newest first.
final class HeaderTable {
    /// The most bytes of the dynamic table: SETTINGS_HEADER_TABLE_SIZE if nobody says another one.
    static final int MOST_BYTES = 4096;

    private static final List<HeaderField> STATIC = List.of(
            entry(":authority", ""),
            entry(":method", "GET"),
            entry(":method", "POST"),
            entry(":path", "/"),
            entry(":path", "/index.html"),
            entry(":scheme", "http"),
            entry(":scheme", "https"),
            entry(":status", "200"),
            entry(":status", "204"),
            entry(":status", "206"),
            entry(":status", "304"),
            entry(":status", "400"),
            entry(":status", "404"),
            entry(":status", "500"),
            entry("accept-charset", ""),
            entry("accept-encoding", "gzip, deflate"),
            entry("accept-language", ""),
            entry("accept-ranges", ""),
            entry("accept", ""),
            entry("access-control-allow-origin", ""),
            entry("age", ""),
            entry("allow", ""),
            entry("authorization", ""),
            entry("cache-control", ""),
            entry("content-disposition", ""),
            entry("content-encoding", ""),
            entry("content-language", ""),
            entry("content-length", ""),
            entry("content-location", ""),
            entry("content-range", ""),
            entry("content-type", ""),
            entry("cookie", ""),
            entry("date", ""),
            entry("etag", ""),
            entry("expect", ""),
            entry("expires", ""),
            entry("from", ""),
            entry("host", ""),
            entry("if-match", ""),
            entry("if-modified-since", ""),
            entry("if-none-match", ""),
            entry("if-range", ""),
            entry("if-unmodified-since", ""),
            entry("last-modified", ""),
            entry("link", ""),
            entry("location", ""),
            entry("max-forwards", ""),
            entry("proxy-authenticate", ""),
            entry("proxy-authorization", ""),
            entry("range", ""),
            entry("referer", ""),
            entry("refresh", ""),
            entry("retry-after", ""),
            entry("server", ""),
            entry("set-cookie", ""),
            entry("strict-transport-security", ""),
            entry("transfer-encoding", ""),
            entry("user-agent", ""),
            entry("vary", ""),
            entry("via", ""),
            entry("www-authenticate", ""));

    private static final Map<String, Integer> NAMES = new HashMap<>();
    private static final Map<HeaderField, Integer> FIELDS = new HashMap<>();

    static {
        for (int i = 0; i < STATIC.size(); i++) {
            NAMES.putIfAbsent(STATIC.get(i).name(), i + 1);
            FIELDS.put(STATIC.get(i), i + 1);
        }
    }

    private final Deque<HeaderField> sent = new ArrayDeque<>();
    private int capacity = MOST_BYTES;
    private int bytes;

    private static HeaderField entry(String name, String value) {
        return new HeaderField(name, value);
    }

    /// Returns the index of a field in the static table; 0 if it is not there.
    static int index(String name, String value) {
        return FIELDS.getOrDefault(entry(name, value), 0);
    }

    /// Returns the index of a field with that name in the static table; 0 if there is none.
    static int index(String name) {
        return NAMES.getOrDefault(name, 0);
    }

    /// Returns the field at an index, from 1 on.
    Optional<HeaderField> at(int index) {
        if (index < 1 || index > STATIC.size() + sent.size()) {
            return Optional.empty();
        }
        if (index <= STATIC.size()) {
            return Optional.of(STATIC.get(index - 1));
        }
        Iterator<HeaderField> newest = sent.iterator();
        for (int i = STATIC.size() + 1; i < index; i++) {
            newest.next();
        }
        return Optional.of(newest.next());
    }

    /// Adds a field, for which the oldest go; one that is larger than the table empties it.
    void add(HeaderField field) {
        evict(capacity - field.size());
        if (field.size() <= capacity) {
            sent.addFirst(field);
            bytes += field.size();
        }
    }

    /// Changes the number of bytes, which is at most [#MOST_BYTES].
    void resize(int most) {
        capacity = most;
        evict(most);
    }

    private void evict(int most) {
        while (!sent.isEmpty() && bytes > most) {
            bytes -= sent.removeLast().size();
        }
    }
}
