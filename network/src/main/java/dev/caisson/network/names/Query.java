package dev.caisson.network.names;

import static dev.caisson.network.names.Wire.require;

import java.util.Arrays;
import java.util.Optional;

/// One question of a program in a container, read strictly: exactly one question, no records but one EDNS(0), no byte
/// behind its end.
///
/// @param question the name as it was written, type and class
/// @param name in lower case without its last dot; empty for one that no host can have
/// @param edns true if the answer is to hold an OPT record, RFC 6891
/// @param limit bytes of the longest answer that the client takes by UDP, at most [Wire#LONGEST_UDP]
@SuppressWarnings("ArrayRecordComponent") // never compared
record Query(
        int id,
        byte[] question,
        Optional<String> name,
        int type,
        boolean recursion,
        boolean checkingDisabled,
        boolean edns,
        boolean dnssec,
        int limit) {
    private static final int OPT_FIXED = 10;

    /// Reads a query.
    ///
    /// @return empty for what must not be answered: less than a header, or an answer
    /// @throws MalformedMessage with the code to answer
    static Optional<Query> read(byte[] message, int length) throws MalformedMessage {
        if (length < Wire.HEADER || (Wire.u16(message, 2) & Wire.RESPONSE) != 0) {
            return Optional.empty();
        }
        int flags = Wire.u16(message, 2);
        if ((flags & Wire.OPCODE) != 0) {
            throw new MalformedMessage(Wire.NOT_IMPLEMENTED, "not a standard query");
        }
        int additional = Wire.u16(message, 10);
        require(Wire.u16(message, 4) == 1, "not one question");
        require(Wire.u16(message, 6) == 0 && Wire.u16(message, 8) == 0 && additional <= 1, "a query with records");
        int end = Wire.endOfName(message, length, Wire.HEADER) + 4;
        require(end <= length, "a question without type and class");
        int type = Wire.u16(message, end - 4);
        boolean dnssec = false;
        int limit = Wire.SHORTEST_LIMIT;
        if (additional == 1) {
            int after = option(message, length, end);
            require(after == length, "bytes behind the message");
            limit = Math.clamp(Wire.u16(message, end + 3), Wire.SHORTEST_LIMIT, Wire.LONGEST_UDP);
            dnssec = (Wire.u16(message, end + 7) & Wire.DNSSEC_OK) != 0;
        } else {
            require(end == length, "bytes behind the message");
        }
        boolean internet = Wire.u16(message, end - 2) == Wire.CLASS_IN;
        return Optional.of(new Query(
                Wire.u16(message, 0),
                Arrays.copyOfRange(message, Wire.HEADER, end),
                internet ? Wire.text(message, Wire.HEADER) : Optional.empty(),
                type,
                (flags & Wire.RECURSION_DESIRED) != 0,
                (flags & Wire.CHECKING_DISABLED) != 0,
                additional == 1,
                dnssec,
                limit));
    }

    /// Checks the record of EDNS(0) and returns where it ends.
    private static int option(byte[] message, int length, int at) throws MalformedMessage {
        require(at + 1 + OPT_FIXED <= length, "a record goes beyond the message");
        require(message[at] == 0 && Wire.u16(message, at + 1) == Wire.TYPE_OPT, "a record that is not OPT");
        int end = at + 1 + OPT_FIXED + Wire.u16(message, at + 9);
        require(end <= length, "a record goes beyond the message");
        if (message[at + 6] != 0) {
            throw new MalformedMessage(Wire.BAD_VERSION, "a version of EDNS that is not 0");
        }
        int option = at + 1 + OPT_FIXED;
        while (option < end) {
            require(option + 4 <= end, "an option goes beyond its record");
            option += 4 + Wire.u16(message, option + 2);
        }
        require(option == end, "an option goes beyond its record");
        return end;
    }

    /// Returns the same question as nobody's in particular: in lower case, with nothing that the client has chosen
    /// beside the name, its type and whether it knows EDNS(0).
    Query plain() {
        byte[] lower = question.clone();
        for (int i = 0; i < lower.length - 4; i++) { // no length of a label is as high as a letter
            lower[i] = lower[i] >= 'A' && lower[i] <= 'Z' ? (byte) (lower[i] + 32) : lower[i];
        }
        return new Query(id, lower, name, type, true, false, edns, false, Wire.LONGEST_UDP);
    }

    /// Returns the query for another server: the same question, with an id of its own and no options of the client's.
    byte[] forward(int newId) {
        var message = new byte[Wire.HEADER + question.length + (edns ? 1 + OPT_FIXED : 0)];
        Wire.u16(message, 0, newId);
        Wire.u16(
                message, 2, (recursion ? Wire.RECURSION_DESIRED : 0) | (checkingDisabled ? Wire.CHECKING_DISABLED : 0));
        Wire.u16(message, 4, 1);
        System.arraycopy(question, 0, message, Wire.HEADER, question.length);
        if (edns) {
            Wire.u16(message, 10, 1);
            Reply.option(message, Wire.HEADER + question.length, limit, dnssec, 0);
        }
        return message;
    }
}
