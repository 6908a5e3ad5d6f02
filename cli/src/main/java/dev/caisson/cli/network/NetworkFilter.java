package dev.caisson.cli.network;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.option.BooleanText;
import dev.caisson.cli.text.NamePattern;
import dev.caisson.cli.text.OptionText;
import dev.caisson.cli.view.LogTime;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// Docker's `--filter` of networks: of several with the same key one must match, but labels all of them; and every key
/// must.
final class NetworkFilter {
    /// Conditions of a list.
    static final Set<String> OF_LIST = Set.of("driver", "id", "label", "name", "scope", "type", "dangling");

    /// Conditions of what is removed.
    static final Set<String> OF_PRUNE = Set.of("label", "label!", "until");

    private final Map<String, List<Predicate<NetworkInfo>>> byKey;

    private NetworkFilter(Map<String, List<Predicate<NetworkInfo>>> byKey) {
        this.byKey = byKey;
    }

    /// Reads the conditions.
    ///
    /// @param keys those that may be named
    /// @param used tells whether a container is on a network
    static NetworkFilter parse(List<String> texts, Set<String> keys, Predicate<NetworkInfo> used) {
        return new NetworkFilter(texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(pair -> condition(pair, keys, used), toList()))));
    }

    private static Predicate<NetworkInfo> condition(String[] pair, Set<String> keys, Predicate<NetworkInfo> used) {
        String value = pair[1];
        if (!keys.contains(pair[0])) {
            throw CommandException.usage("--filter takes "
                    + String.join(", ", keys.stream().sorted().toList()) + ", not '" + OneLine.of(pair[0]) + "'");
        }
        return switch (pair[0]) {
            case "driver" -> _ -> value.equals("bridge");
            case "scope" -> _ -> value.equals("local");
            case "id" -> found(value, NetworkInfo::id);
            case "name" -> found(value, NetworkInfo::name);
            case "label" -> label(value);
            case "label!" -> label(value).negate();
            case "until" -> {
                Instant time = LogTime.parse("--filter until", value, Instant.now());
                yield network -> network.created().isBefore(time);
            }
            case "type" -> type(value);
            default -> {
                boolean wanted = BooleanText.parse("--filter dangling", value);
                yield network -> used.test(network) != wanted;
            }
        };
    }

    private static Predicate<NetworkInfo> found(String value, Function<NetworkInfo, String> of) {
        Predicate<String> pattern = NamePattern.of(value);
        return network -> pattern.test(of.apply(network));
    }

    private static Predicate<NetworkInfo> type(String value) {
        return switch (value) {
            case "builtin" -> network -> network.name().equals(Networks.DEFAULT);
            case "custom" -> network -> !network.name().equals(Networks.DEFAULT);
            default ->
                throw CommandException.usage("--filter type takes builtin or custom, not '" + OneLine.of(value) + "'");
        };
    }

    private static Predicate<NetworkInfo> label(String text) {
        int equals = text.indexOf('=');
        if (equals < 0) {
            return network -> network.labels().containsKey(text);
        }
        String value = text.substring(equals + 1);
        return network -> value.equals(network.labels().get(text.substring(0, equals)));
    }

    boolean accepts(NetworkInfo network) {
        return byKey.entrySet().stream().allMatch(entry -> {
            var conditions = entry.getValue().stream();
            return entry.getKey().startsWith("label")
                    ? conditions.allMatch(condition -> condition.test(network))
                    : conditions.anyMatch(condition -> condition.test(network));
        });
    }
}
