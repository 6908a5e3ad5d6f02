package dev.caisson.containerfile;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of an image as people write it, taken apart as the distribution project's `reference` package does.
/// @param registry the host, with its port; `docker.io` where none is written
/// @param repository the path, with `library/` before a bare name of Docker Hub
public record ImageReference(String registry, String repository, Optional<String> tag, Optional<String> digest) {
    private static final Pattern DIGEST =
            Pattern.compile("[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}");
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final Pattern PATH =
            Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");

    /// Parses a reference; empty where it is none.
    public static Optional<ImageReference> parse(String text) {
        String name = text;
        Optional<String> digest = Optional.empty();
        int at = name.indexOf('@');
        if (at >= 0) {
            digest = Optional.of(name.substring(at + 1));
            name = name.substring(0, at);
            if (!DIGEST.matcher(digest.get()).matches()) {
                return Optional.empty();
            }
        }
        Optional<String> tag = Optional.empty();
        int colon = name.lastIndexOf(':');
        if (colon > name.lastIndexOf('/')) {
            tag = Optional.of(name.substring(colon + 1));
            name = name.substring(0, colon);
            if (!TAG.matcher(tag.get()).matches()) {
                return Optional.empty();
            }
        }
        return named(name, tag, digest);
    }

    private static Optional<ImageReference> named(String name, Optional<String> tag, Optional<String> digest) {
        String registry = "docker.io";
        String path = name;
        int slash = name.indexOf('/');
        if (slash > 0 && isHost(name.substring(0, slash))) {
            registry = name.substring(0, slash);
            path = name.substring(slash + 1);
        }
        Matcher matcher = PATH.matcher(path);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String repository = registry.equals("docker.io") && path.indexOf('/') < 0 ? "library/" + path : path;
        return Optional.of(new ImageReference(registry, repository, tag, digest));
    }

    private static boolean isHost(String part) {
        return part.indexOf('.') >= 0
                || part.indexOf(':') >= 0
                || part.equals("localhost")
                || part.chars().anyMatch(Character::isUpperCase);
    }

    /// True if the name means the same bytes for ever.
    public boolean pinned() {
        return digest.isPresent();
    }

    /// True if the tag is `latest`, in words or for want of another.
    public boolean latest() {
        return digest.isEmpty() && tag.orElse("latest").equals("latest");
    }

    /// The last part of the repository, as `nginx`.
    public String shortName() {
        return repository.substring(repository.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
        return registry + "/" + repository + tag.map(t -> ":" + t).orElse("")
                + digest.map(d -> "@" + d).orElse("");
    }
}
