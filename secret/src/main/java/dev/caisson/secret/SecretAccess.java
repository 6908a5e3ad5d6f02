package dev.caisson.secret;

import dev.caisson.text.Quoted;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/// The containers that may be given a secret: all of them if nothing is named. A container has to fit one of the images
/// and one of the names, where some are named, and all labels.
///
/// @param images as `debian:13`, or `sha256:…`, which alone names one content for ever
/// @param names of containers; a final `*` stands for any end
/// @param labels that the container must have
public record SecretAccess(List<String> images, List<String> names, Map<String, String> labels) {
    /// Every container.
    public static final SecretAccess ANY = new SecretAccess(List.of(), List.of(), Map.of());

    private static final int MOST = 64;
    private static final int LONGEST = 255;

    /// @throws SecretException SECRET_INVALID
    public SecretAccess {
        images = List.copyOf(images);
        names = List.copyOf(names);
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        require(images, "image");
        require(names, "name");
        require(List.copyOf(labels.keySet()), "label");
        SecretLabels.require(labels);
    }

    private static void require(List<String> texts, String kind) {
        if (texts.size() > MOST) {
            throw SecretException.invalid(
                    "there are " + texts.size() + " rules for the " + kind + ": give at most " + MOST);
        }
        for (String text : texts) {
            if (text.isEmpty() || text.length() > LONGEST || !text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw SecretException.invalid(
                        "the " + kind + " " + Quoted.of(text) + " that a secret is for is not 1 to " + LONGEST
                                + " characters of ASCII without blanks: give one as ps shows it");
            }
        }
    }

    /// True if every container may have it.
    public boolean isAny() {
        return equals(ANY);
    }

    /// Returns true if a container may have it.
    ///
    /// @param isImage whether a rule is the container's image
    /// @param name its name, if it was given one
    public boolean allows(Predicate<String> isImage, Optional<String> name, Map<String, String> own) {
        boolean image = images.isEmpty() || images.stream().anyMatch(isImage);
        boolean named = names.isEmpty()
                || name.filter(given -> names.stream().anyMatch(rule -> fits(rule, given)))
                        .isPresent();
        return image && named && own.entrySet().containsAll(labels.entrySet());
    }

    private static boolean fits(String rule, String name) {
        return rule.endsWith("*") ? name.startsWith(rule.substring(0, rule.length() - 1)) : rule.equals(name);
    }
}
