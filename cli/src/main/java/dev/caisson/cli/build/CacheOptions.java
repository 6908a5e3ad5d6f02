package dev.caisson.cli.build;

import dev.caisson.build.BuildCaches;
import dev.caisson.build.BuildCaches.Export;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.image.CachePlace;
import dev.caisson.image.ImageReference;
import dev.caisson.image.RegistryLogins;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The values of `--cache-from` and `--cache-to`.
final class CacheOptions {
    private static final String FROM = "--cache-from";
    private static final String TO = "--cache-to";

    private final String option;
    private final RegistryLogins logins;

    private CacheOptions(String option, RegistryLogins logins) {
        this.option = option;
        this.logins = logins;
    }

    static BuildCaches parse(List<String> from, List<String> to, RegistryLogins logins) {
        var reads = new CacheOptions(FROM, logins);
        var writes = new CacheOptions(TO, logins);
        var exports = new ArrayList<Export>();
        boolean inline = false;
        for (String text : to) {
            Map<String, String> fields = writes.fields(text, Set.of("type", "ref", "dest", "mode"));
            boolean all = writes.all(fields);
            if (writes.type(fields).equals("inline")) {
                writes.requireOnly(fields, Set.of("type", "mode"));
                if (all) {
                    throw CommandException.usage(
                            TO
                                    + " type=inline has the steps of the image alone: leave mode=max out, or give type=registry");
                }
                inline = true;
            } else {
                exports.add(new Export(writes.place(fields, "dest"), all));
            }
        }
        List<CachePlace> places = from.stream()
                .map(text -> reads.place(reads.fields(text, Set.of("type", "ref", "src")), "src"))
                .toList();
        return new BuildCaches(places, exports, inline);
    }

    private Map<String, String> fields(String text, Set<String> known) {
        if (!text.isEmpty() && text.indexOf('=') < 0 && text.indexOf(',') < 0) {
            return Map.of("type", "registry", "ref", text);
        }
        var fields = new LinkedHashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            if (equals < 0 || !known.contains(key)) {
                throw CommandException.refused(
                        option + " with " + key,
                        "its fields are "
                                + String.join(", ", known.stream().sorted().toList()));
            }
            if (fields.put(key, part.substring(equals + 1)) != null) {
                throw CommandException.usage(option + " has " + key + " twice: give it once");
            }
        }
        return fields;
    }

    private String type(Map<String, String> fields) {
        String type = fields.getOrDefault("type", "");
        if (type.isEmpty()) {
            throw CommandException.usage(option + " has no type: give type=registry,ref=NAME or type=local");
        }
        return type;
    }

    private boolean all(Map<String, String> fields) {
        return switch (fields.getOrDefault("mode", "min")) {
            case "min" -> false;
            case "max" -> true;
            default -> throw CommandException.usage(option + " has mode=min or mode=max");
        };
    }

    private void requireOnly(Map<String, String> fields, Set<String> known) {
        fields.keySet().stream().filter(key -> !known.contains(key)).findFirst().ifPresent(key -> {
            throw CommandException.usage(option + " type=" + type(fields) + " has no " + key + ": leave it out");
        });
    }

    /// @param path the field with the directory of `type=local`
    private CachePlace place(Map<String, String> fields, String path) {
        return switch (type(fields)) {
            case "registry" -> {
                requireOnly(fields, Set.of("type", "ref", "mode"));
                yield new CachePlace.InRegistry(ImageReference.parse(required(fields, "ref")), logins);
            }
            case "local" -> {
                requireOnly(fields, Set.of("type", path, "mode"));
                yield new CachePlace.InDirectory(Caller.current().path(required(fields, path)));
            }
            default ->
                throw CommandException.refused(
                        option + " type=" + type(fields),
                        option.equals(TO)
                                ? "give registry, local or inline"
                                : "give registry (also for an image with an inline cache) or local");
        };
    }

    private String required(Map<String, String> fields, String key) {
        String value = fields.getOrDefault(key, "");
        if (value.isEmpty()) {
            throw CommandException.usage(option + " type=" + type(fields) + " needs " + key + "=: add it");
        }
        return value;
    }
}
