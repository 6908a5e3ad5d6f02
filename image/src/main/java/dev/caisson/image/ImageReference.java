package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// The name of an image in a registry, as Docker reads it: `debian:13` is `docker.io/library/debian:13`.
///
/// @param registry host and port: `docker.io`, `127.0.0.1:5000`
/// @param repository path in the registry: `library/debian`
/// @param tag empty only with a digest
/// @param digest of the manifest or index
public record ImageReference(String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
    private static final String DOCKER_HUB = "docker.io";
    private static final String OFFICIAL = "library/";
    private static final String LATEST = "latest";
    private static final String LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    private static final Pattern REGISTRY =
            Pattern.compile("(?:" + LABEL + "(?:\\." + LABEL + ")*|\\[[0-9a-fA-F:]{2,45}])(?::\\d{1,5})?");
    private static final String PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
    private static final Pattern REPOSITORY = Pattern.compile(PART + "(?:/" + PART + ")*");
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    private static final int LONGEST = 255;

    public ImageReference {
        present(registry, "registry");
        present(repository, "repository");
        present(tag, "tag");
        present(digest, "digest");
        String shown = registry + "/" + repository;
        if (shown.length() > LONGEST
                || !REGISTRY.matcher(registry).matches()
                || !REPOSITORY.matcher(repository).matches()
                || (tag.isPresent() && !TAG.matcher(tag.get()).matches())
                || (tag.isEmpty() && digest.isEmpty())) {
            throw malformed(shown + tag.map(name -> ":" + name).orElse(""));
        }
    }

    /// Reads `[REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST]`; without tag and digest the tag is `latest`.
    /// @throws ImageException BAD_NAME
    public static ImageReference parse(String text) {
        int at = present(text, "text").indexOf('@');
        if (text.contains("://")) {
            throw new ImageException(
                    Code.BAD_NAME,
                    Quoted.of(text) + " is an address: write it without " + text.replaceFirst("://.*", "://"));
        }
        String named = at < 0 ? text : text.substring(0, at);
        Optional<Digest> digest = at < 0 ? Optional.empty() : Optional.of(digest(text, text.substring(at + 1)));
        int colon = named.lastIndexOf(':');
        Optional<String> tag = Optional.empty();
        if (colon > named.lastIndexOf('/')) {
            tag = Optional.of(named.substring(colon + 1));
            named = named.substring(0, colon);
        } else if (digest.isEmpty()) {
            tag = Optional.of(LATEST);
        }
        int slash = named.indexOf('/');
        String first = slash < 0 ? "" : named.substring(0, slash);
        if (!isRegistry(first)) {
            return of(text, DOCKER_HUB, slash < 0 ? OFFICIAL + named : named, tag, digest);
        }
        String rest = named.substring(slash + 1);
        if (first.equals("index.docker.io") || first.equals(DOCKER_HUB)) {
            return of(text, DOCKER_HUB, rest.indexOf('/') < 0 ? OFFICIAL + rest : rest, tag, digest);
        }
        return of(text, first, rest, tag, digest);
    }

    private static ImageReference of(
            String text, String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
        try {
            return new ImageReference(registry, repository, tag, digest);
        } catch (ImageException e) {
            throw malformed(text);
        }
    }

    /// @throws ImageException BAD_NAME if the text is not a host with or without a port
    static void requireRegistry(String text) {
        if (text.length() > LONGEST || !REGISTRY.matcher(text).matches()) {
            throw new ImageException(
                    Code.BAD_NAME, Quoted.of(text) + " is not a registry: write HOST or HOST:PORT, without https://");
        }
    }

    private static boolean isRegistry(String first) {
        return first.indexOf('.') >= 0
                || first.indexOf(':') >= 0
                || first.equals("localhost")
                || !first.equals(first.toLowerCase(Locale.ROOT));
    }

    private static Digest digest(String text, String digest) {
        if (!digest.startsWith("sha256:")) {
            throw malformed(text);
        }
        try {
            return new Digest(digest.substring("sha256:".length()));
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    Code.BAD_NAME,
                    Quoted.of(text) + " has a digest that is not whole: write @sha256: and its 64 digits, 0-9 and a-f");
        }
    }

    private static ImageException malformed(String text) {
        return new ImageException(
                Code.BAD_NAME,
                Quoted.of(text)
                        + " is not an image name: write [REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST] in lower case,"
                        + " or host, dir:PATH, oci:PATH[:REFERENCE] or docker-archive:FILE[:REFERENCE]");
    }

    /// Returns the name with its registry, without tag and digest: `docker.io/library/debian`.
    public String fullRepository() {
        return registry + "/" + repository;
    }

    /// Returns the name as people write it, without tag and digest: `debian`.
    public String shortRepository() {
        if (!registry.equals(DOCKER_HUB)) {
            return fullRepository();
        }
        return repository.startsWith(OFFICIAL) && repository.indexOf('/', OFFICIAL.length()) < 0
                ? repository.substring(OFFICIAL.length())
                : repository;
    }

    /// Returns the same name for one image, whatever its tag names later.
    public ImageReference at(Digest manifest) {
        return new ImageReference(registry, repository, tag, Optional.of(present(manifest, "manifest")));
    }

    /// The name as people write it: `debian:13`.
    @Override
    public String toString() {
        return shortRepository()
                + tag.map(name -> ":" + name).orElse("")
                + digest.map(value -> "@" + value).orElse("");
    }
}
