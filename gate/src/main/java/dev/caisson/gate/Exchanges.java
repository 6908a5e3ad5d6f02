package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Requests of one connection and their answers, one after the other, each carried while it comes: a body up while the
/// answer comes down.
final class Exchanges implements AutoCloseable {
    private static final byte[] END = Input.bytes("0\r\n\r\n");
    private static final int MOST_INTERIM = 8; // as of HTTP/2

    private final Guest guest;
    private final Guest.Setting setting;
    private final List<Credential> credentials;
    private final Gate gate;
    private final Input in;
    private final OutputStream out;
    private @Nullable Server server;
    private boolean answered;

    /// @param credentials of one host
    /// @param server that was chosen by the greeting; null if none was
    Exchanges(
            Guest guest,
            Guest.Setting setting,
            List<Credential> credentials,
            Input in,
            OutputStream out,
            @Nullable Server server) {
        this.guest = guest;
        this.setting = setting;
        this.credentials = credentials;
        this.gate = credentials.getFirst().gate();
        this.in = in;
        this.out = out;
        this.server = server;
    }

    /// Carries the next one.
    ///
    /// @return false if the connection is to end
    /// @throws Refusal of which the container has been told
    boolean next() throws IOException, Refusal {
        answered = false;
        try {
            Optional<RequestHead> read = RequestHead.read(in);
            return read.isPresent() && carry(read.get().checked(gate.host(), gate.port()));
        } catch (Refusal e) {
            if (!answered) {
                tell(e);
            }
            throw e;
        }
    }

    private boolean carry(RequestHead request) throws IOException, Refusal {
        if (!setting.origins().allows(gate)) {
            throw new Refusal(
                    Refusal.FORBIDDEN, "the container may not send to " + gate.target() + " any more: see --egress");
        }
        List<Credential> used = Rules.choose(credentials, request);
        guest.awaits();
        Upload upload = null;
        try {
            Server to = begin(request, used);
            upload = Upload.begin(request, in, to, guest);
            AnswerHead answer = answer(request, to);
            if (answer.switches()) {
                converse(answer, request, to);
                return false;
            }
            boolean goesOn = !request.closes() && !answer.closes() && isFramed(answer, request);
            pass(answer, request, to, goesOn);
            to.used();
            return goesOn && upload.isDone();
        } catch (IOException e) {
            Optional<Refusal> refusal = upload == null ? Optional.empty() : upload.refusal();
            if (refusal.isPresent()) {
                throw refusal.get();
            }
            if (!answered) {
                throw new Refusal(
                        Refusal.BAD_GATEWAY,
                        "the server of " + gate.host() + " could not be reached, or ended the connection");
            }
            throw e;
        }
    }

    /// Sends the head. One that may be sent twice is, if the server has ended a connection that stood idle.
    private Server begin(RequestHead request, List<Credential> used) throws IOException, Refusal {
        Server known = server;
        if (known != null && !known.isOld()) {
            try {
                send(request, used, known);
                if (!request.isRepeatable() || known.in().await()) {
                    return known;
                }
            } catch (IOException e) {
                if (!request.isRepeatable()) {
                    throw e;
                }
            }
        }
        if (known != null) {
            known.close();
        }
        Server fresh = guest.connect(gate, Server.Attempt.standard(Server.HTTP_1));
        server = fresh;
        send(request, used, fresh);
        return fresh;
    }

    private void send(RequestHead request, List<Credential> used, Server to) throws IOException, Refusal {
        Set<Credential> put;
        try (var head = new HeadWriter.Lines()) {
            put = new WrittenRequest(request, gate, credentials, used).to(head);
            to.out().write(head.array(), 0, head.size());
            to.out().flush();
        }
        put.forEach(credential -> setting.notes().used(credential.gate()));
    }

