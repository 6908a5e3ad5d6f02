package dev.caisson.gate;

import java.io.EOFException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;

/// The change of a connection to WebSocket, RFC 6455, and the frames that the server sends then. There are no
/// extensions, because a value cannot be seen in what is compressed.
final class WebSocket {
    static final String NAME = "websocket";
    static final String EXTENSIONS = "sec-websocket-extensions";

    private static final String KEY = "sec-websocket-key";
    private static final String VERSION = "sec-websocket-version";
    private static final String ACCEPT = "sec-websocket-accept";
    private static final String ADDED = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;

    private static final int RESERVED = 0x70;
    private static final int OPCODE = 0x0f;
    private static final int CONTROL = 0x08;
    private static final int MASKED = 0x80;
    private static final int SHORT = 126;
    private static final int LONG = 127;
    private static final int PIECE = 16_384;

    private WebSocket() {}

    /// @throws Refusal for a change to another protocol, or one that a server could read in two ways
    static void requireGreeting(RequestHead request) throws Refusal {
        Fields fields = request.fields();
        if (!fields.members("upgrade").equals(List.of(NAME))) {
            throw new Refusal(
                    Refusal.NOT_IMPLEMENTED,
                    "a change to another protocol than WebSocket does not pass a gate: use requests of HTTP/1.1");
        }
        if (!request.method().equals("GET")
                || request.hasBody()
                || !fields.members("connection").contains("upgrade")
                || fields.values(VERSION).size() != 1
                || !fields.values(VERSION).getFirst().equals("13")
                || fields.values(KEY).size() != 1
                || !isKey(fields.values(KEY).getFirst())) {
            throw Refusal.malformed(
                    "the request does not begin WebSocket as RFC 6455 has it: send GET without a body, Connection:"
                            + " Upgrade, and one key with version 13");
        }
    }

    private static boolean isKey(String text) {
        try {
            return Base64.getDecoder().decode(text).length == KEY_BYTES;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// @throws Refusal if the server has not agreed to what the request asked for
    static void requireAgreed(RequestHead request, AnswerHead answer) throws Refusal {
        Fields fields = answer.fields();
        if (!request.fields().has("upgrade")
                || !fields.members("upgrade").equals(List.of(NAME))
                || !fields.values(ACCEPT)
                        .equals(List.of(accept(request.fields().values(KEY).getFirst())))
                || fields.has(EXTENSIONS)) {
            throw new Refusal(
                    Refusal.BAD_GATEWAY,
                    "the server changes to a protocol that the request did not ask for, which does not pass a gate");
        }
    }

    /// Returns the proof that a server has read a key.
    static String accept(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(Input.bytes(key + ADDED));
            return Base64.getEncoder().encodeToString(digest);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no SHA-1", e);
        }
    }

    /// Carries frames of the server until its connection ends, with stars in place of values. Lengths stay, and nothing
    /// waits for the next frame; a value that a server spreads over several is not found.
    ///
    /// @throws Refusal for a frame that cannot be looked into
    static void frames(Input from, AnswerValues values, Body.Sink to) throws IOException, Refusal {
        while (from.await()) {
            byte[] head = {next(from), next(from)};
            long length = head[1] & ~MASKED & 0xff;
            boolean control = (head[0] & CONTROL) != 0;
            if ((head[0] & RESERVED) != 0
                    || (head[1] & MASKED) != 0
                    || (control && length >= SHORT)
                    || !isKnown(head[0] & OPCODE)) {
                throw new Refusal(
                        Refusal.BAD_GATEWAY,
                        "the server sends a frame of WebSocket that a gate cannot look into: the connection ends");
            }
            to.take(head, head.length);
            length = length == SHORT
                    ? number(from, Short.BYTES, to)
                    : length == LONG ? number(from, Long.BYTES, to) : length;
            if (length < 0) {
                throw new Refusal(Refusal.BAD_GATEWAY, "the server sends a frame of WebSocket with a negative length");
            }
            var mask = new Mask(values, to);
            Body.sized(from, length, mask);
            mask.finish();
        }
    }

    private static boolean isKnown(int opcode) {
        return opcode <= 2 || (opcode >= CONTROL && opcode <= 10);
    }

    private static long number(Input from, int bytes, Body.Sink to) throws IOException {
        byte[] read = new byte[bytes];
        long number = 0;
        for (int i = 0; i < bytes; i++) {
            read[i] = next(from);
            number = (number << Byte.SIZE) | (read[i] & 0xff);
        }
        to.take(read, bytes);
        return number;
    }

    private static byte next(Input from) throws IOException {
        byte[] one = new byte[1];
        if (from.read(one, 1) < 1) {
            throw new EOFException("the connection ended within a frame");
        }
        return one[0];
    }

    /// Carries what the program sends until its connection ends.
    static void up(Input from, Body.Sink to) throws IOException {
        byte[] piece = new byte[PIECE];
        for (int count = from.read(piece, PIECE); count > 0; count = from.read(piece, PIECE)) {
            to.take(piece, count);
        }
    }
}
