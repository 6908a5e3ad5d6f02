package dev.caisson.gate;

import dev.caisson.gate.Fields.Field;
import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.HeaderField;
import dev.caisson.gate.http2.HeaderList;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Reads header blocks of HTTP/2 as heads, RFC 9113 section 8.2 and 8.3: what is malformed there does not become a head
/// of another version.
final class StreamHeads {
    private static final String METHOD = ":method";
    private static final String SCHEME = ":scheme";
    private static final String AUTHORITY = ":authority";
    private static final String PATH = ":path";
    private static final String STATUS = ":status";
    private static final Set<String> OF_REQUESTS = Set.of(METHOD, SCHEME, AUTHORITY, PATH);
    private static final Set<String> OF_CONNECTION =
            Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings");
    private static final HeaderField CONNECT = new HeaderField(METHOD, "CONNECT");
    private static final int SWITCHING = 101;

    private StreamHeads() {}

    /// Returns the head of a request.
    ///
    /// @throws StreamError PROTOCOL_ERROR if it is malformed
    /// @throws Refusal if it is too large, or of a kind that does not pass
    static RequestHead request(HeaderList list) throws StreamError, Refusal {
        if (list.tooLarge()) {
            throw Fields.tooLarge();
        }
        requireNoOtherProtocol(list);
        Map<String, String> pseudo = pseudo(list, OF_REQUESTS);
        if ("CONNECT".equals(pseudo.get(METHOD))) {
            throw new Refusal(Refusal.NOT_IMPLEMENTED, "the method CONNECT does not pass a gate: use another one");
        }
        if (!pseudo.keySet().equals(OF_REQUESTS)) {
            throw StreamError.malformed(
                    "a request without one of " + METHOD + ", " + SCHEME + ", " + AUTHORITY + " and " + PATH);
        }
        String authority = pseudo.getOrDefault(AUTHORITY, "");
        String method = pseudo.getOrDefault(METHOD, "");
        if (!"https".equals(pseudo.get(SCHEME)) || !Fields.isToken(method)) {
            throw StreamError.malformed("a request whose scheme is not https, or whose method is none");
        }
        var fields = new ArrayList<Field>();
        fields.add(new Field("host", authority));
        for (Field field : regular(list)) {
            if (field.is("host")) {
                if (!field.value().equalsIgnoreCase(authority)) {
                    throw StreamError.malformed("a request whose host is not its " + AUTHORITY);
                }
            } else if (!field.is("cookie")) {
                fields.add(field);
            }
        }
        String cookies = regular(list).stream()
                .filter(one -> one.is("cookie"))
                .map(Field::value)
                .collect(Collectors.joining("; ")); // RFC 9113 section 8.2.3
        if (!cookies.isEmpty()) {
            fields.add(new Field("cookie", cookies));
        }
        String path = pseudo.getOrDefault(PATH, "");
        if (!path.startsWith("/") && !path.equals("*")) {
            throw StreamError.malformed("a request whose " + PATH + " does not begin with a slash");
        }
        RequestHead.requireTarget(path);
        return new RequestHead(method, path, Fields.of(fields));
    }

    /// Refuses RFC 8441, which no gate offers, by its name.
    private static void requireNoOtherProtocol(HeaderList list) throws Refusal {
        if (list.fields().contains(CONNECT)
                && list.fields().stream().anyMatch(field -> field.name().equals(":protocol"))) {
            throw new Refusal(
                    Refusal.NOT_IMPLEMENTED,
                    "WebSocket over HTTP/2 does not pass a gate: begin it on a connection of HTTP/1.1");
        }
    }

