package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.OptionText;
import dev.caisson.cli.view.LogTime;
import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageDescription;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/// Docker's `--filter` of images that are listed: every condition must hold, and one of the references.
final class ImageListFilter {
    private final List<Predicate<StoredImage>> names = new ArrayList<>();
    private final List<Predicate<ImageDescription>> conditions = new ArrayList<>();
    private final List<PathMatcher> references = new ArrayList<>();

    private ImageListFilter() {}

    static ImageListFilter parse(List<String> texts, Images images, Instant now) {
        var filter = new ImageListFilter();
        for (String text : texts) {
            String[] pair = OptionText.pair("--filter", text);
            filter.add(pair[0], pair[1], images, now);
        }
        return filter;
    }

    private void add(String key, String value, Images images, Instant now) {
        switch (key) {
            case "dangling" -> {
                boolean dangling = isOn(value);
                Set<Digest> named = images.list().stream()
                        .filter(image -> image.tag().isPresent())
                        .map(StoredImage::manifest)
                        .collect(Collectors.toSet());
                names.add(image -> dangling != named.contains(image.manifest()));
            }
            case "reference" -> references.add(matcher(value));
            case "label" -> conditions.add(ImagePruneFilter.label(value));
            case "label!" -> conditions.add(ImagePruneFilter.label(value).negate());
            case "before" -> {
                Instant time = created(images, value);
                conditions.add(image -> timeOf(image).isBefore(time));
            }
            case "since" -> {
                Instant time = created(images, value);
                conditions.add(image -> timeOf(image).isAfter(time));
            }
            case "until" -> {
                Instant time = LogTime.parse("--filter until", value, now);
                conditions.add(image -> timeOf(image).isBefore(time));
            }
            default ->
                throw CommandException.usage(
                        "--filter takes dangling, reference, label, label!, before, since or until, not '"
                                + OneLine.of(key) + "'");
        }
    }

    private static boolean isOn(String value) {
        return switch (value) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw CommandException.usage("--filter dangling is true or false");
        };
    }

    /// Docker's patterns are those of Go's path.Match: `*` and `?` stand for no `/`.
    private static PathMatcher matcher(String pattern) {
        try {
            String glob = pattern.replaceAll("\\*+", "*").replaceAll("[{}]", "\\\\$0");
            return FileSystems.getDefault().getPathMatcher("glob:" + glob);
        } catch (PatternSyntaxException e) {
            throw CommandException.usage(
                    "--filter reference is a name with *, ? and [a-z], not '" + OneLine.of(pattern) + "'");
        }
    }

    private static Instant created(Images images, String name) {
        return timeOf(images.describe(images.find(name)));
    }

    /// An image that says no time is old.
    private static Instant timeOf(ImageDescription image) {
        return image.created().orElse(Instant.EPOCH);
    }

    /// Returns true if its name fits.
    boolean accepts(StoredImage image) {
        if (!names.stream().allMatch(condition -> condition.test(image))) {
            return false;
        }
        if (references.isEmpty()) {
            return true;
        }
        String repository = ImageReference.parse(image.repository()).shortRepository();
        String whole = image.tag().map(tag -> repository + ":" + tag).orElse(repository + "@" + image.pulled());
        return references.stream()
                .anyMatch(pattern -> pattern.matches(Path.of(repository)) || pattern.matches(Path.of(whole)));
    }

    /// Returns true if what it is fits.
    boolean accepts(ImageDescription image) {
        return conditions.stream().allMatch(condition -> condition.test(image));
    }
}
