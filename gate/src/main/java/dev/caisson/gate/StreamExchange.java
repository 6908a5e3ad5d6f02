package dev.caisson.gate;

import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.HeaderField;
import dev.caisson.gate.http2.HeaderList;
import dev.caisson.gate.http2.Http2Error;
import dev.caisson.gate.http2.Http2Stream;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One request of HTTP/2 and its answer, each carried while it comes.
final class StreamExchange {
    private static final int PIECE = 16_384;
    private static final HeaderField HEAD = new HeaderField(":method", "HEAD");

    private final StreamExchanges connection;
    private final Gate gate;
    private final Http2Stream client;
    private boolean answered;
    private volatile @Nullable StreamError clientFailure;
    private volatile @Nullable Refusal refusal;

    StreamExchange(StreamExchanges connection, Gate gate, Http2Stream client) {
        this.connection = connection;
        this.gate = gate;
        this.client = client;
    }

    /// Carries it.
    void run(HeaderList list) throws IOException {
        try {
            carry(StreamHeads.request(list).checked(gate.host(), gate.port()));
        } catch (Refusal e) {
            connection.refused(e.sentence());
            if (answered) {
                client.reset(ErrorCode.INTERNAL_ERROR);
            } else {
                tell(e, list.fields().contains(HEAD));
            }
        } catch (StreamError e) {
            stop(e);
        } catch (IOException e) {
            stop(StreamError.of(Http2Error.ofStream(e).orElseThrow(() -> e)));
        }
    }

    private void stop(StreamError error) throws IOException {
        if (error.isNoted()) {
            connection.refused("the program sends " + error.reason());
        }
        client.reset(error.code());
    }

    private void carry(RequestHead request) throws IOException, Refusal {
        if (!connection.setting().origins().allows(gate)) {
            throw new Refusal(
                    Refusal.FORBIDDEN, "the container may not send to " + gate.target() + " any more: see --egress");
        }
        List<Credential> used = Rules.choose(connection.credentials(), request);
        Optional<Long> length = request.fields().contentLength();
        length.ifPresent(client::expect);
        boolean whole = client.isRemoteEnded();
        if (whole) {
            client.read(new byte[1]); // nothing, unless another length was said
            requireNoTrailers();
        }
        try (Http2Stream server = open(request, used, whole)) {
            client.whenFailed(cause -> giveUp(cause, server));
            if (!whole) {
                Thread.ofVirtual().name("caisson gate upload").start(() -> upload(server));
            }
            pass(answer(request, server), request, server);
        }
    }

    private Http2Stream open(RequestHead request, List<Credential> used, boolean whole) throws IOException, Refusal {
        try (var head = new HeadWriter.Block()) {
            Set<Credential> put = new WrittenRequest(request, gate, connection.credentials(), used).to(head);
            Http2Stream stream = connection.servers().usable().open(head.block(), whole);
            put.forEach(credential -> connection.setting().notes().used(credential.gate()));
            return stream;
        } catch (IOException e) {
            throw StreamError.of(Http2Error.ofStream(e).orElseThrow(this::unreachable));
        }
    }

    private Refusal unreachable() {
        return new Refusal(
                Refusal.BAD_GATEWAY, "the server of " + gate.host() + " could not be reached, or ended the connection");
    }

    private void requireNoTrailers() throws Refusal {
        if (client.trailers().isPresent()) {
            throw Refusal.ofTrailers();
        }
    }

    /// Carries the body of the request.
    private void upload(Http2Stream server) {
        byte[] piece = new byte[PIECE];
        try {
            for (int count = received(piece, server); count >= 0; count = received(piece, server)) {
                connection.moves();
                server.send(piece, count);
            }
            requireNoTrailers();
            server.end();
        } catch (Refusal e) {
            refusal = e;
            cancel(server);
        } catch (IOException e) {
            // the answer, or its absence, says why
        }
    }

    private int received(byte[] piece, Http2Stream server) throws IOException {
        try {
            return client.read(piece);
        } catch (IOException e) {
            giveUp(e, server);
            throw e;
        }
    }

    /// Ends the request on the way to the server, because the client takes no answer.
    private void giveUp(IOException cause, Http2Stream server) {
        clientFailure = Http2Error.ofStream(cause).map(StreamError::of).orElseGet(StreamError::gone);
        cancel(server);
    }

    private static void cancel(Http2Stream server) {
        try {
            server.reset(ErrorCode.CANCEL);
        } catch (IOException e) {
            // it has ended
        }
    }

    /// Returns the final answer; those before it are passed on.
    private AnswerHead answer(RequestHead request, Http2Stream server) throws IOException, Refusal {
        while (true) {
            HeaderList list;
            try {
                list = server.head();
            } catch (IOException e) {
                throw failed(e);
            }
            AnswerHead answer = StreamHeads.answer(list);
            if (!answer.isInterim()) {
                if (answer.hasBody(request.method())) {
                    answer.requirePlain();
                }
                return answer;
            }
            client.send(StreamHeads.block(answer, connection.setting().values()), false);
        }
    }

    private void pass(AnswerHead answer, RequestHead request, Http2Stream server) throws IOException, Refusal {
        Optional<Long> length =
                answer.hasBody(request.method()) ? answer.fields().contentLength() : Optional.of(0L);
        length.ifPresent(server::expect);
        boolean whole = server.isRemoteEnded() && server.trailers().isEmpty();
        if (whole) {
            read(new byte[1], server); // nothing, unless another length was said
        }
        connection.moves();
        answered = true;
        AnswerValues values = connection.setting().values();
        client.send(StreamHeads.block(answer, values), whole);
        if (whole) {
            return;
        }
        var mask = new Mask(values, (bytes, count) -> {
            connection.moves();
            client.send(bytes, count);
        });
        byte[] piece = new byte[PIECE];
        for (int count = read(piece, server); count >= 0; count = read(piece, server)) {
            mask.take(piece, count);
        }
        mask.finish();
        Optional<HeaderList> trailers = server.trailers();
        if (trailers.isPresent()) {
            client.send(StreamHeads.block(StreamHeads.trailers(trailers.get()), values), true);
        } else {
            client.end();
        }
    }

    private int read(byte[] piece, Http2Stream server) throws IOException, Refusal {
        try {
            return server.read(piece);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Says who has failed: the client in its body, the server with a code that goes on, or its connection.
    private IOException failed(IOException cause) throws Refusal {
        Refusal ofTrailers = refusal;
        if (ofTrailers != null) {
            throw ofTrailers;
        }
        StreamError ofClient = clientFailure;
        if (ofClient != null) {
            return ofClient;
        }
        Http2Error error = Http2Error.ofStream(cause).orElseThrow(this::unreachable);
        if (error.received()) {
            return StreamError.of(
                    error.code() == ErrorCode.NO_ERROR
                            ? new Http2Error(ErrorCode.INTERNAL_ERROR, false, true, "the server ends it early")
                            : error);
        }
        if (error.code() == ErrorCode.PROTOCOL_ERROR) {
            throw new Refusal(
                    Refusal.BAD_GATEWAY, "the server of " + gate.host() + " sends an answer that is malformed");
        }
        throw unreachable();
    }

    private void tell(Refusal refusal, boolean headAlone) throws IOException {
        byte[] text = ("caisson gate: " + refusal.sentence() + "\n").getBytes(StandardCharsets.UTF_8);
        HeaderBlock head = StreamHeads.block(refusal, text.length);
        client.send(head, headAlone);
        if (!headAlone) {
            client.send(text, text.length);
            client.end();
        }
    }
}
