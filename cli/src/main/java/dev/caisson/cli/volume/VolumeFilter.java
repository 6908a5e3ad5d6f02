package dev.caisson.cli.volume;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.option.BooleanText;
import dev.caisson.cli.text.NamePattern;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.Volume;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// Docker's `--filter` of volumes: of several with the same key one must match, but labels all of them; and every key
/// must.
final class VolumeFilter {
    /// Conditions of a list.
    static final Set<String> OF_LIST = Set.of("dangling", "driver", "label", "name");

    /// Conditions of what is removed.
    static final Set<String> OF_PRUNE = Set.of("all", "label", "label!");

    private final Map<String, List<Predicate<Volume>>> byKey;

    private VolumeFilter(Map<String, List<Predicate<Volume>>> byKey) {
        this.byKey = byKey;
    }

    /// Reads the conditions.
    ///
    /// @param keys those that may be named
    /// @param used tells whether something uses a volume
    static VolumeFilter parse(List<String> texts, Set<String> keys, Predicate<Volume> used) {
        return new VolumeFilter(texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(pair -> condition(pair, keys, used), toList()))));
    }

    private static Predicate<Volume> condition(String[] pair, Set<String> keys, Predicate<Volume> used) {
        String value = pair[1];
        if (!keys.contains(pair[0])) {
            throw CommandException.usage("--filter takes "
                    + String.join(", ", keys.stream().sorted().toList()) + ", not '" + OneLine.of(pair[0]) + "'");
        }
        return switch (pair[0]) {
            case "driver" -> _ -> value.equals("local");
            case "name" -> {
                Predicate<String> pattern = NamePattern.of(value);
                yield volume -> pattern.test(volume.name().value());
            }
            case "all" -> {
                boolean all = BooleanText.parse("--filter all", value);
                yield volume -> all || volume.anonymous();
            }
            case "label" -> label(value);
            case "label!" -> label(value).negate();
            default -> {
                boolean wanted = BooleanText.parse("--filter dangling", value);
                yield volume -> used.test(volume) != wanted;
            }
        };
    }

    private static Predicate<Volume> label(String text) {
        int equals = text.indexOf('=');
        if (equals < 0) {
            return volume -> volume.labels().containsKey(text);
        }
        String value = text.substring(equals + 1);
        return volume -> value.equals(volume.labels().get(text.substring(0, equals)));
    }

    /// Returns true if there is a condition of this key.
    boolean has(String key) {
        return byKey.containsKey(key);
    }

    boolean accepts(Volume volume) {
        return byKey.entrySet().stream().allMatch(entry -> {
            var conditions = entry.getValue().stream();
            return entry.getKey().startsWith("label")
                    ? conditions.allMatch(condition -> condition.test(volume))
                    : conditions.anyMatch(condition -> condition.test(volume));
        });
    }
}
