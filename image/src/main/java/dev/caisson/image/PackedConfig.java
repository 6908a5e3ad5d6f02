package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An image's configuration: how it wants to be run, and what its layers are when uncompressed.
///
/// @param diffIds lowest layer first; at least one
/// @param healthCheck the words of `Healthcheck.Test`, which Docker writes beside what OCI knows
/// @param created empty if it says nothing of it that can be understood
record PackedConfig(ImageConfig config, List<Digest> diffIds, List<String> healthCheck, Optional<Instant> created) {
    private static final String WHAT = "the configuration";

    PackedConfig {
        diffIds = List.copyOf(diffIds);
        healthCheck = List.copyOf(healthCheck);
    }

    static PackedConfig parse(byte[] json) {
        JsonObject document = JsonObject.parse(WHAT, json);
        if (document.has("layers") || document.has("manifests")) {
            throw bad("is a manifest too");
        }
        var platform = new Platform(
                document.string("os").orElse(""),
                document.string("architecture").orElse(""),
                document.string("variant").orElse(""));
        if (!platform.os().equals("linux")) {
            throw new ImageException(
                    Code.PLATFORM_MISSING,
                    "the image is for " + Quoted.of(platform.toString()) + " and this host is " + Platform.running()
                            + "; fetch it for this platform");
        }
        JsonObject rootfs = document.object("rootfs").orElseThrow(() -> bad("has no rootfs"));
        List<Digest> diffIds =
                rootfs.strings("diff_ids").stream().map(Descriptor::digest).toList();
        if (diffIds.size() > ManifestDocument.MOST_LAYERS) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the image has more than " + ManifestDocument.MOST_LAYERS + " layers; build it with fewer");
        }
        if (diffIds.isEmpty()) {
            throw bad("has no layers, so there is nothing to run");
        }
        JsonObject run = document.object("config").orElseGet(() -> JsonObject.parse(WHAT, new byte[] {'{', '}'}));
        ImageConfig config = config(run, platform);
        return new PackedConfig(
                config, diffIds, config.health().map(ImageHealth::test).orElse(List.of()), created(document));
    }

    private static Optional<Instant> created(JsonObject document) {
        try {
            return document.string("created").map(Instant::parse);
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /// @param count of the layers that the manifest lists
    /// @throws ImageException BAD_MANIFEST if it names more or fewer
    void requireLayers(int count) {
        if (count != diffIds.size()) {
            throw new ImageException(
                    Code.BAD_MANIFEST,
                    "the image has " + count + " layers and its configuration names " + diffIds.size()
                            + "; build it again");
        }
    }

    private static ImageConfig config(JsonObject run, Platform platform) {
        return new ImageConfig(
                words(run, "Entrypoint"),
                words(run, "Cmd"),
                environment(run),
                text(run, "User"),
                workingDir(text(run, "WorkingDir")),
                run.keys("ExposedPorts"),
                run.keys("Volumes"),
                run.stringMap("Labels"),
                Optional.of(text(run, "StopSignal")).filter(signal -> !signal.isEmpty()),
                run.object("Healthcheck").map(check -> health(check, words(run, "Shell"))),
                platform);
    }

    /// @param shell that runs a line of a check (`SHELL` of a Dockerfile); empty for the usual one
    private static ImageHealth health(JsonObject check, List<String> shell) {
        return new ImageHealth(
                test(words(check, "Test"), shell),
                nanos(check, "Interval"),
                nanos(check, "Timeout"),
                nanos(check, "StartPeriod"),
                nanos(check, "StartInterval"),
                (int) Math.min(natural(check, "Retries"), Integer.MAX_VALUE));
    }

    private static List<String> test(List<String> words, List<String> shell) {
        if (shell.isEmpty() || words.size() != 2 || !words.getFirst().equals("CMD-SHELL")) {
            return words;
        }
        var test = new ArrayList<String>();
        test.add("CMD");
        test.addAll(shell);
        test.add(words.getLast());
        return test;
    }

    private static Duration nanos(JsonObject check, String key) {
        return Duration.ofNanos(natural(check, key));
    }

    private static long natural(JsonObject check, String key) {
        long number = check.number(key).orElse(0L);
        if (number < 0) {
            throw bad("has a health check with a negative " + key);
        }
        return number;
    }

    private static List<String> words(JsonObject run, String key) {
        List<String> words = run.strings(key);
        words.forEach(word -> refuseNul(key, word));
        return words;
    }

    private static String text(JsonObject run, String key) {
        String text = run.string(key).orElse("");
        refuseNul(key, text);
        return text;
    }

    private static Map<String, String> environment(JsonObject run) {
        var environment = new LinkedHashMap<String, String>();
        for (String variable : words(run, "Env")) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                throw bad("has the environment variable " + Quoted.of(variable) + " without a name or value");
            }
            environment.put(variable.substring(0, equals), variable.substring(equals + 1));
        }
        environment.putIfAbsent("PATH", ImageConfig.DEFAULT_PATH);
        return environment;
    }

    private static String workingDir(String path) {
        return path.startsWith("/") ? path : "/" + path;
    }

    /// The kernel would see a shorter text than whoever checked it.
    private static void refuseNul(String key, String text) {
        if (text.indexOf('\0') >= 0) {
            throw bad("has a NUL character in " + key);
        }
    }

    private static ImageException bad(String fault) {
        return new ImageException(Code.BAD_MANIFEST, WHAT + " of the image " + fault + "; build the image again");
    }
}
