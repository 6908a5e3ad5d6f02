package dev.caisson.network.names;

import java.util.Arrays;
import java.util.List;

/// Writes answers of our own.
final class Reply {
    private static final int OPTION = 11;
    private static final int RECORD_FIXED = 12;
    private static final int POINTER_TO_QUESTION = 0xc000 | Wire.HEADER;

    private Reply() {}

    /// Answers a message that is not a query, as far as it was read.
    static byte[] malformed(byte[] message, MalformedMessage reason) {
        boolean extended = reason.answer() > Wire.CODE;
        var reply = new byte[Wire.HEADER + (extended ? OPTION : 0)];
        Wire.u16(reply, 0, Wire.u16(message, 0));
        int kept = Wire.u16(message, 2) & (Wire.OPCODE | Wire.RECURSION_DESIRED);
        Wire.u16(reply, 2, Wire.RESPONSE | kept | Wire.RECURSION_AVAILABLE | (reason.answer() & Wire.CODE));
        if (extended) {
            Wire.u16(reply, 10, 1);
            option(reply, Wire.HEADER, Wire.LONGEST_UDP, false, reason.answer() >> 4);
        }
        return reply;
    }

    /// Answers without a record.
    static byte[] empty(Query query, int code) {
        return answer(query, code, List.of(), 0, Wire.LONGEST_TCP);
    }

    /// Says that the answer did not fit: the client is to ask by TCP.
    static byte[] truncated(Query query, int code) {
        byte[] reply = empty(query, code);
        reply[2] |= (byte) (Wire.TRUNCATED >> 8);
        return reply;
    }

    /// Answers with records of the question's name.
    ///
    /// @param records the data of each
    /// @param limit bytes of the longest answer; one that is longer is cut between records and says so
    static byte[] answer(Query query, int code, List<byte[]> records, int seconds, int limit) {
        int size = Wire.HEADER + query.question().length + (query.edns() ? OPTION : 0);
        for (byte[] record : records) {
            size += RECORD_FIXED + record.length;
        }
        var reply = new byte[Math.min(size, limit)];
        int flags = flags(query) | (records.isEmpty() ? 0 : Wire.AUTHORITATIVE) | code;
        Wire.u16(reply, 0, query.id());
        Wire.u16(reply, 4, 1);
        System.arraycopy(query.question(), 0, reply, Wire.HEADER, query.question().length);
        int at = Wire.HEADER + query.question().length;
        int room = reply.length - (query.edns() ? OPTION : 0);
        int written = 0;
        for (byte[] record : records) {
            if (at + RECORD_FIXED + record.length > room) {
                flags |= Wire.TRUNCATED;
                break;
            }
            Wire.u16(reply, at, POINTER_TO_QUESTION);
            Wire.u16(reply, at + 2, query.type());
            Wire.u16(reply, at + 4, Wire.CLASS_IN);
            Wire.u16(reply, at + 8, seconds);
            Wire.u16(reply, at + 10, record.length);
            System.arraycopy(record, 0, reply, at + RECORD_FIXED, record.length);
            at += RECORD_FIXED + record.length;
            written++;
        }
        Wire.u16(reply, 2, flags);
        Wire.u16(reply, 6, written);
        if (query.edns()) {
            Wire.u16(reply, 10, 1);
            option(reply, at, Wire.LONGEST_UDP, query.dnssec(), 0);
            at += OPTION;
        }
        return at == reply.length ? reply : Arrays.copyOf(reply, at);
    }

    /// Answers with the records that another server gave as its answer.
    ///
    /// @param end of the last of them in its reply
    static byte[] given(Query query, byte[] reply, int end) {
        byte[] answer = Arrays.copyOf(reply, end + (query.edns() ? OPTION : 0));
        Wire.u16(answer, 0, query.id());
        Wire.u16(answer, 2, flags(query));
        Wire.u16(answer, 8, 0);
        Wire.u16(answer, 10, query.edns() ? 1 : 0);
        System.arraycopy(query.question(), 0, answer, Wire.HEADER, query.question().length);
        if (query.edns()) {
            option(answer, end, Wire.LONGEST_UDP, query.dnssec(), 0);
        }
        return answer;
    }

    private static int flags(Query query) {
        return Wire.RESPONSE
                | Wire.RECURSION_AVAILABLE
                | (query.recursion() ? Wire.RECURSION_DESIRED : 0)
                | (query.checkingDisabled() ? Wire.CHECKING_DISABLED : 0);
    }

    /// Writes an OPT record without options, RFC 6891 section 6.1.
    static void option(byte[] message, int at, int size, boolean dnssec, int upperCode) {
        message[at] = 0;
        Wire.u16(message, at + 1, Wire.TYPE_OPT);
        Wire.u16(message, at + 3, size);
        message[at + 5] = (byte) upperCode;
        message[at + 6] = 0;
        Wire.u16(message, at + 7, dnssec ? Wire.DNSSEC_OK : 0);
        Wire.u16(message, at + 9, 0);
    }
}
