package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.OptionText;
import dev.caisson.cli.view.LogTime;
import dev.caisson.image.ImageDescription;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Docker's `--filter` of images that are removed: every condition must hold.
final class ImagePruneFilter {
    private final List<Predicate<ImageDescription>> conditions = new ArrayList<>();
    private boolean hasUntil;

    private ImagePruneFilter() {}

    static ImagePruneFilter parse(List<String> texts, Instant now) {
        var filter = new ImagePruneFilter();
        texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .forEach(pair -> filter.conditions.add(filter.condition(pair[0], pair[1], now)));
        return filter;
    }

    private Predicate<ImageDescription> condition(String key, String value, Instant now) {
        return switch (key) {
            case "until" -> until(LogTime.parse("--filter until", value, now));
            case "label" -> label(value);
            case "label!" -> label(value).negate();
            default ->
                throw CommandException.usage("--filter takes label, label! or until, not '" + OneLine.of(key) + "'");
        };
    }

    /// An image that says no time is old.
    private Predicate<ImageDescription> until(Instant time) {
        if (hasUntil) {
            throw CommandException.usage("--filter until may be given once: leave one out");
        }
        hasUntil = true;
        return image -> image.created().orElse(Instant.EPOCH).isBefore(time);
    }

    /// @param text `KEY` or `KEY=VALUE`
    static Predicate<ImageDescription> label(String text) {
        int equals = text.indexOf('=');
        if (equals < 0) {
            return image -> image.config().labels().containsKey(text);
        }
        String value = text.substring(equals + 1);
        return image -> value.equals(image.config().labels().get(text.substring(0, equals)));
    }

    boolean accepts(ImageDescription image) {
        return conditions.stream().allMatch(condition -> condition.test(image));
    }
}
