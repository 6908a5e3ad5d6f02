package dev.caisson.gate;

import dev.caisson.gate.http2.HeaderBlock;
import java.util.Locale;

/// The head of a request that is written for one version of HTTP. Values that it was given are cleared with it.
sealed interface HeadWriter extends AutoCloseable {
    /// Begins the request; its target is added, and ended.
    void begin(String method, String authority);

    /// Begins a field; its value is added, and ended.
    void field(String name);

    void add(String text);

    /// Adds bytes that the caller clears.
    void add(byte[] bytes, int count);

    void end();

    default void field(String name, String value) {
        field(name);
        add(value);
        end();
    }

    /// Ends the head, with fields that the version needs.
    void finish(RequestHead request) throws Refusal;

    @Override
    void close();

    /// Lines of HTTP/1.1, RFC 9112 section 3.
    final class Lines implements HeadWriter {
        private final ClearedBytes bytes = new ClearedBytes();
        private String line = "";

        @Override
        public void begin(String method, String authority) {
            line = " HTTP/1.1\r\nHost: " + authority;
            add(method + " ");
        }

        @Override
        public void field(String name) {
            add(name + ": ");
        }

        @Override
        public void add(String text) {
            bytes.writeBytes(Input.bytes(text));
        }

        @Override
        public void add(byte[] more, int count) {
            bytes.write(more, 0, count);
        }

        @Override
        public void end() {
            add(line + "\r\n");
            line = "";
        }

        @Override
        public void finish(RequestHead request) throws Refusal {
            if (request.fields().isChunked()) {
                field("Transfer-Encoding", "chunked");
            }
            if (request.fields().has("upgrade")) {
                field("Connection", "Upgrade");
                field("Upgrade", WebSocket.NAME);
            }
            end();
        }

        byte[] array() {
            return bytes.array();
        }

        int size() {
            return bytes.size();
        }

        @Override
        public void close() {
            bytes.clear();
        }
    }

    /// A header block of HTTP/2, RFC 9113 section 8.3.1.
    final class Block implements HeadWriter {
        private final HeaderBlock block = new HeaderBlock();
        private final ClearedBytes value = new ClearedBytes();
        private String name = "";

        @Override
        public void begin(String method, String authority) {
            block.add(":method", method).add(":scheme", "https").add(":authority", authority);
            name = ":path";
        }

        @Override
        public void field(String field) {
            name = field.toLowerCase(Locale.ROOT);
        }

        @Override
        public void add(String text) {
            value.writeBytes(Input.bytes(text));
        }

        @Override
        public void add(byte[] bytes, int count) {
            value.write(bytes, 0, count);
        }

        @Override
        public void end() {
            block.add(name, value.array(), value.size());
            value.clear();
        }

        @Override
        public void finish(RequestHead request) {
            if (request.fields().has("te")) {
                field("te", "trailers");
            }
        }

        HeaderBlock block() {
            return block;
        }

        @Override
        public void close() {
            value.clear();
            block.clear();
        }
    }
}
