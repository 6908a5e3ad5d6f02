package dev.caisson.image.registry;

import dev.caisson.image.registry.Exchange.Call;
import dev.caisson.image.registry.Http.Answer;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Stores in one repository of a registry, by the OCI distribution specification 1.1: blobs, then a manifest that
/// names them. May be used by several threads.
///
/// A small blob is sent whole, a large one in parts: when the connection breaks, the registry is asked how much it
/// has, and the upload goes on from there.
public final class RegistryUpload {
    /// A blob that can be read from any byte on.
    @FunctionalInterface
    public interface Source {
        InputStream read(long from, long count);
    }

    /// Bytes of a part.
    ///
    /// @param largest so many at most where the registry asks for larger ones
    record PartSizes(long usual, long largest) {}

    private static final PartSizes SIZES = new PartSizes(32L << 20, 1L << 30);
    private static final int MOST_FRUITLESS = 4;
    /// The most requests for a small blob, broken ones with them; a larger one may have one more for each of its
    /// mebibytes, so that a registry that takes some bytes of each part cannot hold an upload for ever.
    private static final int MOST_PARTS = 32;
    private static final long BYTES_A_PART = 1 << 20;
    private static final Pattern RANGE = Pattern.compile("(?:bytes=)?0-(\\d{1,18})");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,12}");
    private static final Map<String, String> BYTES = Map.of("Content-Type", "application/octet-stream");

    private final Exchange exchange;
    private final String repository;
    private final List<String> scopes;
    private final PartSizes sizes;

    RegistryUpload(Exchange exchange, String repository) {
        this(exchange, repository, SIZES);
    }

    RegistryUpload(Exchange exchange, String repository, PartSizes sizes) {
        this.sizes = sizes;
        this.exchange = exchange;
        this.repository = repository;
        this.scopes = List.of("repository:" + repository + ":pull,push");
    }

    /// Returns true if the repository has a blob.
    /// @param digest with its algorithm
    public boolean has(String digest) {
        Answer answer = ask("HEAD", "/v2/" + repository + "/blobs/" + digest, Map.of(), Optional.empty());
        try {
            return switch (answer.status()) {
                case 200 -> true;
                case 404 -> false;
                default -> throw exchange.failure(answer, "take", digest + " into " + repository);
            };
        } finally {
            exchange.done(answer);
        }
    }

    /// Makes a blob of another repository of the registry one of this one, without sending it.
    /// @param from the other repository
    /// @return false if the registry does not do that
    public boolean mount(String digest, String from) {
        String path = "/v2/" + repository + "/blobs/uploads/?mount=" + digest + "&from=" + from;
        var both = List.of(scopes.getFirst(), "repository:" + from + ":pull");
        Answer answer;
        try {
            answer = exchange.ask(new Call("POST", path, Map.of(), Optional.empty(), both));
        } catch (RegistryException e) {
            if (e.reason() == Code.REGISTRY_UNAUTHORIZED) {
                return false; // the login does not reach the other one
            }
            throw e;
        }
        try {
            if (answer.status() == 202) {
                cancel(answer);
            }
            return answer.status() == 201;
        } finally {
            exchange.done(answer);
        }
    }

    /// It has begun an upload in place of the mount.
    private void cancel(Answer begun) {
        URI location = location(begun);
        exchange.done(ask("DELETE", location.toString(), Map.of(), Optional.empty()));
    }

    /// Sends a blob.
    ///
    /// @param digest with its algorithm
    /// @param progress gets how many bytes were sent; fewer than before if some have to be sent again
    /// @throws RegistryException in any of its codes
    public void blob(String digest, long size, Source source, LongConsumer progress) {
        int fruitless = 0;
        long furthest = 0;
        long most = MOST_PARTS + size / Math.min(sizes.usual(), BYTES_A_PART);
        Upload upload = begin();
        for (long parts = 0; ; parts++) {
            if (parts > most) {
                throw exchange.wrong("takes a blob in parts of a few bytes");
            }
            try {
                if (upload.done < size && size > upload.part) {
                    part(upload, size, source, progress);
                } else {
                    finish(upload, digest, size, source, progress);
                    return;
                }
            } catch (BrokenException e) {
                upload = resumed(upload, size);
                if (upload.done <= furthest && ++fruitless == MOST_FRUITLESS) {
                    throw e.cause;
                }
                exchange.pause(fruitless);
            }
            if (upload.done > furthest) {
                furthest = upload.done;
                fruitless = 0;
            }
        }
    }

    /// An upload that the registry has begun.
    private static final class Upload {
        private URI location;
        private long done;
        private final long part;

        Upload(URI location, long done, long part) {
            this.location = location;
            this.done = done;
            this.part = part;
        }
    }

    private Upload begin() {
        Answer answer = ask("POST", "/v2/" + repository + "/blobs/uploads/", Map.of(), Optional.empty());
        try {
            if (answer.status() != 202) {
                throw exchange.failure(answer, "take", "uploads into " + repository);
            }
            String least = answer.header("OCI-Chunk-Min-Length").orElse("");
            long wanted = NUMBER.matcher(least).matches() ? Long.parseLong(least) : 0;
            return new Upload(location(answer), 0, Math.clamp(wanted, sizes.usual(), sizes.largest()));
        } finally {
            exchange.done(answer);
        }
    }

    private URI location(Answer answer) {
        return exchange.next(
                answer.from(), answer.header("Location").orElseThrow(() -> exchange.wrong("begins no upload")));
    }

    private void part(Upload upload, long size, Source source, LongConsumer progress) throws BrokenException {
        long from = upload.done;
        long count = Math.min(upload.part, size - from);
        var headers =
                Map.of("Content-Type", "application/octet-stream", "Content-Range", from + "-" + (from + count - 1));
        Answer answer = send("PATCH", upload.location.toString(), headers, content(source, from, count, progress));
        try {
            if (answer.status() != 202 && answer.status() != 204) {
                throw broken(answer);
            }
            upload.location = location(answer);
            long taken = taken(answer).orElse(from + count);
            if (taken <= from || taken > from + count) {
                throw exchange.wrong("takes another part of a blob than it was given");
            }
            upload.done = taken;
        } finally {
            exchange.done(answer);
        }
    }

    private void finish(Upload upload, String digest, long size, Source source, LongConsumer progress)
            throws BrokenException {
        String address = upload.location.toString();
        String separator = upload.location.getRawQuery() == null ? "?" : "&";
        Optional<Http.Content> rest =
                size == upload.done ? Optional.empty() : content(source, upload.done, size - upload.done, progress);
        Answer answer = send("PUT", address + separator + "digest=" + digest, BYTES, rest);
        try {
            if (answer.status() != 201 && answer.status() != 204) {
                throw broken(answer);
            }
            progress.accept(size);
        } finally {
            exchange.done(answer);
        }
    }

    /// Asks how much there is, and begins anew if the registry does not know.
    private Upload resumed(Upload broken, long size) {
        Answer answer = ask("GET", broken.location.toString(), Map.of(), Optional.empty());
        try {
            long taken = taken(answer).orElse(0L);
            if (answer.status() == 204 && taken > 0 && taken <= size && size > broken.part) {
                Optional<String> next = answer.header("Location");
                return new Upload(next.isPresent() ? location(answer) : broken.location, taken, broken.part);
            }
        } finally {
            exchange.done(answer);
        }
        return begin();
    }

    /// The bytes that the registry has, from its `Range: 0-LAST`.
    private static Optional<Long> taken(Answer answer) {
        Matcher range = RANGE.matcher(answer.header("Range").orElse(""));
        return range.matches() ? Optional.of(Long.parseLong(range.group(1)) + 1) : Optional.empty();
    }

    /// Stores a manifest, whose blobs are there.
    /// @param reference a tag, or the manifest's digest
    public void manifest(String reference, String mediaType, byte[] content) {
        var sent = new Http.Content() {
            @Override
            public long size() {
                return content.length;
            }

            @Override
            public InputStream open() {
                return new ByteArrayInputStream(content);
            }
        };
        Answer answer = ask(
                "PUT",
                "/v2/" + repository + "/manifests/" + reference,
                Map.of("Content-Type", mediaType),
                Optional.of(sent));
        try {
            if (answer.status() != 201 && answer.status() != 200) {
                throw exchange.failure(answer, "take", "the manifest of " + repository + ":" + reference);
            }
        } finally {
            exchange.done(answer);
        }
    }

    // ---- one request

    private Answer ask(String method, String target, Map<String, String> headers, Optional<Http.Content> content) {
        return exchange.ask(new Call(method, target, headers, content, scopes));
    }

    /// @throws BrokenException if the connection breaks
    private Answer send(String method, String target, Map<String, String> headers, Optional<Http.Content> content)
            throws BrokenException {
        try {
            return ask(method, target, headers, content);
        } catch (RegistryException e) {
            if (e.reason() == Code.REGISTRY_UNREACHABLE
                    && !Thread.currentThread().isInterrupted()) {
                throw new BrokenException(e);
            }
            throw e;
        }
    }

    /// Makes an error of an answer: one after which it may be tried again, if that is of use.
    private BrokenException broken(Answer answer) {
        RegistryException failure = exchange.failure(answer, "take", "a part of a blob into " + repository);
        boolean mayPass = answer.status() == 404 || answer.status() == 416 || answer.status() >= 500;
        if (!mayPass) {
            throw failure;
        }
        return new BrokenException(failure);
    }

    private static Optional<Http.Content> content(Source source, long from, long count, LongConsumer progress) {
        return Optional.of(new Http.Content() {
            @Override
            public long size() {
                return count;
            }

            @Override
            public InputStream open() {
                return new Counted(source.read(from, count), from, progress);
            }
        });
    }

    /// Reports how much was read.
    static final class Counted extends FilterInputStream {
        private final LongConsumer progress;
        private long done;

        Counted(InputStream in, long done, LongConsumer progress) {
            super(in);
            this.done = done;
            this.progress = progress;
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count(b < 0 ? 0 : 1);
            return b;
        }

        @Override
        public int read(byte[] bytes, int at, int length) throws IOException {
            int count = in.read(bytes, at, length);
            count(Math.max(0, count));
            return count;
        }

        private void count(int count) {
            if (count > 0) {
                done += count;
                progress.accept(done);
            }
        }
    }

    /// A part that was not sent to its end, or that the registry could not keep.
    private static final class BrokenException extends Exception {
        private static final long serialVersionUID = 1L;
        private final RegistryException cause;

        BrokenException(RegistryException cause) {
            super(cause);
            this.cause = cause;
        }
    }
}
