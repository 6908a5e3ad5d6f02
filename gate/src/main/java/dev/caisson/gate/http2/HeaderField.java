package dev.caisson.gate.http2;

/// A field of a header block. Texts have one character for each byte (ISO 8859-1).
public record HeaderField(String name, String value) {
    /// What an entry of a table counts beside its texts, RFC 7541 section 4.1.
    private static final int OVERHEAD = 32;

    int size() {
        return name.length() + value.length() + OVERHEAD;
    }
}
