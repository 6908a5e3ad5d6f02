package dev.caisson.network.names;

import static dev.caisson.network.names.Wire.require;

import java.util.Arrays;

/// An answer of another server that was checked: it answers the question that was asked, and every record of it lies
/// within it.
///
/// @param bytes the answer, with the id of the one who asked first
/// @param code response code without its extension
/// @param truncated true if the server says that it did not fit; it holds no records then
@SuppressWarnings("ArrayRecordComponent") // never compared
record Response(byte[] bytes, int code, boolean truncated) {
    private static final int RECORD_FIXED = 10;
    private static final int MOST_RECORDS = 4096;

    /// True if the message answers this very question under this id, whatever else is in it.
    static boolean answers(byte[] message, int length, int id, Query query) {
        int end = Wire.HEADER + query.question().length;
        return length >= end
                && Wire.u16(message, 0) == id
                && (Wire.u16(message, 2) & (Wire.RESPONSE | Wire.OPCODE)) == Wire.RESPONSE
                && Wire.u16(message, 4) == 1
                && Wire.sameQuestion(query.question(), message, Wire.HEADER);
    }

    /// Reads a message that [#answers] is true for.
    static Response read(byte[] message, int length, Query query) throws MalformedMessage {
        int flags = Wire.u16(message, 2);
        if ((flags & Wire.TRUNCATED) != 0) {
            return new Response(Reply.truncated(query, flags & Wire.CODE), flags & Wire.CODE, true);
        }
        int records = Wire.u16(message, 6) + Wire.u16(message, 8) + Wire.u16(message, 10);
        require(records <= MOST_RECORDS, "an answer with too many records");
        int at = Wire.HEADER + query.question().length;
        for (int i = 0; i < records; i++) {
            int fixed = Wire.endOfCompressedName(message, length, at);
            require(fixed + RECORD_FIXED <= length, "a record goes beyond the message");
            at = fixed + RECORD_FIXED + Wire.u16(message, fixed + 8);
            require(at <= length, "a record goes beyond the message");
        }
        require(at == length, "bytes behind the message");
        byte[] bytes = Arrays.copyOf(message, length);
        Wire.u16(bytes, 0, query.id());
        System.arraycopy(query.question(), 0, bytes, Wire.HEADER, query.question().length);
        return new Response(bytes, flags & Wire.CODE, false);
    }

    /// True if another server may know more.
    boolean isFailure() {
        return code == Wire.SERVER_FAILURE
                || code == Wire.REFUSED
                || code == Wire.NOT_IMPLEMENTED
                || code == Wire.FORMAT_ERROR;
    }
}
