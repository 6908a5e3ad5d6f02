package dev.caisson.image;

import dev.caisson.image.ScriptedRegistry.Request;
import dev.caisson.image.ScriptedRegistry.Script;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// A registry that keeps what is pushed, and gives it back.
final class MemoryRegistry {
    /// By `/v2/REPOSITORY@DIGEST`.
    final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    /// By the path of their request.
    final Map<String, byte[]> manifests = new ConcurrentHashMap<>();
    final Map<String, ByteArrayOutputStream> uploads = new ConcurrentHashMap<>();
    private final AtomicInteger counter = new AtomicInteger();

    Script script() {
        return this::answer;
    }

    void answer(Request request, OutputStream out) throws IOException {
        String path = request.path();
        if (path.contains("/manifests/")) {
            manifest(request, out);
        } else if (request.method().equals("POST")) {
            begin(request, out);
        } else if (path.contains("/uploads/")) {
            upload(request, out);
        } else {
            byte[] blob = blobs.get(path.replaceFirst("/blobs/", "@"));
            if (blob != null && request.method().equals("GET")) {
                ScriptedRegistry.ok(out, "application/octet-stream", blob);
            } else {
                ScriptedRegistry.plain(out, blob == null ? "404 Not Found" : "200 OK", "");
            }
        }
    }

    private void manifest(Request request, OutputStream out) throws IOException {
        if (request.method().equals("PUT")) {
            manifests.put(request.path(), request.content());
            ScriptedRegistry.plain(out, "201 Created", "");
            return;
        }
        byte[] stored = manifests.get(request.path());
        if (stored == null) {
            ScriptedRegistry.plain(out, "404 Not Found", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
        } else {
            String type = JsonObject.parse("it", stored).required("mediaType");
            ScriptedRegistry.ok(out, type, stored);
        }
    }

    private void begin(Request request, OutputStream out) throws IOException {
        String path = request.path();
        int mount = path.indexOf("?mount=");
        if (mount >= 0) {
            String digest = path.substring(mount + 7, path.indexOf('&'));
            String from = "/v2/" + path.substring(path.indexOf("from=") + 5) + "@" + digest;
            if (blobs.containsKey(from)) {
                blobs.put(path.substring(0, path.indexOf("/blobs/")) + "@" + digest, blobs.get(from));
                ScriptedRegistry.plain(out, "201 Created", "");
                return;
            }
        }
        String id = "u" + counter.incrementAndGet();
        uploads.put(id, new ByteArrayOutputStream());
        String location = path.replaceFirst("/uploads/.*", "/uploads/" + id + "?state=1");
        ScriptedRegistry.plain(out, "202 Accepted", "", "Location: " + location);
    }

    private void upload(Request request, OutputStream out) throws IOException {
        String path = request.path();
        String id = path.replaceFirst(".*/uploads/", "").replaceFirst("\\?.*", "");
        ByteArrayOutputStream upload = uploads.get(id);
        if (upload == null) {
            ScriptedRegistry.plain(out, "404 Not Found", "");
            return;
        }
        if (request.method().equals("DELETE")) {
            uploads.remove(id);
            ScriptedRegistry.plain(out, "204 No Content", "");
            return;
        }
        upload.write(request.content());
        if (request.method().equals("PUT")) {
            String digest = path.substring(path.indexOf("digest=") + 7);
            boolean isRight = Digest.of(upload.toByteArray()).toString().equals(digest);
            if (isRight) {
                blobs.put(path.substring(0, path.indexOf("/blobs/")) + "@" + digest, upload.toByteArray());
            }
            ScriptedRegistry.plain(
                    out,
                    isRight ? "201 Created" : "400 Bad Request",
                    isRight ? "" : "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}");
            return;
        }
        String range = "Range: 0-" + (upload.size() - 1);
        String location = "Location: " + path;
        ScriptedRegistry.plain(
                out, request.method().equals("GET") ? "204 No Content" : "202 Accepted", "", range, location);
    }
}