    /// Returns the final answer; those before it are passed on.
    private AnswerHead answer(RequestHead request, Server from) throws IOException, Refusal {
        for (int interims = 0; ; interims++) {
            AnswerHead answer = AnswerHead.read(from.in());
            if (!answer.isInterim()) {
                if (answer.hasBody(request.method())) {
                    answer.requirePlain();
                }
                return answer;
            }
            if (interims == MOST_INTERIM) {
                throw new Refusal(
                        Refusal.BAD_GATEWAY,
                        "the server of " + gate.host() + " sends more than " + MOST_INTERIM
                                + " heads of 1xx before its answer: ask it for fewer");
            }
            write(answer, "");
        }
    }

    /// True if the end of the answer can be told without the end of the connection.
    private static boolean isFramed(AnswerHead answer, RequestHead request) throws Refusal {
        return !answer.hasBody(request.method())
                || answer.fields().isChunked()
                || answer.fields().contentLength().isPresent();
    }

    private void pass(AnswerHead answer, RequestHead request, Server from, boolean goesOn) throws IOException, Refusal {
        boolean body = answer.hasBody(request.method());
        boolean chunked = body && answer.fields().isChunked();
        answered = true;
        write(answer, (chunked ? "Transfer-Encoding: chunked\r\n" : "") + (goesOn ? "" : "Connection: close\r\n"));
        if (!body) {
            return;
        }
        var mask = new Mask(
                setting.values(),
                (bytes, count) -> write(chunked ? Upload.chunk(bytes, count) : bytes, chunked, count));
        try {
            if (chunked) {
                int _ = Body.chunked(from.in(), mask);
            } else if (answer.fields().contentLength().isPresent()) {
                Body.sized(from.in(), answer.fields().contentLength().get(), mask);
            } else {
                Body.rest(from.in(), mask);
            }
        } catch (Refusal e) {
            throw e.ofServer();
        }
        mask.finish();
        if (chunked) {
            out.write(END);
        }
        out.flush();
    }

    /// Carries both directions until one of them ends.
    private void converse(AnswerHead answer, RequestHead request, Server with) throws IOException, Refusal {
        WebSocket.requireAgreed(request, answer);
        answered = true;
        write(answer, "Connection: Upgrade\r\nUpgrade: " + WebSocket.NAME + "\r\n");
        Thread up = Thread.ofVirtual().name("caisson gate upload").start(() -> {
            try {
                WebSocket.up(in, (bytes, count) -> {
                    guest.moves();
                    with.out().write(bytes, 0, count);
                    with.out().flush();
                    guest.awaits();
                });
            } catch (IOException e) {
                // the other direction ends with it
            } finally {
                with.close();
            }
        });
        try {
            WebSocket.frames(with.in(), setting.values(), (bytes, count) -> write(bytes, false, count));
        } finally {
            with.close();
            guest.end();
            join(up);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(byte[] bytes, boolean all, int count) throws IOException {
        guest.moves();
        out.write(bytes, 0, all ? bytes.length : count);
        out.flush();
        guest.awaits();
    }

    /// @param framing further fields
    private void write(AnswerHead answer, String framing) throws IOException {
        var head = new ByteArrayOutputStream();
        head.writeBytes(Input.bytes("HTTP/1.1" + answer.line().substring("HTTP/1.1".length()) + "\r\n"));
        answer.fields()
                .lasting()
                .filter(one -> !one.is("alt-svc")) // which would lead past the gate
                .forEach(one -> head.writeBytes(Input.bytes(one.name() + ": " + one.value() + "\r\n")));
        head.writeBytes(Input.bytes(framing + "\r\n"));
        byte[] masked = Mask.whole(setting.values(), head.toByteArray());
        write(masked, true, masked.length);
    }

    private void tell(Refusal refusal) throws IOException {
        byte[] text = ("caisson gate: " + refusal.sentence() + "\n").getBytes(StandardCharsets.UTF_8);
        var answer = new ByteArrayOutputStream();
        answer.writeBytes(Input.bytes("HTTP/1.1 " + refusal.status() + " " + refusal.reason() + "\r\n"
                + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " + text.length
                + "\r\nConnection: close\r\n\r\n"));
        answer.writeBytes(text);
        guest.tells();
        answer.writeTo(out);
        out.flush();
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
    }
}
