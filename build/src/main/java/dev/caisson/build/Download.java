package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// Fetches what an `ADD` names by its address: by https, and by plain http from this machine alone.
final class Download {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /// Within which a server has to send something: who trickles holds no build for ever.
    private static final Duration WINDOW = Duration.ofMinutes(1);

    private static final long LEAST_BYTES = 10_000;
    private static final long MOST_BYTES = 16L << 30;
    private static final int MOST_REDIRECTS = 10;
    private static final int BUFFER = 1 << 16;
    private static final int OK = 200;

    /// A file that was fetched.
    ///
    /// @param name the last part of the address
    /// @param digest of its content, hexadecimal
    /// @param modified as the server says; the epoch if it does not
    record Fetched(String name, Path file, long size, String digest, Instant modified) {}

    private final Workplace workplace;
    private final Duration window;

    Download(Workplace workplace) {
        this(workplace, WINDOW);
    }

    Download(Workplace workplace, Duration window) {
        this.workplace = workplace;
        this.window = window;
    }

    /// @throws BuildException BUILD_ADD_ADDRESS, BUILD_ADD_CHECKSUM
    List<Fetched> all(Copy copy) throws InterruptedException {
        var fetched = new ArrayList<Fetched>();
        for (Source source : copy.sources()) {
            if (source instanceof Source.Address address) {
                Fetched file = fetch(address, copy.target().endsWith("/"));
                requireSum(address, file, copy.checksum());
                fetched.add(file);
            }
        }
        return fetched;
    }

    private static void requireSum(Source.Address address, Fetched file, Optional<String> checksum) {
        checksum.filter(sum -> !sum.equals("sha256:" + file.digest())).ifPresent(sum -> {
            throw new BuildException(
                    "BUILD_ADD_CHECKSUM",
                    address.place(),
                    "what the address gave has the digest sha256:" + file.digest() + ", not " + sum
                            + ": find out which of the two is right");
        });
    }

    private Fetched fetch(Source.Address address, boolean needsName) throws InterruptedException {
        URI first = checked(address, address.url());
        String path = first.getPath() == null ? "" : first.getPath();
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (name.isEmpty() && needsName) {
            throw bad(address, "has no name of a file at its end: give the destination one, without / at the end");
        }
        // redirects are followed here, so that each address is looked at before it is asked
        try (HttpClient client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(PATIENCE)
                .build()) {
            URI next = first;
            for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
                HttpRequest request =
                        HttpRequest.newBuilder(next).timeout(window).GET().build();
                HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
                try (InputStream body = response.body()) {
                    Optional<String> location = response.headers().firstValue("location");
                    int status = response.statusCode();
                    if (status / 100 == 3 && location.isPresent()) {
                        next = checked(
                                address,
                                next.resolve(URI.create(location.get())).toString());
                    } else if (status == OK) {
                        return save(address, name.isEmpty() ? "index" : name, body, modified(response));
                    } else {
                        throw bad(address, "is answered with the status " + status + ": correct the address");
                    }
                }
            }
            throw bad(address, "leads on more than " + MOST_REDIRECTS + " times: correct the address");
        } catch (IOException | IllegalArgumentException e) {
            throw new BuildException(
                    "BUILD_ADD_ADDRESS",
                    address.place(),
                    "an address cannot be fetched (" + e.getMessage() + "): correct it, or try again",
                    e);
        }
    }

    private static URI checked(Source.Address address, String text) {
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException e) {
            throw bad(address, "is none: write https://HOST/PATH");
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (uri.getHost() == null || uri.getUserInfo() != null) {
            throw bad(address, "has no host, or a name and password, which would be kept in the image: leave them out");
        }
        if (scheme.equals("https") || (scheme.equals("http") && isLoopback(uri.getHost()))) {
            return uri;
        }
        throw bad(address, "is, or leads to, one that is not of https: anybody on the way could change what it gives");
    }

    private static boolean isLoopback(String host) {
        if (!host.equals("localhost") && !host.matches("127\\.[0-9.]+|\\[::1]")) {
            return false;
        }
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static Instant modified(HttpResponse<?> response) {
        try {
            return response.headers()
                    .firstValue("last-modified")
                    .map(text -> ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                            .toInstant())
                    .orElse(Instant.EPOCH);
        } catch (DateTimeException e) {
            return Instant.EPOCH;
        }
    }

    private Fetched save(Source.Address address, String name, InputStream body, Instant modified) throws IOException {
        Path file = workplace.fresh();
        MessageDigest digest = ContentHash.algorithm();
        var received = new AtomicLong();
        var stalled = new AtomicBoolean();
        long size = 0;
        try (OutputStream out = Files.newOutputStream(file);
                Watch _ = watch(body, received, stalled)) {
            var buffer = new byte[BUFFER];
            for (int count = body.read(buffer); count > 0; count = body.read(buffer)) {
                size += count;
                received.addAndGet(count);
                if (size > MOST_BYTES) {
                    throw bad(address, "gives more than " + MOST_BYTES + " bytes: fetch it yourself");
                }
                digest.update(buffer, 0, count);
                out.write(buffer, 0, count);
            }
        } catch (IOException e) {
            if (!stalled.get()) {
                throw e;
            }
        }
        if (stalled.get()) { // a body that was closed may look like one that has ended
            throw stalled(address);
        }
        return new Fetched(name, file, size, HexFormat.of().formatHex(digest.digest()), modified);
    }

    private BuildException stalled(Source.Address address) {
        return bad(address, "has sent next to nothing for " + window.toSeconds() + " seconds: try again later");
    }

    /// Closes the body, which ends the read that waits, when next to nothing has come for a while.
    private Watch watch(InputStream body, AtomicLong received, AtomicBoolean stalled) {
        Thread watching = Thread.ofVirtual().name("caisson download").start(() -> {
            try {
                do {
                    Thread.sleep(window);
                } while (received.getAndSet(0) >= LEAST_BYTES);
                stalled.set(true);
                body.close();
            } catch (InterruptedException | IOException e) {
                // it has ended
            }
        });
        return watching::interrupt;
    }

    private interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    private static BuildException bad(Source.Address address, String what) {
        return new BuildException("BUILD_ADD_ADDRESS", address.place(), "the address of an ADD " + what);
    }
}
