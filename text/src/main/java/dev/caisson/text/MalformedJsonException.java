package dev.caisson.text;

import dev.caisson.error.CaissonException;

/// Text that is not JSON, or is more of it than the caller takes. The message is a fragment that fits behind
/// the name of what was read: `has no value at line 3, column 7`.
public final class MalformedJsonException extends CaissonException {
    private static final long serialVersionUID = 1L;

    /// Kind of fault. The names are stable: programs may compare them.
    public enum Code {
        /// Not the grammar of RFC 8259.
        SYNTAX,
        /// Not UTF-8, begins with a byte order mark, or has half of a surrogate pair.
        ENCODING,
        /// Objects and lists in each other beyond the limit.
        TOO_DEEP,
        /// More text, more values or a longer number than the limit.
        TOO_LARGE,
        /// An object names a member twice; RFC 8259, section 4 leaves open which of them counts.
        DUPLICATE_KEY
    }

    private final Code reason;
    private final int line;
    private final int column;

    MalformedJsonException(Code reason, String fault, int line, int column) {
        super("JSON_" + reason, fault + " at line " + line + ", column " + column);
        this.reason = reason;
        this.line = line;
        this.column = column;
    }

    /// The kind of fault as a constant; [#code] is its name behind `JSON_`.
    public Code reason() {
        return reason;
    }

    @Override
    public int httpStatus() {
        return 400;
    }

    /// Line of the fault, from 1.
    public int line() {
        return line;
    }

    /// Column of the fault in characters, from 1.
    public int column() {
        return column;
    }
}
