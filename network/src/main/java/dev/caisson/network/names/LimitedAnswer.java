package dev.caisson.network.names;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a limited container may ask other servers, and what it is told of their answers. Nothing but a name on its list
/// goes out: the question is written anew in lower case, without what the client has chosen beside. Addresses come back
/// alone, as the answer to the name that was asked for.
final class LimitedAnswer {
    private static final int MOST_ADDRESSES = 32;
    private static final int LONGEST_SECONDS = 3600;
    private static final int RECORD_FIXED = 10;
    private static final int TYPE_DNAME = 39;
    /// A, CNAME, MX, TXT, AAAA, SRV and NAPTR: hints of addresses in other types would be reached past the list.
    private static final Set<Integer> TYPES = Set.of(Wire.TYPE_A, Wire.TYPE_CNAME, 15, 16, Wire.TYPE_AAAA, 33, 35);

    private final Query query;
    private final boolean tcp;
    private final Admission admission;

    LimitedAnswer(Query query, boolean tcp, Admission admission) {
        this.query = query;
        this.tcp = tcp;
        this.admission = admission;
    }

    /// Returns the answer to a question that is asked of nobody else; empty if it may be.
    Optional<byte[]> refusal() {
        if (!admission.mayAsk(query.name())) {
            return Optional.of(Reply.empty(query, Wire.NAME_ERROR));
        }
        return TYPES.contains(query.type()) ? Optional.empty() : Optional.of(Reply.empty(query, Wire.NO_ERROR));
    }

    Query question() {
        return query.plain();
    }

    /// Returns what the container is told.
    ///
    /// @param reply to [#question], well formed
    byte[] of(byte[] reply) {
        int flags = Wire.u16(reply, 2);
        int code = flags & Wire.CODE;
        if ((flags & Wire.TRUNCATED) != 0) {
            return Reply.truncated(query, code);
        }
        if (code != Wire.NO_ERROR) {
            return Reply.empty(query, code);
        }
        return query.type() == Wire.TYPE_A || query.type() == Wire.TYPE_AAAA ? addresses(reply) : others(reply);
    }

    /// Gives what was asked for and the aliases that lead there, and nothing that stands beside it, which could be
    /// addresses that nobody judged.
    private byte[] others(byte[] reply) {
        int end = Wire.HEADER + query.question().length;
        try {
            int answers = Wire.u16(reply, 6);
            for (int i = 0; i < answers; i++) {
                int fixed = Wire.endOfCompressedName(reply, reply.length, end);
                int type = Wire.u16(reply, fixed);
                Wire.require(
                        type == query.type() || type == Wire.TYPE_CNAME || type == TYPE_DNAME,
                        "a record that was not asked for");
                end = fixed + RECORD_FIXED + Wire.u16(reply, fixed + 8);
                Wire.require(end <= reply.length, "a record that is cut off");
            }
        } catch (MalformedMessage e) {
            return Reply.empty(query, Wire.SERVER_FAILURE);
        }
        byte[] answer = Reply.given(query, reply, end);
        return !tcp && answer.length > query.limit() ? Reply.truncated(query, Wire.NO_ERROR) : answer;
    }

    private byte[] addresses(byte[] reply) {
        var found = new LinkedHashSet<InetAddress>();
        long seconds = LONGEST_SECONDS;
        try {
            int at = Wire.HEADER + query.question().length;
            int answers = Wire.u16(reply, 6);
            for (int i = 0; i < answers; i++) {
                int fixed = Wire.endOfCompressedName(reply, reply.length, at);
                int length = Wire.u16(reply, fixed + 8);
                seconds = Math.min(seconds, Wire.u32(reply, fixed + 4));
                if (Wire.u16(reply, fixed) == query.type()
                        && Wire.u16(reply, fixed + 2) == Wire.CLASS_IN
                        && length == (query.type() == Wire.TYPE_A ? 4 : 16)
                        && found.size() < MOST_ADDRESSES) {
                    var bytes = new byte[length];
                    System.arraycopy(reply, fixed + RECORD_FIXED, bytes, 0, length);
                    found.add(InetAddress.getByAddress(bytes));
                }
                at = fixed + RECORD_FIXED + length;
            }
        } catch (MalformedMessage | UnknownHostException e) {
            return Reply.empty(query, Wire.SERVER_FAILURE);
        }
        int lasting = (int) seconds;
        return admission
                .admit(query.name().orElseThrow(), List.copyOf(found), lasting)
                .map(told -> answer(told, lasting))
                .orElseGet(() -> Reply.empty(query, Wire.SERVER_FAILURE));
    }

    private byte[] answer(List<InetAddress> told, int seconds) {
        var records = new ArrayList<byte[]>();
        told.stream()
                .map(InetAddress::getAddress)
                .filter(bytes -> bytes.length == (query.type() == Wire.TYPE_A ? 4 : 16))
                .forEach(records::add);
        byte[] answer = Reply.answer(query, Wire.NO_ERROR, records, seconds, tcp ? Wire.LONGEST_TCP : query.limit());
        answer[2] &= (byte) ~(Wire.AUTHORITATIVE >> 8);
        return answer;
    }
}