    /// Returns the head of an answer.
    static AnswerHead answer(HeaderList list) throws Refusal {
        try {
            if (list.tooLarge()) {
                throw Fields.tooLarge();
            }
            String status = pseudo(list, Set.of(STATUS)).getOrDefault(STATUS, "");
            if (!status.matches("[1-9][0-9]{2}") || Integer.parseInt(status) == SWITCHING) {
                throw StreamError.malformed("an answer without a valid status");
            }
            var head = new AnswerHead(Integer.parseInt(status), "HTTP/2 " + status, Fields.of(regular(list)));
            head.fields().contentLength();
            return head;
        } catch (StreamError e) {
            throw new Refusal(Refusal.BAD_GATEWAY, "the server sends " + e.reason());
        } catch (Refusal e) {
            throw e.ofServer();
        }
    }

    /// Returns the fields behind a body.
    static Fields trailers(HeaderList list) throws Refusal {
        try {
            if (list.tooLarge()) {
                throw Fields.tooLarge();
            }
            pseudo(list, Set.of());
            return Fields.of(regular(list));
        } catch (StreamError e) {
            throw new Refusal(Refusal.BAD_GATEWAY, "the server sends " + e.reason());
        }
    }

    /// Returns the fields of HTTP/2 itself, which stand once each, before all others.
    private static Map<String, String> pseudo(HeaderList list, Set<String> allowed) throws StreamError {
        var pseudo = new HashMap<String, String>();
        boolean behind = false;
        for (HeaderField field : list.fields()) {
            if (!isPseudo(field)) {
                behind = true;
            } else if (behind
                    || !allowed.contains(field.name())
                    || pseudo.put(field.name(), checked(field.value())) != null) {
                throw StreamError.malformed(
                        "a field that begins with a colon twice, behind others, or of an unknown name");
            }
        }
        return pseudo;
    }

    private static boolean isPseudo(HeaderField field) {
        return field.name().startsWith(":");
    }

    private static List<Field> regular(HeaderList list) throws StreamError {
        var fields = new ArrayList<Field>();
        for (HeaderField field : list.fields()) {
            if (!isPseudo(field)) {
                String name = field.name();
                if (!Fields.isToken(name) || name.chars().anyMatch(one -> one >= 'A' && one <= 'Z')) {
                    throw StreamError.malformed("a field whose name is not valid, or has a capital letter");
                }
                if (OF_CONNECTION.contains(name)
                        || (name.equals("te") && !field.value().equalsIgnoreCase("trailers"))) {
                    throw StreamError.malformed("the field " + name + ", which HTTP/2 does not have");
                }
                fields.add(new Field(name, checked(field.value())));
            }
        }
        return fields;
    }

    private static String checked(String value) throws StreamError {
        boolean control = value.chars().anyMatch(one -> (one < ' ' && one != '\t') || one == 0x7f);
        if (control || !value.equals(Fields.trimmed(value))) {
            throw StreamError.malformed("a field whose value has a control character, or a blank at an end");
        }
        return value;
    }

    /// Returns the head of an answer as it goes to the container.
    static HeaderBlock block(AnswerHead answer, AnswerValues values) {
        HeaderBlock block = new HeaderBlock().add(STATUS, String.valueOf(answer.status()));
        add(block, answer.fields(), field -> !field.is("alt-svc"), values); // which would lead past the gate
        return block;
    }

    /// Returns what follows a body, as it goes to the container.
    static HeaderBlock block(Fields trailers, AnswerValues values) {
        var block = new HeaderBlock();
        add(block, trailers, _ -> true, values);
        return block;
    }

    private static void add(HeaderBlock block, Fields fields, Predicate<Field> which, AnswerValues values) {
        fields.lasting().filter(which).forEach(field -> {
            byte[] name = Mask.whole(values, Input.bytes(field.name()));
            byte[] value = Mask.whole(values, Input.bytes(field.value()));
            block.add(new String(name, StandardCharsets.ISO_8859_1), value, value.length);
        });
    }

    /// Returns an answer of the gate's own.
    static HeaderBlock block(Refusal refusal, int length) {
        return new HeaderBlock()
                .add(STATUS, String.valueOf(refusal.status()))
                .add("content-type", "text/plain; charset=utf-8")
                .add("content-length", String.valueOf(length));
    }
}
