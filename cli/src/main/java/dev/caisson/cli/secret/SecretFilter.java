package dev.caisson.cli.secret;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.OptionText;
import dev.caisson.secret.SecretRecord;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Docker's `--filter` of secrets: of several with the same key one must match, but labels all of them; and every key
/// must.
final class SecretFilter {
    private final Map<String, List<Predicate<SecretRecord>>> byKey;

    private SecretFilter(Map<String, List<Predicate<SecretRecord>>> byKey) {
        this.byKey = byKey;
    }

    static SecretFilter parse(List<String> texts) {
        return new SecretFilter(texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(pair -> condition(pair[0], pair[1]), toList()))));
    }

    private static Predicate<SecretRecord> condition(String key, String value) {
        return switch (key) {
            case "id" -> secret -> secret.id().startsWith(value);
            case "name" -> secret -> secret.name().text().startsWith(value);
            case "label" -> label(value);
            default -> throw CommandException.usage("--filter takes id, label or name, not '" + OneLine.of(key) + "'");
        };
    }

    private static Predicate<SecretRecord> label(String text) {
        int equals = text.indexOf('=');
        if (equals < 0) {
            return secret -> secret.labels().containsKey(text);
        }
        String value = text.substring(equals + 1);
        return secret -> value.equals(secret.labels().get(text.substring(0, equals)));
    }

    boolean accepts(SecretRecord secret) {
        return byKey.entrySet().stream().allMatch(entry -> {
            var conditions = entry.getValue().stream();
            return entry.getKey().equals("label")
                    ? conditions.allMatch(condition -> condition.test(secret))
                    : conditions.anyMatch(condition -> condition.test(secret));
        });
    }
}
