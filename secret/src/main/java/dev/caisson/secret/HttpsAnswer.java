package dev.caisson.secret;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/// The answer to one request over HTTPS, whose content is an array that is cleared by [#close]. The client of the JDK
/// has headers, and with them credentials, as texts that stay in the heap.
final class HttpsAnswer implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5_000;
    private static final int MOST_HEAD = 32 * 1024;
    private static final int MOST_BODY = 1024 * 1024;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([2-5][0-9]{2})(?: .*)?");
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,7}");
    private static final Pattern CHUNK = Pattern.compile("([0-9A-Fa-f]{1,6})[ \t]*(?:;.*)?");
    private static final int HEXADECIMAL = 16;

    /// Asks for the addresses of a name, as [InetAddress#getAllByName].
    interface Lookup {
        InetAddress[] addresses(String host) throws IOException;
    }

    private final int status;
    private final byte[] body;

    private HttpsAnswer(int status, byte[] body) {
        this.status = status;
        this.body = body;
    }

    int status() {
        return status;
    }

    byte[] body() {
        return body;
    }

    /// Sends a request to a server whose certificate is good for its name, and reads the answer.
    ///
    /// @param lookup asks for the addresses of the name, which are tried in turn
    /// @param request its head, which asks for the end of the connection; the caller clears it
    /// @param patience for all of it
    /// @throws IOException with a reason for people
    static HttpsAnswer to(Lookup lookup, String host, int port, byte[] request, SSLContext trust, Duration patience)
            throws IOException {
        long until = System.nanoTime() + patience.toNanos();
        List<InetAddress> addresses = addresses(lookup, host, patience);
        IOException last = new UnknownHostException();
        for (InetAddress address : addresses) {
            Duration left = Duration.ofNanos(until - System.nanoTime());
            if (left.isPositive()) {
                try {
                    return of(new InetSocketAddress(address, port), host, request, trust, left);
                } catch (ConnectException | SocketTimeoutException | NoRouteToHostException e) {
                    last = e; // another address may answer
                } catch (IOException e) {
                    throw System.nanoTime() - until >= 0 ? late(patience, e) : e;
                }
            }
        }
        throw System.nanoTime() - until >= 0 ? late(patience, last) : last;
    }

    private static IOException late(Duration patience, IOException cause) {
        return new IOException("it did not answer within " + patience.toSeconds() + " s", cause);
    }

    /// Asks for a name in a thread of its own, as nothing ends a look-up.
    private static List<InetAddress> addresses(Lookup lookup, String host, Duration patience) throws IOException {
        var found = new CompletableFuture<List<InetAddress>>();
        Thread.ofPlatform().daemon().name("caisson source lookup").start(() -> {
            try {
                found.complete(List.of(lookup.addresses(host)));
            } catch (IOException | RuntimeException e) {
                found.completeExceptionally(e);
            }
        });
        try {
            return found.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException("its name has no address", e);
        } catch (TimeoutException e) {
            throw new IOException("its name had no answer within " + patience.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while its name was looked up", e);
        }
    }

    private static HttpsAnswer of(
            InetSocketAddress address, String host, byte[] request, SSLContext trust, Duration patience)
            throws IOException {
        var plain = new Socket();
        Thread watch = Thread.ofVirtual().start(() -> closeAfter(patience, plain));
        byte[] all = new byte[MOST_HEAD + MOST_BODY];
        try (plain) {
            plain.connect(address, CONNECT_MILLIS);
            try (SSLSocket tls = greeted(plain, host, address.getPort(), trust)) {
                tls.getOutputStream().write(request);
                tls.getOutputStream().flush();
                return read(tls.getInputStream(), all);
            }
        } finally {
            watch.interrupt();
            Arrays.fill(all, (byte) 0);
        }
    }

    /// Ends whatever waits for the socket: a limit of each read is none of the whole.
    private static void closeAfter(Duration patience, Socket socket) {
        try {
            Thread.sleep(patience);
            socket.close();
        } catch (InterruptedException | IOException e) {
            // the answer is there, or the socket is gone all the same
        }
    }

    private static SSLSocket greeted(Socket plain, String host, int port, SSLContext trust) throws IOException {
        SSLSocket tls = (SSLSocket) trust.getSocketFactory().createSocket(plain, host, port, true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return tls;
    }

    private static HttpsAnswer read(InputStream in, byte[] all) throws IOException {
        int size = 0;
        Optional<Head> head = Optional.empty();
        while (true) {
            int count = in.read(all, size, all.length - size);
            boolean ended = count <= 0;
            size += Math.max(0, count);
            if (head.isEmpty()) {
                head = Head.of(all, size);
            }
            if (head.isPresent()) {
                Optional<byte[]> body = head.get().body(all, size, ended);
                if (body.isPresent()) {
                    return new HttpsAnswer(head.get().status(), body.get());
                }
            }
            if (size == all.length || (head.isEmpty() && size > MOST_HEAD)) {
                throw new IOException("its answer is larger than " + MOST_BODY + " bytes");
            }
            if (ended) {
                throw new IOException("its answer broke off");
            }
        }
    }

    /// What an answer says of its content.
    ///
    /// @param end where the content begins
    /// @param length -1 if it is not said
    private record Head(int status, int end, boolean chunked, int length) {
        private static final byte[] END = {'\r', '\n', '\r', '\n'};

        /// Returns nothing while a part is missing.
        static Optional<Head> of(byte[] all, int size) throws IOException {
            int end = 0;
            while (!isEnd(all, end)) {
                if (++end + END.length > Math.min(size, MOST_HEAD)) {
                    return Optional.empty();
                }
            }
            String[] lines = new String(all, 0, end, StandardCharsets.ISO_8859_1).split("\r\n", -1);
            Matcher first = STATUS.matcher(lines[0]);
            if (!first.matches()) {
                throw new IOException("its answer is not of HTTP/1.1");
            }
            boolean chunked = false;
            int length = -1;
            for (String line : Arrays.asList(lines).subList(1, lines.length)) {
                int colon = line.indexOf(':');
                String name = line.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT);
                String value = line.substring(colon + 1).strip();
                if (name.equals("transfer-encoding") && value.equalsIgnoreCase("chunked")) {
                    chunked = true;
                } else if (name.equals("content-length")
                        && length < 0
                        && LENGTH.matcher(value).matches()) {
                    length = Integer.parseInt(value);
                } else if (name.equals("transfer-encoding")
                        || name.equals("content-encoding")
                        || name.equals("content-length")) {
                    throw new IOException("its answer has a " + name + " that was not asked for");
                }
            }
            return Optional.of(new Head(Integer.parseInt(first.group(1)), end + END.length, chunked, length));
        }

        private static boolean isEnd(byte[] all, int at) {
            return Arrays.equals(all, at, at + END.length, END, 0, END.length);
        }

        /// Returns nothing while a part is missing.
        Optional<byte[]> body(byte[] all, int size, boolean ended) throws IOException {
            if (chunked) {
                return chunks(all, size);
            }
            if (length > MOST_BODY) {
                throw new IOException("its answer is larger than " + MOST_BODY + " bytes");
            }
            if (length >= 0) {
                return size - end >= length
                        ? Optional.of(Arrays.copyOfRange(all, end, end + length))
                        : Optional.empty();
            }
            return ended ? Optional.of(Arrays.copyOfRange(all, end, size)) : Optional.empty();
        }

        private Optional<byte[]> chunks(byte[] all, int size) throws IOException {
            byte[] joined = new byte[size - end];
            try {
                int count = 0;
                int at = end;
                while (true) {
                    int line = at;
                    while (line + 1 < size && !(all[line] == '\r' && all[line + 1] == '\n')) {
                        line++;
                    }
                    if (line + 1 >= size) {
                        return Optional.empty();
                    }
                    Matcher chunk = CHUNK.matcher(new String(all, at, line - at, StandardCharsets.ISO_8859_1));
                    if (!chunk.matches()) {
                        throw new IOException("its answer has a malformed chunk");
                    }
                    int length = Integer.parseInt(chunk.group(1), HEXADECIMAL);
                    if (length == 0) {
                        return Optional.of(Arrays.copyOf(joined, count));
                    }
                    int content = line + 2;
                    if (content + length + 2 > size) {
                        return Optional.empty();
                    }
                    if (all[content + length] != '\r' || all[content + length + 1] != '\n') {
                        throw new IOException("its answer has a malformed chunk");
                    }
                    System.arraycopy(all, content, joined, count, length);
                    count += length;
                    at = content + length + 2;
                }
            } finally {
                Arrays.fill(joined, (byte) 0);
            }
        }
    }

    @Override
    public void close() {
        Arrays.fill(body, (byte) 0);
    }
}
