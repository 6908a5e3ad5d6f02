package dev.caisson.gate;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/// The head of an answer.
///
/// @param line its first line
record AnswerHead(int status, String line, Fields fields) {
    private static final int LONGEST_LINE = 8192;
    private static final int SWITCHING = 101;
    private static final int FIRST_FINAL = 200;
    /// Fields that say how a body, or messages within it, are encoded: the latter of gRPC and of Connect.
    private static final List<String> ENCODINGS =
            List.of("content-encoding", "grpc-encoding", "connect-content-encoding");

    private static final String PLAIN = "identity";
    /// What may be said of a server's answer: any other word of it could be the value.
    private static final Set<String> KNOWN =
            Set.of(PLAIN, "br", "compress", "deflate", "gzip", "snappy", "x-compress", "x-gzip", "zstd");

    /// @throws Refusal for what may be read in two ways
    static AnswerHead read(Input input) throws IOException, Refusal {
        String line = input.requiredLine(LONGEST_LINE);
        if (!line.matches("HTTP/1\\.[01] [1-9][0-9]{2}( [\\t -~\\x80-\\xff]*)?")) {
            throw new Refusal(Refusal.BAD_GATEWAY, "the server's answer does not begin as one of HTTP/1.1");
        }
        int status = Integer.parseInt(line.substring(9, 12));
        try {
            var head = new AnswerHead(status, line, Fields.read(input));
            head.fields.isChunked();
            head.fields.contentLength();
            return head;
        } catch (Refusal e) {
            throw e.ofServer();
        }
    }

    /// True if another one follows.
    boolean isInterim() {
        return status < FIRST_FINAL && !switches();
    }

    /// True if what follows is of another protocol.
    boolean switches() {
        return status == SWITCHING;
    }

    /// True if a body follows the head.
    boolean hasBody(String method) {
        return status >= FIRST_FINAL && status != 204 && status != 304 && !method.equals("HEAD");
    }

    /// Refuses a body in which the value of a secret could stand unseen.
    void requirePlain() throws Refusal {
        List<String> codings = ENCODINGS.stream()
                .flatMap(name -> fields.members(name).stream())
                .toList();
        if (codings.stream().anyMatch(coding -> !coding.equals(PLAIN))) {
            String named =
                    KNOWN.containsAll(codings) ? "the encoding '" + String.join(", ", codings) + "'" : "an encoding";
            throw new Refusal(
                    Refusal.BAD_GATEWAY,
                    "the server sends a body in " + named + ", which a gate cannot look into: ask for it elsewhere");
        }
    }

    boolean closes() {
        return line.startsWith("HTTP/1.0") || fields.members("connection").contains("close");
    }
}
