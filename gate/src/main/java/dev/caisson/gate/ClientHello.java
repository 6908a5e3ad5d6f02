package dev.caisson.gate;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// The greeting of a TLS client, RFC 8446 section 4.1.2, as it was sent: in one record or many.
///
/// @param bytes all records of it
/// @param name of the server that the client wants, in lower case; empty if it says none
/// @param hidden true if it may want another one, whose name is encrypted (draft-ietf-tls-esni)
/// @param early true if data may come before the next greeting, RFC 8446 section 4.2.10
@SuppressWarnings("ArrayRecordComponent") // none is compared
record ClientHello(byte[] bytes, Optional<String> name, boolean hidden, boolean early) {
    /// Bytes of a greeting with its records, at most. Those of browsers have about 2,000.
    static final int MOST_BYTES = 1 << 16;

    static final int HANDSHAKE = 22;
    static final int CLIENT_HELLO = 1;
    static final int RECORD_HEAD = 5;

    /// Bytes in a record, at most: those of the longest with what encryption adds, RFC 5246 section 6.2.3.
    private static final int MOST_IN_RECORD = (1 << 14) + 2048;

    /// The first of the three bytes of a length, at most: no server takes a greeting of 2^18 bytes.
    private static final int MOST_IN_LENGTH = 3;
    private static final int MESSAGE_HEAD = 4;
    private static final int VERSION_AND_RANDOM = 34;
    private static final int SERVER_NAME = 0;
    private static final int EARLY_DATA = 42;
    private static final int ENCRYPTED_HELLO = 0xfe0d;
    private static final int ENCRYPTED_NAME = 0xffce;
    private static final Pattern NAME = Pattern.compile("(?!.{254})[A-Za-z0-9_-]{1,63}(?:\\.[A-Za-z0-9_-]{1,63})*");

    /// A record that holds a part of a handshake.
    ///
    /// @param head of five bytes
    @SuppressWarnings("ArrayRecordComponent") // none is compared
    record Piece(byte[] head, byte[] content) {
        int type() {
            return head[0] & 0xff;
        }

        byte[] bytes() {
            byte[] bytes = Arrays.copyOf(head, head.length + content.length);
            System.arraycopy(content, 0, bytes, head.length, content.length);
            return bytes;
        }

        /// True if a greeting may begin with it. An encrypted handshake may have the same first byte, but
        /// seldom a possible length.
        boolean mayGreet() {
            return type() == HANDSHAKE
                    && content.length > 0
                    && content[0] == CLIENT_HELLO
                    && (content.length == 1 || (content[1] & 0xff) <= MOST_IN_LENGTH);
        }
    }

    /// Reads one from the beginning of a connection.
    /// @throws Refused if something else is sent, or one that is too long
    static ClientHello read(InputStream in) throws IOException {
        return read(piece(in), in);
    }

    /// Reads one that begins with a record.
    static ClientHello read(Piece first, InputStream in) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var message = new ByteArrayOutputStream();
        Piece piece = first;
        int wanted = 0;
        while (true) {
            if (piece.type() != HANDSHAKE || piece.content().length == 0) {
                throw new Refused("", "it does not begin with a greeting of TLS");
            }
            bytes.writeBytes(piece.bytes());
            message.writeBytes(piece.content());
            if (bytes.size() > MOST_BYTES) {
                throw new Refused("", "its greeting is too long");
            }
            if (wanted == 0) {
                wanted = length(message.toByteArray());
            }
            if (message.size() >= wanted && wanted > 0) {
                if (message.size() > wanted) {
                    throw new Refused("", "more is in the record of its greeting");
                }
                return parsed(bytes.toByteArray(), message.toByteArray());
            }
            piece = piece(in);
        }
    }

    /// Returns how many bytes the message has with its head; 0 if that is not there yet.
    private static int length(byte[] message) throws Refused {
        if (message.length > 0 && message[0] != CLIENT_HELLO) {
            throw new Refused("", "it does not begin with a greeting of TLS");
        }
        if (message.length < MESSAGE_HEAD) {
            return 0;
        }
        int length = ((message[1] & 0xff) << 16) | ((message[2] & 0xff) << 8) | (message[3] & 0xff);
        if (length > MOST_BYTES) {
            throw new Refused("", "its greeting is too long");
        }
        return MESSAGE_HEAD + length;
    }

    /// Reads a record.
    static Piece piece(InputStream in) throws IOException {
        byte[] head = in.readNBytes(RECORD_HEAD);
        if (head.length < RECORD_HEAD) {
            throw new EOFException();
        }
        int length = ((head[3] & 0xff) << 8) | (head[4] & 0xff);
        if (head[1] != 3 || length > MOST_IN_RECORD) {
            throw new Refused("", "it does not begin with a greeting of TLS");
        }
        byte[] content = in.readNBytes(length);
        if (content.length < length) {
            throw new EOFException();
        }
        return new Piece(head, content);
    }

    private static ClientHello parsed(byte[] bytes, byte[] message) throws Refused {
        var in = new Parts(message, MESSAGE_HEAD, message.length);
        in.skip(VERSION_AND_RANDOM);
        in.skip(in.number(1)); // session
        in.skip(in.number(2)); // cipher suites
        in.skip(in.number(1)); // compression
        Optional<String> name = Optional.empty();
        boolean hidden = false;
        boolean early = false;
        boolean named = false;
        if (in.left() > 0) {
            Parts extensions = in.part(in.number(2));
            while (extensions.left() > 0) {
                int type = extensions.number(2);
                Parts content = extensions.part(extensions.number(2));
                hidden |= type == ENCRYPTED_HELLO || type == ENCRYPTED_NAME;
                early |= type == EARLY_DATA;
                if (type == SERVER_NAME) {
                    if (named) {
                        throw new Refused("", "its greeting has two names");
                    }
                    named = true;
                    name = Optional.of(name(content));
                }
            }
        }
        if (in.left() > 0) {
            throw new Refused("", "its greeting has a wrong length");
        }
        return new ClientHello(bytes, name, hidden, early);
    }

    /// Reads the list of names, of which there is one kind and so one at most, RFC 6066 section 3.
    private static String name(Parts content) throws Refused {
        Parts list = content.part(content.number(2));
        int kind = list.number(1);
        String name = list.text(list.number(2));
        if (kind != 0
                || list.left() > 0
                || content.left() > 0
                || !NAME.matcher(name).matches()) {
            throw new Refused("", "the name in its greeting is none");
        }
        return name.toLowerCase(Locale.ROOT);
    }

    /// Bytes that are read once, from the front.
    private static final class Parts {
        private final byte[] bytes;
        private final int end;
        private int at;

        Parts(byte[] bytes, int at, int end) {
            this.bytes = bytes;
            this.at = at;
            this.end = end;
        }

        int left() {
            return end - at;
        }

        int skip(int count) throws Refused {
            if (count > left()) {
                throw new Refused("", "its greeting has a wrong length");
            }
            int before = at;
            at += count;
            return before;
        }

        int number(int count) throws Refused {
            int from = skip(count);
            int number = 0;
            for (int i = from; i < at; i++) {
                number = (number << 8) | (bytes[i] & 0xff);
            }
            return number;
        }

        Parts part(int count) throws Refused {
            int from = skip(count);
            return new Parts(bytes, from, at);
        }

        String text(int count) throws Refused {
            return new String(bytes, skip(count), count, StandardCharsets.ISO_8859_1);
        }
    }
}
