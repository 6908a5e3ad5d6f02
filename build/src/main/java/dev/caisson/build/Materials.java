package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Images and downloads that a build was given from elsewhere, by their addresses and digests.
final class Materials {
    private final Map<String, String> digests = new TreeMap<>();
    private boolean downloaded;

    /// Adds an image, as a package URL.
    synchronized void add(ImageReference name, Platform platform, StoredImage image) {
        digests.put(address(name, platform), image.pulled().hex());
    }

    /// Returns the package URL of an image (purl-spec, type docker).
    static String address(ImageReference name, Platform platform) {
        String digest = name.digest()
                .map(value -> "digest=" + encoded(value.toString()) + "&")
                .orElse("");
        return "pkg:docker/" + name.shortRepository()
                + name.tag().map(tag -> "@" + tag).orElse("") + "?" + digest + "platform="
                + encoded(platform.toString());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /// Adds what an `ADD` has fetched.
    synchronized void add(Copy copy, List<Download.Fetched> fetched) {
        int next = 0;
        for (Source source : copy.sources()) {
            if (source instanceof Source.Address address) {
                digests.put(address.url(), fetched.get(next++).digest());
                downloaded = true;
            }
        }
    }

    synchronized boolean hasDownloads() {
        return downloaded;
    }

    /// Returns them in the order of their addresses.
    synchronized List<Object> fields() {
        return digests.entrySet().stream()
                .<Object>map(entry -> {
                    var fields = new LinkedHashMap<String, Object>();
                    fields.put("uri", entry.getKey());
                    fields.put("digest", Map.of("sha256", entry.getValue()));
                    return fields;
                })
                .toList();
    }
}
